import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from terminal_fakes import CPU, VRAM, FakeBackend, make_hit, make_result

from photomap_cli.errors import PhotomapError, UsageError
from photomap_cli.terminal import commands, desktop
from photomap_cli.terminal.connection import Connection
from photomap_cli.terminal.dialogue import Dialogue, like_as_reference


class FakeFront:
    """Keeps what it is shown."""

    def __init__(self):
        self.console = Console(file=io.StringIO(), width=100, highlight=False)
        self.pages, self.notes, self.lines = [], [], []

    def show(self, page, *, more):
        self.pages.append(([hit.rank for hit in page.hits], more))

    def tell(self, note):
        self.notes.append(note)

    def wait(self, work):
        return work()

    def past(self):
        return self.lines

    @property
    def printed(self):
        return self.console.file.getvalue()


class Talk:
    """A conversation to type lines into."""

    def __init__(self, backend=None, *, limit=3, pages_ahead=2, cwd=Path("/photos")):
        self.backend, self.front = backend or FakeBackend(), FakeFront()
        self.dialogue = Dialogue(
            Connection(lambda: self.backend), self.front, cwd=cwd, limit=limit, pages_ahead=pages_ahead
        )

    def type(self, *lines):
        for line in lines:
            commands.answer(self.dialogue, line)
        return self

    def refusal(self, line):
        with pytest.raises(PhotomapError) as caught:
            self.type(line)
        return caught.value


# -- the table -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
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
        ("l", "load"),
    ],
)
def test_names_aliases_and_unique_prefixes(word, name):
    assert commands.find(word).name == name


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
        commands.find(word)
    assert caught.value.hint == hint


def test_names_and_aliases_are_unique():
    words = [word for command in commands.COMMANDS for word in (command.name, *command.aliases)]
    assert len(words) == len(set(words))


@pytest.mark.parametrize("line", ["?", "exit", "quit", "EXIT", ":anything"])
def test_lines_that_are_commands(line):
    assert commands.is_command(line)


@pytest.mark.parametrize("line", ["help", "quit smoking", "what?", "dog :k"])
def test_lines_that_are_queries(line):
    assert not commands.is_command(line)


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
    assert len(talk.dialogue.references) == 11


def test_more_without_a_search_says_so():
    assert "nothing to show" in Talk().refusal(":more").message


def test_k_changes_the_page():
    talk = Talk().type(":k 5", "dog", ":k")
    assert talk.front.pages == [([1, 2, 3, 4, 5], True)]
    assert talk.front.notes == ["5 results a page", "5 results a page"]


@pytest.mark.parametrize("line", [":k 0", ":k -1", ":k many", ":k 99999", ":k ²", ":k " + "9" * 5000])
def test_k_refuses_what_is_no_page(line):
    talk = Talk()
    assert "not a number from 1" in talk.refusal(line).message
    assert talk.dialogue.limit == 3


def test_again_repeats_with_the_references_of_then():
    talk = Talk().type("dog", "#2", ":k 4", ":again")
    _, second, third = talk.backend.requests
    assert third == replace(second, limit=8)
    assert "no query" in Talk().refusal(":again").message


def test_a_failed_query_keeps_the_last_results():
    talk = Talk().type("dog")
    talk.backend._answer = lambda request: 1 / 0
    with pytest.raises(ZeroDivisionError):
        talk.type("cat")
    assert len(talk.dialogue.references) == 3


def test_notices_are_told():
    talk = Talk(FakeBackend(answer=lambda request: make_result(1, notices=("answered from RAM",)))).type("dog")
    assert talk.front.notes == ["answered from RAM"]


# -- the rest --------------------------------------------------------------------------------------------------------


def test_in_sets_the_folder_of_later_queries(tmp_path):
    (tmp_path / "My Photos").mkdir()
    talk = Talk(cwd=tmp_path)
    folders = []
    for line in (':in "My Photos"', ":in My Photos", ":in *", ":in"):
        talk.type(line, "dog")
        folders.append(talk.backend.requests[-1].folder)
    assert folders == [str(tmp_path / "My Photos")] * 2 + ["*", None]
    assert "is no folder" in talk.refusal(":in nowhere").message


@pytest.mark.parametrize(
    ("line", "seconds", "told"),
    [
        (":timeout 60", 60, "offloads 60 s after the last query"),
        (":timeout 5m", 300, "offloads 5 min after the last query"),
        (":timeout off", 0, "never offloads"),
        (":timeout 0", 0, "never offloads"),
    ],
)
def test_timeout_reaches_the_backend(line, seconds, told):
    talk = Talk().type(line)
    assert talk.backend.calls == [f"timeout {seconds:g}"]
    assert talk.front.notes == [told]


@pytest.mark.parametrize("line", [":timeout -5", ":timeout soon", ":timeout nan"])
def test_timeout_refuses_with_the_reason(line):
    talk = Talk()
    assert talk.refusal(line).hint == ":timeout [SECONDS|5m|off]"
    assert talk.backend.calls == []


