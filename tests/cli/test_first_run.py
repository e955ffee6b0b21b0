"""The first start: no library yet, and somebody who has read nothing."""

import sys
from itertools import count
from pathlib import Path

import pytest
from drawing.picture import make_picture
from waiting import LONG_SECONDS

from photomap_cli.cli import first_run, index_run
from photomap_cli.errors import EmptyLibrary
from photomap_cli.library.catalog import Catalog
from photomap_cli.records import IndexReport
from photomap_cli.settings import Settings


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home with pictures in it, and a shell that stands there."""
    for variable in ("XDG_CONFIG_HOME", "XDG_PICTURES_DIR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "Pictures" / "cats").mkdir(parents=True)
    for number in range(5):
        (tmp_path / "Pictures" / "cats" / f"{number}.jpg").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def tried(monkeypatch):
    """What trying a few photos gave; nothing is encoded."""
    report = IndexReport((), added=4, elapsed_ms=5_000.0, images_per_second=2.0)
    monkeypatch.setattr(first_run, "_tried", lambda sample, settings: report)


TINY = Settings(encoder="tiny")


def answers(*given):
    left = list(given)

    def ask(question):
        if not left:
            raise EOFError
        return left.pop(0)

    return ask


def test_photos_are_counted_where_one_stands_or_in_the_pictures_folder(home, monkeypatch):
    (home / "stray.jpg").touch()
    assert first_run._found(TINY) == first_run.Finding(
        home / "Pictures", tuple(str(home / "Pictures" / "cats" / f"{number}.jpg") for number in range(5)), True
    )
    (home / "here").mkdir()
    (home / "here" / "one.png").touch()
    monkeypatch.chdir(home / "here")
    assert first_run._found(TINY).words == f"1 photo in {home}/here"


def test_counting_ends_after_a_moment(home):
    ticks = count(step=first_run.COUNTING_SECONDS / 3)
    found = first_run.look(home, TINY, clock=lambda: next(ticks))
    assert (len(found.paths), found.is_all) == (4, False)
    assert found.words.startswith("more than 4 photos")


def test_no_photos_anywhere_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EmptyLibrary) as caught:
        first_run.offer(tmp_path / "library", TINY, answers("y"))
    assert "photomap index FOLDER" in caught.value.hint


@pytest.mark.parametrize("given", [("n",), ("what?", "no"), ()])
def test_no_changes_nothing(home, tried, capsys, given):
    assert not first_run.offer(home / "library", TINY, answers(*given))
    assert not (home / "library").exists()
    told = capsys.readouterr().out
    assert f"Found 5 photos in {home}/Pictures." in told
    assert "tiny reads 2.0 photos/s here (5 tried): about 6 s for all." in told
    assert "Nothing was done." in told


def test_ctrl_c_at_the_question_changes_nothing_and_ends_the_line(home, tried, capsys):
    def interrupted(question):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        first_run.offer(home / "library", TINY, interrupted)
    assert capsys.readouterr().out.endswith("for all.\n\n")
    assert not (home / "library").exists()


def test_ctrl_c_while_some_are_tried_leaves_without_a_question(home, monkeypatch):
    monkeypatch.setattr(index_run, "bring_up_to_date", lambda *_, **__: (True, IndexReport(())))
    with pytest.raises(KeyboardInterrupt):
        first_run.offer(home / "library", TINY, answers())
    assert not (home / "library").exists()


def test_the_time_is_that_to_start_and_that_for_each():
    report = IndexReport((), added=4, elapsed_ms=5_000.0, images_per_second=2.0)
    assert first_run.seconds_needed(1000, report) == 3.0 + 500.0


def test_weights_that_have_to_be_fetched_are_named_with_their_size(home, monkeypatch, capsys):
    monkeypatch.setenv("HF_HOME", str(home / "no-weights"))
    first_run.offer(home / "library", Settings(encoder="ViT-B-32-256/datacomp_s34b_b86k"), answers("n"))
    assert "605 MB are downloaded first, once" in capsys.readouterr().out


@pytest.mark.parametrize(("paths", "tried"), [(3, 3), (16, 16), (1000, 16)])
def test_what_is_tried_is_spread_over_all(paths, tried):
    names = [f"{number:04d}" for number in range(paths)]
    chosen = first_run.spread(names, first_run.TRIED)
    assert len(set(chosen)) == tried
    assert (str(chosen[0]), int(str(chosen[-1])) >= paths * 0.9 - 1) == ("0000", True)


def test_a_folder_of_photos_that_the_library_does_not_cover_is_noted(home):
    library, covered = home / "library", home / "Pictures"
    with Catalog.open(library, create=True) as catalog:
        catalog.set_roots([str(covered)])
    assert first_run.note_on(covered / "cats", library) == ""
    assert first_run.note_on(home, library) == ""
    (home / "stray.JPG").touch()
    assert first_run.note_on(home, library) == first_run.NOT_COVERED
    assert first_run.note_on(home / "gone", library) == ""


@pytest.mark.terminal
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_from_nothing_to_the_first_answer(tmp_path):
    pexpect = pytest.importorskip("pexpect")
    for kind in ("cat", "pizza", "lighthouse"):
        make_picture(kind, seed=1, size=(240, 180)).save(tmp_path / f"{kind}.jpg")
    fresh = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "PHOTOMAP_ENCODER": "tiny", "TERM": "xterm"}
    here = {"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    words = ["-m", "photomap_cli"]
    child = pexpect.spawn(
        sys.executable, words, env={**fresh, **here}, cwd=str(tmp_path), timeout=LONG_SECONDS, encoding="utf-8"
    )
    child.expect(r"Found 3 photos in [^\r]*\.\r")
    child.expect(r"tiny reads .* photos/s here \(3 tried\): about")
    child.expect(r"Index them now\? \[Y/n\] ")
    child.send("y\n")
    child.expect("3 photos found: 3 added")
    child.expect("photomap> ")
    child.send("cat\r")
    child.expect(r"cat\.jpg")
    child.close(force=True)
