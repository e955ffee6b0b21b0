import io
import os
import unicodedata
from dataclasses import replace

import pytest
from cases import cases
from fake_conversation import Talk
from rich.console import Console
from terminal_fakes import CPU, VRAM, FakeBackend, PaintedThumbnailer, make_result

from photomap_cli.errors import UsageError
from photomap_cli.repl.commands import arguments, help, registry
from photomap_cli.repl.state import like_as_reference
from photomap_cli.search.filter_values import FILTER_VALUES
from photomap_cli.views.previews import Previews

# -- the table -------------------------------------------------------------------------------------------------------


@cases(
    ("word", "name"),
    [
        ("q", "quit"),
        ("o", "open"),
        ("m", "more"),
        ("h", "help"),
        ("?", "help"),
        ("exit", "quit"),
        ("quit", "quit"),
        ("of", "offload"),
        ("op", "open"),
        ("t", "timeout"),
        ("hi", "history"),
        ("OFFLOAD", "offload"),
        (":k", "k"),
        ("lo", "load"),
    ],
)
def test_names_aliases_and_unique_prefixes(word, name):
    assert registry.find(word).name == name


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("ofload", "did you mean :offload or :load?"),
        ("hlep", "did you mean :help?"),
        ("xyz", ":help lists the commands"),
        ("", ":help lists the commands"),
        ("sttaus", "did you mean :status?"),
    ],
)
def test_typos_get_a_suggestion(word, hint):
    with pytest.raises(UsageError) as caught:
        registry.find(word)
    assert caught.value.hint == hint


def test_names_and_aliases_are_unique():
    words = [word for command in registry.COMMANDS for word in (command.name, *command.aliases)]
    assert len(words) == len(set(words))


@pytest.mark.parametrize("line", ["?", "exit", "quit", "EXIT", ":anything"])
def test_lines_that_are_commands(line):
    assert registry.is_command(line)


@pytest.mark.parametrize("line", ["help", "quit smoking", "what?", "dog :k"])
def test_lines_that_are_queries(line):
    assert not registry.is_command(line)


# -- queries ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rewritten"),
    [
        ("like 3", "#3"),
        ("LIKE #12", "#12"),
        ("like 3 + snow", "#3 + snow"),
        ("like 3 -people", "#3 -people"),
        ("like 3 in:/x", "#3 in:/x"),
        ("like 3 dogs", "like 3 dogs"),
        ("likes 3", "likes 3"),
        ("dog like 3", "dog like 3"),
    ],
)
def test_like_is_a_reference(text, rewritten):
    assert like_as_reference(text) == rewritten


def test_a_query_carries_where_it_was_asked_and_what_was_shown_before():
    talk = Talk().type("dog", "  like 2  ")
    first, second = talk.backend.requests
    assert (first.text, first.cwd, first.folder, first.references) == ("dog", "/photos", None, ())
    assert second.text == "#2"
    assert second.references == tuple(f"/photos/photo-00{n}.jpg" for n in (1, 2, 3))


def test_empty_lines_do_nothing_and_line_ends_are_spaces():
    talk = Talk().type("", "   ", "dog\non grass")
    assert [request.text for request in talk.backend.requests] == ["dog on grass"]


def test_more_pages_through_what_was_fetched_then_fetches_further():
    talk = Talk(FakeBackend(photos=11)).type("dog", ":more", ":m", ":more", ":more")
    assert talk.front.pages == [([1, 2, 3], True), ([4, 5, 6], True), ([7, 8, 9], True), ([10, 11], False)]
    assert [request.limit for request in talk.backend.requests] == [6, 15]
    assert talk.front.notes == ["no more results"]
    assert len(talk.state.references) == 11