def test_timeout_alone_tells_it():
    assert Talk().type(":timeout").front.notes == ["offloads 30 s after the last query"]


def test_offload_load_and_status():
    talk = Talk(FakeBackend(status=VRAM)).type(":offload", ":load", ":status")
    assert talk.backend.calls == ["offload", "load"]
    assert talk.front.notes == ["● VRAM 352 MB · offloads in 18 s"] * 2
    assert "12,034 photos" in talk.front.printed
    assert Talk(FakeBackend(status=CPU)).type(":offload").front.notes == [
        "● RAM 12 MB cpu · nothing to offload: CPU; released in 10 min"
    ]


def test_paths_are_raw_in_a_pipe_and_harmless_on_a_terminal():
    backend = FakeBackend(answer=lambda request: replace(make_result(), hits=(make_hit(1, "/a\x1b[31m.jpg"),)))
    talk = Talk(backend).type("dog", ":paths")
    assert talk.front.printed == "/a\x1b[31m.jpg\n"
    shown = Talk(backend)
    shown.front.console = Console(file=io.StringIO(), force_terminal=True, width=20)
    assert shown.type("dog", ":paths").front.printed == "/a\\e[31m.jpg\n"


def test_history_shows_the_latest_that_match_once_each():
    talk = Talk()
    talk.front.lines = ["dog", "cat", "hot dog", "dog"]
    assert talk.type(":history DOG").front.printed.split("\n") == ["  hot dog", "  dog", ""]
    assert talk.type(":history zebra").front.notes == ["no such query yet"]


def test_help_lists_every_command_or_explains_one():
    everything = Talk().type(":help").front.printed
    assert all(command.synopsis in everything and command.summary in everything for command in commands.COMMANDS)
    one = Talk().type(":help off").front.printed
    assert one.strip() == ":offload  take the encoder out of VRAM now"


@pytest.mark.parametrize("line", [":quit", ":q", "exit", "quit"])
def test_quit_leaves(line):
    with pytest.raises(commands.Leave):
        Talk().type(line)


# -- the desktop -----------------------------------------------------------------------------------------------------


def test_open_hands_the_photo_to_the_desktop(monkeypatch):
    opened = []
    monkeypatch.setattr(desktop, "open_photo", opened.append)
    talk = Talk().type("dog", ":open 1 #3")
    assert opened == ["/photos/photo-001.jpg", "/photos/photo-003.jpg"]
    assert "no result 4" in talk.refusal(":open 4").message
    assert "not the number" in talk.refusal(":open x").message
    assert "which result" in talk.refusal(":open").message
    assert "search for something first" in Talk().refusal(":o 1").hint


@pytest.mark.parametrize(
    ("platform", "environment", "reason"),
    [
        ("linux", {"DISPLAY": ":0"}, ""),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0", "SSH_CONNECTION": "x"}, ""),
        ("linux", {"SSH_CONNECTION": "x"}, "no display over ssh"),
        ("linux", {}, "no display here"),
        ("darwin", {}, ""),
        ("darwin", {"SSH_CONNECTION": "x"}, "no display over ssh"),
        ("win32", {}, ""),
    ],
)
def test_where_there_is_a_desktop(platform, environment, reason):
    assert desktop.why_no_desktop(platform, environment) == reason


def test_over_ssh_the_path_is_told(tmp_path, monkeypatch):
    photo = tmp_path / "a.jpg"
    photo.touch()
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("SSH_CONNECTION", "x")
    with pytest.raises(UsageError, match=r"no display over ssh: .*a\.jpg"):
        desktop.open_photo(str(photo))
    with pytest.raises(PhotomapError, match="no longer there"):
        desktop.open_photo(str(tmp_path / "gone.jpg"))


@pytest.mark.skipif(sys.platform != "linux", reason="xdg-open is Linux's")
def test_the_viewer_is_started_detached_and_collected(tmp_path, monkeypatch):
    photo = tmp_path / "a b.jpg"
    photo.touch()
    opener = tmp_path / "xdg-open"
    opener.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setenv("DISPLAY", ":0")
    started = []

    class Noted(subprocess.Popen):
        def __init__(self, *arguments, **settings):
            super().__init__(*arguments, **settings)
            started.append((self, settings["start_new_session"]))

    monkeypatch.setattr(subprocess, "Popen", Noted)
    desktop.open_photo(str(photo))
    (viewer, is_detached), *_ = started
    assert is_detached
    assert viewer.wait(10) == 0
    assert (tmp_path / "opened").read_text() == f"{photo}\n"


def test_a_missing_opener_is_named(tmp_path, monkeypatch):
    photo = tmp_path / "a.jpg"
    photo.touch()
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="is not installed"):
        desktop.open_photo(str(photo))
