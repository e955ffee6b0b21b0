"""Photos marked over several searches, and taken somewhere by `:cp`, `:ln`, `:mv` and `:save`."""

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from cases import cases
from fake_conversation import Talk
from rich.console import Console
from terminal_fakes import CPU, FakeBackend, make_hit, make_result

from photomap_cli import cancellation
from photomap_cli.errors import BadPath
from photomap_cli.library.catalog import Catalog


@pytest.fixture
def talk(tmp_path):
    """Four photos that are there: `dog` finds the first three, `cat` the last."""
    paths = [tmp_path / "from" / f"{number}.jpg" for number in (1, 2, 3, 4)]
    (tmp_path / "from").mkdir()
    for path in paths:
        path.write_bytes(path.name.encode())
    found = {"dog": paths[:3], "cat": paths[3:]}

    def answer(request):
        hits = tuple(make_hit(rank, str(path)) for rank, path in enumerate(found[request.text], 1))
        return replace(make_result(), hits=hits)

    Catalog.open(tmp_path / "library", create=True).close()
    status = replace(CPU, library=str(tmp_path / "library"))
    return Talk(FakeBackend(answer=answer, status=status), cwd=tmp_path)


def on_a_terminal(talk):
    talk.front.console = Console(file=io.StringIO(), force_terminal=True, no_color=True, color_system=None, width=100)
    return talk


def marked(talk):
    return [Path(path).name for path in talk.state.marks]


def there(talk, folder):
    return sorted(each.name for each in (talk.state.cwd / folder).iterdir())


@cases(
    ("lines", "names"),
    [
        ([":mark 1-2"], ["1.jpg", "2.jpg"]),
        ([":mark 3 #1"], ["3.jpg", "1.jpg"]),
        ([":mark all", ":mark -2"], ["1.jpg", "3.jpg"]),
        ([":mark all", ":mark -1-2"], ["3.jpg"]),
        ([":mark 1", ":mark 1"], ["1.jpg"]),
        ([":mark 2", "cat", ":mark 1"], ["2.jpg", "4.jpg"]),
        ([":mark all", ":MARK NONE"], []),
    ],
)
def test_marks_stay_over_searches(talk, lines, names):
    talk.state.marks.clear()
    talk.type("dog", *lines)
    assert marked(talk) == names
    assert talk.front.notes[-1] == f"{len(names)} marked"


def test_a_wrong_number_marks_nothing(talk):
    talk.type("dog")
    assert "there is no result 9" in talk.refusal(":mark 1 9").message
    assert "isn't the number" in talk.refusal(":mark 1 x").message
    assert marked(talk) == []
    assert "there are no results" in Talk().refusal(":mark all").message


def test_the_marked_are_listed_with_their_numbers(talk):
    on_a_terminal(talk).type("dog", ":mark 2", "cat", ":mark 1", ":mark")
    lines = talk.front.printed.splitlines()
    assert [line.split() for line in lines] == [["from/2.jpg"], ["#1", "from/4.jpg"]]
    talk.type(":mark none", ":mark")
    assert talk.front.notes[-1] == "nothing is marked"


def test_to_a_program_the_marked_are_paths(talk):
    talk.type("dog", ":mark 2", ":mark")
    assert talk.front.printed == f"{talk.state.cwd}/from/2.jpg\n"


@cases(
    ("line", "names"),
    [
        (":cp out", ["1.jpg", "2.jpg", "3.jpg"]),
        (":cp 2 out", ["2.jpg"]),
        (":cp 1, 3 out", ["1.jpg", "3.jpg"]),
        (":cp --reflink 2-3 out", ["2.jpg", "3.jpg"]),
        (":ln out", ["1.jpg", "2.jpg", "3.jpg"]),
        (":ln --hard 1 out", ["1.jpg"]),
        (':cp 2 "out"', ["2.jpg"]),
    ],
)
def test_photos_are_taken_to_a_folder(talk, line, names, tmp_path_factory):
    talk.state.cwd = tmp_path_factory.mktemp("here")
    talk.type("dog", line)
    assert there(talk, "out") == names
    assert (talk.state.cwd / "out" / names[0]).read_bytes() == names[0].encode()
    assert talk.front.notes[-1].startswith(f"{len(names)} photo")