def test_more_pages_through_the_results_then_numbers_further_ones():
    talk = Talk(FakeBackend(photos=7), limit=5)
    talk.front.room = 2
    talk.type("dog")
    assert len(talk.state.references) == 5
    talk.type(":show 5", ":more", ":more", ":more", ":more", ":more")
    assert talk.front.looked == [5]
    assert talk.front.pages == [([1, 2], True), ([3, 4], True), ([5], True), ([6, 7], False)]
    assert len(talk.state.references) == 7
    assert talk.front.notes == ["no more results", "no more results"]


def interrupted(left, **_):
    raise KeyboardInterrupt


def test_a_page_that_was_interrupted_is_shown_again(monkeypatch):
    talk = Talk()
    monkeypatch.setattr(talk.front, "show", interrupted)
    with pytest.raises(KeyboardInterrupt):
        talk.type("dog")
    monkeypatch.undo()
    talk.type(":more")
    assert talk.front.pages == [([1, 2, 3], True)]


def test_more_without_a_search_says_so():
    assert "nothing to show" in Talk().refusal(":more").message


def test_k_changes_the_page():
    talk = Talk().type(":k 5", "dog", ":k")
    assert talk.front.pages == [([1, 2, 3, 4, 5], True)]
    assert talk.front.notes == ["5 results per search", "5 results per search"]


@pytest.mark.parametrize("line", [":k 0", ":k -1", ":k many", ":k 99999", ":k ²", ":k " + "9" * 5000])
def test_k_refuses_what_is_no_page(line):
    talk = Talk()
    assert "isn't a number from 1" in talk.refusal(line).message
    assert talk.state.limit == 3


def test_again_repeats_with_the_references_of_then():
    talk = Talk().type("dog", "#2", ":k 4", ":again")
    _, second, third = talk.backend.requests
    assert third == replace(second, limit=8)
    assert "no search to repeat" in Talk().refusal(":again").message


def test_a_failed_query_keeps_the_last_results():
    talk = Talk().type("dog")
    talk.backend._answer = lambda request: 1 / 0
    with pytest.raises(ZeroDivisionError):
        talk.type("cat")
    assert len(talk.state.references) == 3


def test_notices_are_told():
    talk = Talk(FakeBackend(answer=lambda request: make_result(1, notices=("answered from RAM",)))).type("dog")
    assert talk.front.notes == ["answered from RAM"]


# -- the rest --------------------------------------------------------------------------------------------------------


@cases(
    ("text", "path"),
    [
        ("My Photos", "My Photos"),
        ('"My Photos"', "My Photos"),
        ('"My Photos/', "My Photos/"),
        ("'My Photos'", "My Photos"),
        ("""'the "best" of'""", 'the "best" of'),
        (r'"the \"best\" of"', 'the "best" of'),
        ('~/"My Photos"/2023', "~/My Photos/2023"),
        ("Bob's photos", "Bob's photos"),
        ("Bob's and Ann's", "Bob's and Ann's"),
        ("'90s", "'90s"),
        ("'", "'"),
        ("", ""),
    ],
)
def test_a_path_is_read_as_a_query_or_a_shell_would(text, path):
    assert arguments.path_meant(text) == path


@pytest.mark.skipif(os.sep != "/", reason="a backslash stands between folders here")
@pytest.mark.parametrize(
    ("text", "path"),
    [(r"My\ Photos\ \(old\)", "My Photos (old)"), (r"Bob\'s", "Bob's"), (r"a\b", r"a\b"), (r"a\\", "a\\")],
)
def test_backslashes_are_read_as_a_shell_would(text, path):
    assert arguments.path_meant(text) == path


def test_in_sets_the_folder_of_later_queries(tmp_path):
    (tmp_path / "My Photos").mkdir()
    talk = Talk(cwd=tmp_path)
    folders = []
    for line in (':in "My Photos"', ":in My Photos", ":in 'My Photos'", r":in My\ Photos", ":in *", ":in"):
        talk.type(line, "dog")
        folders.append(talk.backend.requests[-1].folder)
    assert folders == [str(tmp_path / "My Photos")] * 4 + ["*", None]
    assert "isn't a folder" in talk.refusal(":in nowhere").message


