"""Results taken elsewhere: the desktop, the clipboard, a file."""

import base64
import csv
import io
import json
import subprocess
import sys
from dataclasses import replace

import pytest
from fake_conversation import Talk
from rich.console import Console
from terminal_fakes import FakeBackend, make_hit, make_result
from waiting import LONG_SECONDS

from photomap_cli.errors import BadPath, UsageError
from photomap_cli.repl.commands import clipboard, desktop


@pytest.fixture
def photos(tmp_path):
    """Three photos that are there."""
    for number in (1, 2, 3):
        (tmp_path / f"photo {number}.jpg").touch()
    return tmp_path


@pytest.fixture
def talk(photos):
    hits = tuple(make_hit(number, str(photos / f"photo {number}.jpg")) for number in (1, 2, 3))
    return Talk(FakeBackend(answer=lambda request: replace(make_result(), hits=hits)), cwd=photos).type("dog")


def on_a_terminal(talk):
    talk.front.console = Console(file=io.StringIO(), force_terminal=True, width=40)
    return talk


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """No desktop, no programs, no multiplexer."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION", "TMUX", "STY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(clipboard, "TIMEOUT_SECONDS", LONG_SECONDS)
    monkeypatch.setattr(desktop, "MANAGER_SECONDS", LONG_SECONDS)
    (tmp_path / "bin").mkdir()
    return tmp_path / "bin"


def install(folder, name, script):
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


# -- numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [("2", "2"), ("#3", "3"), ("1 3", "13"), ("1,3", "13"), ("1-3", "123"), ("3-1", "123"), ("2-99", "23")],
)
def test_results_by_number(talk, nowhere, typed, numbers):
    on_a_terminal(talk).type(f":copy {typed}")
    copied = base64.b64decode(talk.front.printed.split(";")[2].split("\a")[0]).decode()
    assert "".join(line[-5] for line in copied.splitlines()) == numbers


@pytest.mark.parametrize("typed", ["0", "4", "x", "-1", "3-x", "5-9", "²"])
def test_numbers_that_are_none(talk, typed):
    assert talk.refusal(f":open {typed}").hint


# -- the desktop -----------------------------------------------------------------------------------------------------


def test_open_and_reveal_hand_the_photo_to_the_desktop(talk, photos, monkeypatch):
    opened = []
    monkeypatch.setattr(desktop, "why_no_desktop", lambda platform, environment: "")
    monkeypatch.setattr(desktop, "open_photo", lambda path: opened.append(("open", path)))
    monkeypatch.setattr(desktop, "reveal_photo", lambda path: opened.append(("reveal", path)))
    talk.type(":open 1 #3", ":reveal 2")
    first, second, third = (str(photos / f"photo {number}.jpg") for number in (1, 2, 3))
    assert opened == [("open", first), ("open", third), ("reveal", second)]
    assert talk.front.notes == [f"opened {first}", f"opened {third}", f"shown in its folder: {second}"]
    assert "which result" in talk.refusal(":open").message
    assert "search for something first" in Talk().refusal(":o 1").hint
    (photos / "photo 1.jpg").unlink()
    assert "no longer there" in talk.refusal(":open 1").message


@pytest.mark.parametrize("command", [":open 1", ":reveal 1"])
def test_over_ssh_the_link_is_printed(talk, photos, nowhere, monkeypatch, command):
    monkeypatch.setenv("SSH_CONNECTION", "x")
    with pytest.raises(UsageError, match=r"no desktop over ssh: .*photo 1\.jpg"):
        talk.type(command)
    on_a_terminal(talk).type(command)
    assert talk.front.notes == ["no desktop over ssh; path:"]
    assert "\x1b]8;" in talk.front.printed
    assert f"{photos}/photo%201.jpg\x1b\\" in talk.front.printed


@pytest.mark.parametrize(
    ("platform", "environment", "reason"),
    [
        ("linux", {"DISPLAY": ":0"}, ""),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0", "SSH_CONNECTION": "x"}, ""),
        ("linux", {"SSH_CONNECTION": "x"}, "no desktop over ssh"),
        ("linux", {}, "no desktop here"),
        ("darwin", {}, ""),
        ("darwin", {"SSH_CONNECTION": "x"}, "no desktop over ssh"),
        ("win32", {}, ""),
    ],
)
def test_where_there_is_a_desktop(platform, environment, reason):
    assert desktop.why_no_desktop(platform, environment) == reason


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
    assert viewer.wait(LONG_SECONDS) == 0
    assert (tmp_path / "opened").read_text() == f"{photo}\n"


def test_a_missing_opener_is_named(tmp_path, monkeypatch):
    photo = tmp_path / "a.jpg"
    photo.touch()
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="is not installed"):
        desktop.open_photo(str(photo))


def test_the_file_manager_selects_the_photo_or_shows_its_folder(photos, nowhere, monkeypatch):
    started = []
    monkeypatch.setattr(desktop, "_start_detached", started.append)
    install(nowhere, "xdg-open", "")
    install(nowhere, "dbus-send", f'echo "$6" > {photos}/asked; test ! -e {photos}/no-manager')
    desktop.reveal_photo(str(photos / "photo 1.jpg"))
    assert (photos / "asked").read_text() == f"array:string:file://{photos}/photo%201.jpg\n"
    assert started == []
    (photos / "no-manager").touch()
    desktop.reveal_photo(str(photos / "photo 1.jpg"))
    assert started == [[str(nowhere / "xdg-open"), str(photos)]]


# -- the clipboard ---------------------------------------------------------------------------------------------------


def test_copy_goes_through_the_terminal_as_the_bytes_of_the_paths(nowhere):
    backend = FakeBackend(answer=lambda request: replace(make_result(), hits=(make_hit(1, "/\udcff.jpg"),)))
    talk = on_a_terminal(Talk(backend)).type("dog", ":copy")
    assert talk.front.printed == f"\x1b]52;c;{base64.b64encode(b'/' + bytes([255]) + b'.jpg').decode()}\a"
    assert talk.front.notes == ["copied /\\xff.jpg (via the terminal, OSC 52)"]


def test_copy_without_numbers_takes_what_is_shown_and_needs_a_terminal(talk, nowhere):
    assert talk.refusal(":copy").hint == ":paths prints them"
    assert on_a_terminal(talk).type(":copy").front.notes == ["copied 3 paths (via the terminal, OSC 52)"]
    assert "no results" in on_a_terminal(Talk()).refusal(":copy").message


PLAIN = "\x1b]52;c;eA==\a"


@pytest.mark.parametrize(
    ("environment", "sent"),
    [
        ({"TERM": "xterm"}, PLAIN),
        ({"TERM": "tmux-256color"}, PLAIN + "\x1bPtmux;\x1b\x1b]52;c;eA==\a\x1b\\"),
        ({"TERM": "screen", "STY": "1.pts"}, f"\x1bP{PLAIN}\x1b\\"),
    ],
)
def test_what_the_terminal_is_sent(environment, sent):
    assert clipboard.sequence(b"x", environment) == sent


def test_screen_gets_short_pieces():
    pieces = clipboard.sequence(b"x" * 1000, {"STY": "1"}).split("\x1b\\")
    assert len(pieces) > 5
    assert all(len(piece) < 256 for piece in pieces)


def test_the_desktops_own_program_is_preferred_but_not_over_ssh(nowhere, tmp_path):
    install(nowhere, "wl-copy", f"/bin/cat > {tmp_path}/copied")
    where = {"WAYLAND_DISPLAY": "wayland-0", "TERM": "xterm"}
    out = io.StringIO()
    assert clipboard.copy("/a b.jpg", out, platform="linux", environment=where) == "wl-copy"
    assert ((tmp_path / "copied").read_text(), out.getvalue()) == ("/a b.jpg", "")
    over_ssh = clipboard.copy("x", out, platform="linux", environment={**where, "SSH_CONNECTION": "x"})
    assert (over_ssh, out.getvalue()) == ("the terminal, OSC 52", PLAIN)


def test_a_program_that_fails_is_passed_over_and_tmux_is_asked(nowhere, tmp_path):
    install(nowhere, "xclip", "exit 1")
    install(nowhere, "tmux", f"echo $* > {tmp_path}/asked; /bin/cat > {tmp_path}/buffer")
    out = io.StringIO()
    way = clipboard.copy("x", out, platform="linux", environment={"DISPLAY": ":0", "TMUX": "/tmp/x,1,0"})
    assert (way, out.getvalue()) == ("tmux and its terminal", "")
    assert ((tmp_path / "asked").read_text(), (tmp_path / "buffer").read_text()) == ("load-buffer -w -\n", "x")


def test_too_much_for_a_terminal_is_refused():
    with pytest.raises(UsageError) as caught:
        clipboard.copy("x" * 80_000, io.StringIO(), platform="linux", environment={})
    assert caught.value.hint == ":save FILE.txt"


# -- files -----------------------------------------------------------------------------------------------------------


def test_save_json_is_what_search_json_prints(talk, photos):
    talk.type(":save dogs.json")
    record = json.loads((photos / "dogs.json").read_text())
    assert (record["version"], record["query"], record["count"]) == (1, "dog", 3)
    assert [hit["path"] for hit in record["hits"]] == list(talk.state.references)
    assert talk.front.notes == [f"3 photos saved to {photos}/dogs.json"]


def test_save_csv_and_txt(talk, photos):
    talk.type(':save "my dogs.CSV"', f":w {photos}/dogs.txt", ":save 'my dogs.txt'")
    with (photos / "my dogs.CSV").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == list(talk.state.references)
    assert list(rows[0]) == ["rank", "score", "path", "taken_at", "width", "height"]
    for name in ("dogs.txt", "my dogs.txt"):
        assert (photos / name).read_text().splitlines() == list(talk.state.references)


@pytest.mark.parametrize("name", ["a\rb", "a\nb", "a\r\nb", 'a"b', "a,b", " a", "\r"])
def test_any_name_comes_back_from_csv(tmp_path, name):
    backend = FakeBackend(answer=lambda request: replace(make_result(), hits=(make_hit(1, f"/{name}.jpg"),)))
    Talk(backend, cwd=tmp_path).type("dog", ":save x.csv")
    with (tmp_path / "x.csv").open(newline="") as file:
        assert [row["path"] for row in csv.DictReader(file)] == [f"/{name}.jpg"]


def test_save_keeps_the_bytes_of_a_name(tmp_path):
    backend = FakeBackend(answer=lambda request: replace(make_result(), hits=(make_hit(1, "/\udcff.jpg"),)))
    Talk(backend, cwd=tmp_path).type("dog", ":save x.txt", ":save x.csv")
    assert (tmp_path / "x.txt").read_bytes() == b"/\xff.jpg\n"
    assert b"/\xff.jpg" in (tmp_path / "x.csv").read_bytes()


def test_save_writes_over_nothing_unless_told(talk, photos):
    (photos / "dogs.txt").write_text("precious")
    refusal = talk.refusal(":save dogs.txt")
    assert (type(refusal), refusal.hint) == (BadPath, ":save -f dogs.txt overwrites it")
    assert talk.refusal(f":save {photos}/dogs.txt").hint == f":save -f {photos}/dogs.txt overwrites it"
    assert (photos / "dogs.txt").read_text() == "precious"
    talk.type(":save -f dogs.txt")
    assert (photos / "dogs.txt").read_text().count("photo") >= 3


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (":save", "which file"),
        (":save -f", "which file"),
        (":save dogs", "can't save without an ending"),
        (":save dogs.docx", "can't save as .docx"),
        (":save nowhere/dogs.txt", "cannot be written: No such file"),
        (":save photo 1.jpg/dogs.txt", "cannot be written: Not a directory"),
        (f":save {'x' * 300}.txt", "cannot be written: File name too long"),
    ],
)
def test_save_refuses_with_a_reason(talk, photos, line, message):
    before = sorted(photos.iterdir())
    assert message in talk.refusal(line).message
    assert sorted(photos.iterdir()) == before


def test_save_needs_results():
    assert "search for something first" in Talk().refusal(":save x.txt").hint
    empty = Talk(FakeBackend(answer=lambda request: make_result(0))).type("dog")
    assert empty.refusal(":save x.txt").hint == empty.refusal(":show 1").hint == "the last search found nothing"


# -- plain paths -----------------------------------------------------------------------------------------------------


def test_paths_are_raw_in_a_pipe_and_harmless_on_a_terminal():
    backend = FakeBackend(answer=lambda request: replace(make_result(), hits=(make_hit(1, "/a\x1b[31m.jpg"),)))
    talk = Talk(backend).type("dog", ":paths")
    assert talk.front.printed == "/a\x1b[31m.jpg\n"
    shown = Talk(backend)
    shown.front.console = Console(file=io.StringIO(), force_terminal=True, width=20)
    assert shown.type("dog", ":paths").front.printed == "/a\\e[31m.jpg\n"


def test_a_folder_is_no_file_to_save_into(tmp_path):
    (tmp_path / "dogs.html").mkdir()
    for line in (":save dogs.html", ":save -f dogs.html"):
        refused = Talk(cwd=tmp_path).type("dog").refusal(line)
        assert (refused.message, refused.hint) == (f"{tmp_path / 'dogs.html'} is a folder", "name a file in it")