def test_the_marked_come_first_and_numbers_before_them(talk):
    talk.type("dog", ":mark 2", "cat", ":cp marked", ":cp 1 numbered", ":save marked.json")
    assert (there(talk, "marked"), there(talk, "numbered")) == (["2.jpg"], ["4.jpg"])
    [hit] = json.loads((talk.state.cwd / "marked.json").read_text())["hits"]
    assert (Path(hit["path"]).name, hit["rank"]) == ("2.jpg", 1)


def test_a_zip_file_is_made_where_one_is_named(talk):
    talk.type("dog", ":cp 1-2 best.zip")
    with zipfile.ZipFile(talk.state.cwd / "best.zip") as packed:
        assert packed.namelist() == ["1.jpg", "2.jpg"]


@cases(
    ("line", "message"),
    [
        (":cp", "into which folder?"),
        (":mv!", "into which folder?"),
        (":cp --reflnk 1 out", "there is no option --reflnk"),
        (":cp -f out", "there is no option -f"),
        (":cp 1 --reflink out", "there is no option --reflink"),
        (":ln --hrd 1 out", "there is no option --hrd"),
        (":mv! --force out", "there is no option --force"),
        (":save --force 1 out.csv", "there is no option --force"),
        (":cp 9 out", "there is no result 9"),
        (":cp 2019 Norway", "there is no result 2019"),
        (f":cp {'9' * 24} out", "there is no result 9999999999"),
        (f":mark {'9' * 5000}", "there is no result 9999999999"),
    ],
)
def test_what_is_not_understood_is_said(talk, line, message):
    before = set(talk.state.cwd.iterdir())
    assert message in talk.type("dog").refusal(line).message
    assert set(talk.state.cwd.iterdir()) == before


def test_a_mistyped_option_gets_the_nearest_and_a_name_like_one_is_quoted(talk):
    assert talk.type("dog").refusal(":cp --reflnk 1 out").hint == "did you mean --reflink?"
    assert talk.refusal(":cp -x").hint == 'a name that starts with a dash needs quotes: "-x"'
    assert there(talk.type(':cp 1 "-x"'), "-x") == ["1.jpg"]


def test_to_a_program_a_photo_that_did_not_go_is_an_error(talk):
    (talk.state.cwd / "from" / "2.jpg").unlink()
    talk.type("dog")
    assert talk.refusal(":cp out").message == f"1 photo did not get to {talk.state.cwd}/out"
    assert there(talk, "out") == ["1.jpg", "3.jpg"]
    on_a_terminal(talk).type(":cp out")
    assert talk.front.notes[-1].startswith("it is not there any more")


def test_an_export_that_nobody_wants_any_more_says_what_is_left(talk, monkeypatch):
    monkeypatch.setattr(cancellation, "is_wanted", lambda: False)
    on_a_terminal(talk).type("dog", ":cp out")
    assert talk.front.notes[-1].endswith("3 left, as it was stopped")


# -- moves -----------------------------------------------------------------------------------------------------------


def test_a_move_asks_first(talk):
    on_a_terminal(talk).front.answer = False
    talk.type("dog", ":mv 1 out")
    assert talk.front.questions == [f"move 1 photo to {talk.state.cwd}/out?"]
    assert talk.front.notes[-1] == "nothing was moved"
    assert not (talk.state.cwd / "out").exists()
    talk.front.answer = True
    talk.type(":mv 1 out")
    assert there(talk, "out") == ["1.jpg"]
    assert there(talk, "from") == ["2.jpg", "3.jpg", "4.jpg"]


def test_a_move_that_is_not_to_ask_has_its_own_word(talk):
    talk.type("dog")
    talk.type(":mv! 1 out")
    assert talk.front.questions == []
    assert there(talk, "out") == ["1.jpg"]


def test_results_and_marks_follow_their_photos(talk):
    talk.type("dog", ":mark 1", "cat", ":mv! out", "dog", ":mark")
    talk.type(":mv! 3 out", ":mark 3", ":cp copies")
    assert [Path(path).relative_to(talk.state.cwd) for path in talk.state.marks] == [
        Path("out/1.jpg"),
        Path("out/3.jpg"),
    ]
    assert there(talk, "copies") == ["1.jpg", "3.jpg"]


def test_a_place_that_is_none_is_said_before_anything_moves(talk):
    (talk.state.cwd / "file").touch()
    talk.type("dog")
    assert isinstance(talk.refusal(":mv! file"), BadPath)
    assert there(talk, "from") == ["1.jpg", "2.jpg", "3.jpg", "4.jpg"]