@pytest.mark.parametrize(
    ("line", "seconds", "told"),
    [
        (":timeout 60", 60, "offloads 60 s after the last search"),
        (":timeout 5m", 300, "offloads 5 min after the last search"),
        (":timeout off", 0, "never offloads"),
        (":timeout 0", 0, "never offloads"),
    ],
)
def test_timeout_reaches_the_backend(line, seconds, told):
    talk = Talk(FakeBackend(status=VRAM)).type(line)
    assert talk.backend.calls == [f"timeout {seconds:g}"]
    assert talk.front.notes == [told]


@pytest.mark.parametrize("line", [":timeout -5", ":timeout soon", ":timeout nan"])
def test_timeout_refuses_with_the_reason(line):
    talk = Talk()
    assert talk.refusal(line).hint == ":timeout [SECONDS|5m|off]"
    assert talk.backend.calls == []


def test_collapse_goes_with_later_queries_and_refuses_the_rest():
    talk = Talk().type("dog", ":collapse on", "dog", ":collapse off", ":again", ":collapse")
    assert [request.collapse for request in talk.backend.requests] == [None, True, False]
    assert talk.front.notes[-1] == "collapse: off"
    assert "isn't on or off" in talk.refusal(":collapse maybe").message


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (":timeout", "offloads 30 s after the last search; nothing to offload: CPU"),
        (":timeout off", "never offloads; nothing to offload: CPU"),
    ],
)
def test_timeout_says_where_there_is_nothing_that_could_be_offloaded(line, told):
    assert Talk(FakeBackend(status=CPU)).type(line).front.notes == [told]


def test_timeout_alone_tells_it():
    assert Talk(FakeBackend(status=VRAM)).type(":timeout").front.notes == ["offloads 30 s after the last search"]


def test_offload_load_and_status():
    talk = Talk(FakeBackend(status=VRAM)).type(":offload", ":load", ":status")
    assert talk.backend.calls == ["offload", "load"]
    assert talk.front.notes == ["● VRAM 352 MB · offloads in 18 s"] * 2
    assert "12,034 photos" in talk.front.printed
    assert Talk(FakeBackend(status=CPU)).type(":offload").front.notes == [
        "● RAM 12 MB cpu · nothing to offload: CPU; released in 10 min"
    ]


def test_show_looks_at_results():
    talk = Talk().type("dog", ":show 2 #3")
    assert talk.front.looked == [2, 3]
    assert "no result 4" in talk.refusal(":show 4").message


def test_previews_tells_and_changes_how_results_are_shown():
    talk = Talk()
    talk.front.previews = Previews(Console(file=io.StringIO(), force_terminal=True), PaintedThumbnailer, environment={})
    talk.type(":previews", ":previews BLOCKS", ":previews off", ":previews on")
    assert talk.front.notes == [
        "results as a table (auto)",
        "results as pictures: blocks (blocks)",
        "results as a table (off)",
        "results as a table (on): without TERM there are no pictures",
    ]
    assert "'holograms' isn't a way of drawing" in talk.refusal(":previews holograms").message
    assert "no terminal" in Talk().refusal(":previews on").message


def test_save_makes_pages_too(tmp_path):
    talk = Talk(cwd=tmp_path).type("dog", ":more", ":save dogs.html")
    assert (tmp_path / "dogs.html").read_text(encoding="utf-8").count("data:image/webp;base64,") == 6
    assert talk.front.notes == [f"6 photos saved to {tmp_path / 'dogs.html'}"]


def test_history_shows_the_latest_that_match_once_each():
    talk = Talk()
    talk.front.lines = ["dog", "cat", ":save dogs.html", "hot dog", "dog", "why 1", ":history DOG"]
    assert talk.type(":history DOG").front.printed.split("\n") == ["  hot dog", "  dog", ""]
    talk.front.lines.append(":history zebra")
    assert talk.type(":history zebra").front.notes == ["no search like that yet"]


def test_help_names_every_command_once_on_one_small_screen():
    lines = Talk().type(":help").front.printed.splitlines()
    assert len(lines) <= 22
    assert max(len(line.rstrip()) for line in lines) < 80
    grouped = [name for names in help.GROUPS.values() for name in names]
    assert sorted(grouped) == sorted(command.name for command in registry.COMMANDS)
    assert all(any(f":{name}" in line.split() for line in lines) for name in grouped)


def test_help_lists_every_command_or_explains_one():
    everything = Talk().type(":help commands").front.printed
    assert all(command.synopsis in everything and command.summary in everything for command in registry.COMMANDS)
    one = Talk().type(":help off").front.printed
    assert one.strip() == ":offload  free GPU memory now"


def test_help_on_queries_names_every_filter_with_an_example():
    told = Talk().type(":help queries").front.printed
    for name, known in FILTER_VALUES.items():
        assert f"  {name}:" in told
        assert known.about in told
    assert "min:" in told
    assert Talk().type(":help filters").front.printed == told


def test_the_order_of_results_is_chosen_for_the_prompt():
    talk = Talk().type("dog", ":sort date", "dog", ":sort", ":sort score", "dog")
    assert [(request.sort, request.limit) for request in talk.backend.requests] == [
        *(("score", 6), ("date", 3), ("score", 6)),
    ]
    assert talk.front.notes == ["results come newest first", "results come newest first", "results come best first"]
    assert talk.refusal(":sort size").hint == ":sort [score|date]"


def test_help_for_one_shows_its_aliases_and_examples():
    lines = Talk().type(":help op").front.printed.splitlines()
    assert [line.strip() for line in lines] == [
        ":open N...  open in your image viewer (also :o)",
        ":open 3",
        ":o 1 4-6",
    ]


def test_every_example_names_its_own_command():
    for command in registry.COMMANDS:
        words = {example.removeprefix(":").split()[0] for example in command.examples}
        assert words <= {command.name, *command.aliases}


def test_a_command_that_is_used_wrongly_says_how_to_use_it():
    assert Talk().refusal(":k many").hint == ":k N"
    assert Talk().type("dog").refusal(":open x").hint == ":open N..."


# -- settings --------------------------------------------------------------------------------------------------------


@pytest.fixture
def config(tmp_path, monkeypatch):
    path = tmp_path / "config.toml"
    path.write_text("results = 7\n")
    monkeypatch.setenv("PHOTOMAP_CONFIG", str(path))
    return path


def test_set_changes_what_the_prompt_follows_and_nothing_on_disk(config):
    talk = Talk().type(
        ":set results 5", ":set min_score=0.25", ":set prewarm true", ":set keys vi", ":set idle 5m", "dog"
    )
    state = talk.state
    assert (state.limit, state.prewarm, state.keys) == (5, True, "vi")
    assert talk.backend.requests[0].min_score == 0.25
    assert talk.backend.calls == ["timeout 300"]
    assert config.read_text() == "results = 7\n"
    assert talk.type(":set min_score auto", "dog").backend.requests[1].min_score is None


def test_set_shows_every_setting_and_where_it_is_from(config):
    talk = Talk(limit=7)
    wide = talk.front.console = Console(file=io.StringIO(), width=200, highlight=False)
    lines = talk.type(":set min_score 0.2", ":set").front.printed.splitlines()
    assert wide.file.getvalue().count("\n") > 10
    rows = {line.split()[0]: line.split()[1:] for line in lines[1:]}
    assert rows["results"][:2] == ["7", "config.toml"]
    assert rows["min_score"][:3] == ["0.2", "this", "prompt"]
    assert rows["device"][:2] == ["auto", "default"]
    assert "changes for now" in talk.front.notes[-1]


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        (":set resluts 5", "there is no setting 'resluts'", "did you mean results?"),
        (":set pre x", "there is no setting 'pre'", "did you mean precision or prewarm or previews?"),
        (
            ":set results none",
            "results takes a whole number from 1 to 10,000, not 'none'",
            "results: results per search",
        ),
        (":set keys nano", "keys takes emacs or vi, not 'nano'", "keys: keys at the prompt"),
        (":set roots x", "roots: 'x' isn't NAME=FOLDER", "roots: where"),
        (":set roots archive=/mnt", "roots can't change", "photomap config set roots archive=/mnt"),
        (":set device cpu", "device can't change while photomap is running", "photomap config set device cpu"),
    ],
)
def test_set_refuses_with_a_way_out(config, line, message, hint):
    refusal = Talk().refusal(line)
    assert message in refusal.message
    assert hint in refusal.hint


def test_what_a_command_does_not_take_is_refused_not_ignored():
    refusal = Talk().refusal(":more 3")
    assert (refusal.message, refusal.hint) == (
        ":more takes no arguments",
        "leave out the colon to search for it: more 3",
    )


@pytest.mark.parametrize(("width", "about"), [(80, True), (40, False)])
def test_set_shows_names_whole_in_a_narrow_terminal_too(config, width, about):
    talk = Talk()
    talk.front.console = Console(file=io.StringIO(), width=width, highlight=False)
    printed = talk.type(":set").front.printed
    assert "…" not in printed
    assert ("  encoder_release_timeout_seconds" in printed, "never" in printed) == (about, about)


@pytest.mark.parametrize("line", [":quit", ":q", "exit", "quit"])
def test_quit_leaves(line):
    with pytest.raises(registry.Quit):
        Talk().type(line)


def test_folders_and_files_are_meant_in_whatever_form_they_are_typed(tmp_path):
    there = tmp_path / unicodedata.normalize("NFD", "Été")
    there.mkdir()
    talk = Talk(cwd=tmp_path).type("dog", ":in Été", ":save Été/dogs.txt")
    assert talk.state.folder == str(there)
    assert [each.name for each in there.iterdir()] == ["dogs.txt"]
    assert "overwrites it" in talk.refusal(":save Été/dogs.txt").hint


# -- a search without results -----------------------------------------------------------------------------------------


def nothing_for_cats(request):
    return make_result(0 if "cat" in request.text else min(5, request.limit), query=request.text)


def test_results_shown_stay_when_a_search_finds_nothing():
    talk = Talk(FakeBackend(answer=nothing_for_cats), pages_ahead=1).type("dog", "cat")
    assert talk.front.pages == [([1, 2, 3], True), ([], False)]
    assert talk.front.notes == ['#1 to #3 are still the results of "dog"']
    assert [hit.rank for hit in arguments.hits(talk.state, "1-3")] == [1, 2, 3]
    assert talk.state.shown_result().query == "dog"
    talk.type(":more")
    assert talk.front.pages[-1] == ([4, 5], False)
    talk.type("more 2")
    assert talk.backend.requests[-1].text == "dog + 0.5:./photo-002.jpg"
    talk.type("#3 + cat", ":again")
    assert talk.backend.requests[-1].text == "#3 + cat"
    assert talk.backend.requests[-1].references[2] == "/photos/photo-003.jpg"


def test_a_first_search_without_results_has_none():
    talk = Talk(FakeBackend(answer=nothing_for_cats)).type("cat")
    assert talk.front.notes == []
    assert talk.refusal(":open 1").hint == "the last search found nothing"
    assert talk.type(":more").front.notes == ["no more results"]


def test_that_the_whole_library_is_searched_is_told_once_and_again_when_it_is_so_again():
    def answer(request):
        is_elsewhere = request.folder is None
        notices = (*(["elsewhere"] if is_elsewhere else []), f"about {request.text}")
        return make_result(1, query=request.text, notices=notices, searched_elsewhere=is_elsewhere)

    talk = Talk(FakeBackend(answer=answer)).type("a", "b", ":in *", "c", ":in", "d", "e")
    told = ["elsewhere", "about a", "about b", "about c", "elsewhere", "about d", "about e"]
    assert [note for note in talk.front.notes if not note.startswith("searching")] == told
