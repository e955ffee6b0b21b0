"""The gallery on a real pseudo-terminal: what the eye sees, what a pipe gets, and how the terminal is left."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import termios
import time
from pathlib import Path
from random import Random

import pytest
from waiting import LONG_SECONDS

pytest.importorskip("pexpect")
pytest.importorskip("pyte")

import pexpect
import pyte
from pseudo_terminal import Emulator, environment, hang_up_as_usual
from torture import IS_LONG

from photomap_cli.browse.keys import BINDINGS

pytestmark = pytest.mark.terminal

HERE = Path(__file__).parent
FAKE = shlex.join([sys.executable, str(HERE / "fake_browse.py")])
TYPED = {
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "enter": "\r",
    "space": " ",
    "tab": "\t",
    "c-l": "\x0c",
}


class Gallery(Emulator):
    """A shell line that shows the gallery; the terminal answers what it is asked."""

    def __init__(self, folder, line, *, columns=80, rows=24, **variables):
        super().__init__(pyte.Screen(columns, rows))
        home = {name: str(folder / "home") for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}
        path = os.pathsep.join([str(HERE), str(HERE.parent), str(HERE.parents[1])])
        self.child = pexpect.spawn(
            "/bin/sh",
            ["-c", line],
            env=environment(**{"PYTHONPATH": path, **home, **variables}),
            dimensions=(rows, columns),
            cwd=str(folder),
            preexec_fn=hang_up_as_usual,
        )
        self.child.delaybeforesend = None

    @property
    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display)

    def type(self, *keys):
        self.child.send("".join(TYPED.get(key, key) for key in keys))

    def press_escape(self):
        self.child.send("\x1b")

    def see(self, words):
        end = time.monotonic() + LONG_SECONDS
        while words not in self.text:
            alive = self.read()
            assert time.monotonic() < end, f"not seen: {words}\n{self.text}"
            assert alive or words in self.text, f"ended before: {words}\n{self.text}"

    def end(self):
        """Wait for the end; return the exit status of the line."""
        while self.read():
            pass
        self.child.wait() if self.child.isalive() else None
        self.child.close()
        return self.child.exitstatus if self.child.exitstatus is not None else -self.child.signalstatus

    def close(self):
        if not self.child.closed:
            self.child.kill(signal.SIGKILL)
            self.child.close()


@pytest.fixture
def gallery(tmp_path):
    (tmp_path / "home").mkdir()
    shown = []

    def show(line, **options):
        shown.append(Gallery(tmp_path, line, **options))
        return shown[-1]

    yield show
    for each in shown:
        each.close()


@pytest.mark.parametrize(("columns", "rows"), [(120, 40), (80, 24), (50, 20)])
def test_everything_newest_first_with_its_captions(gallery, columns, rows):
    shown = gallery(f"{FAKE} browse", columns=columns, rows=rows)
    shown.see("photo-002.jpg")
    shown.see("200+ photos")
    shown.see("RAM 12 MB")
    shown.see("Esc photos" if columns > 50 else "⏎ search")
    assert ("2023-06-02 photo-001.jpg" in shown.text) == (columns < 120)  # a date goes before a name is cut
    shown.press_escape()
    shown.see("? keys")
    shown.type("q")
    assert shown.end() == 0


def test_what_is_typed_is_searched_for_and_enter_is_not_needed(gallery):
    shown = gallery(f"{FAKE} browse")
    shown.see("photo-002.jpg")
    shown.type("dog")
    shown.see("1 .400 photo-500.jpg")
    shown.type(" bad:")
    shown.see("dog bad:")
    shown.see("photo-500.jpg")
    assert "there is no filter" not in shown.text
    shown.type("enter")
    shown.see("there is no filter bad")
    shown.type("\x7f" * 5, "enter")
    shown.see("40 photos")
    shown.type("q")
    assert shown.end() == 0


def test_what_was_marked_is_what_a_pipe_gets(gallery, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("a b.jpg", "c.jpg", "é.jpg", "z.jpg"):
        (photos / name).write_text(name)
    there = {"FAKE_FOLDER": str(photos), "FAKE_PHOTOS": "4"}
    frames = tmp_path / "frames"
    frames.mkdir()
    shown = gallery(f"{FAKE} browse --print0 | xargs -0 cp -t {frames}; echo status=$?", **there)
    shown.see("z.jpg")
    shown.type("down", "space", "right", "right", "space")
    shown.see("● 2 marked")
    shown.type("q")
    shown.see("status=0")
    assert sorted(path.name for path in frames.iterdir()) == ["a b.jpg", "z.jpg"]


def test_cp_takes_what_is_chosen(gallery, tmp_path):
    photos, frames = tmp_path / "photos", tmp_path / "frames"
    photos.mkdir(), frames.mkdir()
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (photos / name).write_text(name)
    there = {"FAKE_FOLDER": str(photos), "FAKE_PHOTOS": "3"}
    shown = gallery(f'cp -t {frames} $({FAKE} browse "birthday cake"); echo status=$?', **there)
    shown.see("birthday cake")
    shown.see("1 .400 c.jpg")
    shown.type("right", "space")
    shown.see("● 2 .399 b.jpg")
    shown.type("enter")
    shown.see("2 of")
    shown.type("q")
    shown.see("status=0")
    assert [path.name for path in frames.iterdir()] == ["b.jpg"]


@pytest.mark.parametrize(
    ("leave", "status", "chosen"),
    [
        ("q", 1, ""),
        ("\x1b", 130, ""),
        (" \x1b", 130, ""),
        ("\x03", 130, ""),
        (" q", 0, "/photos/photo-500.jpg"),
        ("\r\r", 0, "/photos/photo-500.jpg"),
    ],
)
def test_exit_statuses_of_a_choice(gallery, tmp_path, leave, status, chosen):
    shown = gallery(f"{FAKE} browse dog > {tmp_path}/chosen; echo status=$?")
    shown.see("photo-500.jpg")
    shown.see("? keys")
    for key in leave:
        shown.type(key)
        shown.pump(0.2)
    shown.see(f"status={status}")
    assert (tmp_path / "chosen").read_text().strip() == chosen


def test_keys_come_from_the_terminal_where_standard_input_is_something_else(gallery, tmp_path):
    shown = gallery(f"echo nothing | {FAKE} browse dog > {tmp_path}/chosen; echo status=$?")
    shown.see("photo-500.jpg")
    shown.type("space")
    shown.see("1 marked")
    shown.type("q")
    shown.see("status=0")
    assert (tmp_path / "chosen").read_text() == "/photos/photo-500.jpg\n"


def test_without_a_terminal_it_is_refused_in_one_line(tmp_path):
    import subprocess

    path = os.pathsep.join([str(HERE), str(HERE.parent), str(HERE.parents[1])])
    done = subprocess.run(
        [sys.executable, str(HERE / "fake_browse.py"), "browse"],
        env=environment(PYTHONPATH=path, HOME=str(tmp_path)),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        timeout=LONG_SECONDS,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no terminal here" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_dumb_terminal_is_told_what_else_there_is(gallery):
    shown = gallery(f"{FAKE} browse", TERM="dumb")
    assert shown.end() == 2
    assert b"TERM is dumb" in shown.raw


def test_a_folder_that_is_none_is_refused_before_the_whole_screen(gallery):
    shown = gallery(f"{FAKE} browse --in nowhere")
    assert shown.end() == 2
    assert b"isn't a folder" in shown.raw
    assert b"hint: give a folder of the library" in shown.raw


def test_without_colour_no_colour_is_written(gallery):
    shown = gallery(f"{FAKE} browse", NO_COLOR="1")
    shown.see("photo-002.jpg")
    shown.type("dog", "enter")
    shown.see("photo-500.jpg")
    assert b"38;" not in shown.raw
    assert b"48;" not in shown.raw


def is_sane(shown):
    """The terminal echoes again, its screen is the first one, and the mouse is the terminal's own."""
    modes = termios.tcgetattr(shown.child.child_fd)[3]
    last = {
        mode: shown.raw.rfind(f"\x1b[?{mode}l".encode()) > shown.raw.rfind(f"\x1b[?{mode}h".encode())
        for mode in (1049, 1000, 1006)
    }
    return bool(modes & termios.ECHO and modes & termios.ICANON) and all(last.values())


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_signal_leaves_the_terminal_as_it_was(gallery, tmp_path, number, status):
    shown = gallery(f"{FAKE} browse dog > {tmp_path}/chosen; echo status=$?")
    shown.see("photo-500.jpg")
    children = Path(f"/proc/{shown.child.pid}/task/{shown.child.pid}/children").read_text().split()
    os.kill(int(children[0]), number)
    shown.see(f"status={status}")
    assert is_sane(shown)


def test_another_size_is_drawn_anew(gallery):
    shown = gallery(f"{FAKE} browse", columns=120, rows=40)
    shown.see("photo-020.jpg")
    for columns, rows, last in ((50, 20, "photo-004.jpg"), (15, 5, "needs 20x7"), (80, 24, "photo-006.jpg")):
        shown.screen.resize(rows, columns)
        shown.child.setwinsize(rows, columns)
        shown.see(last)
    shown.type("\x1b")
    shown.see("? keys")


def test_the_prompt_has_the_gallerys_results_and_marks(gallery):
    shown = gallery(f"{FAKE}; echo status=$?")
    shown.see("RAM 12 MB")
    shown.type("dog", "enter")
    shown.see("photo-500.jpg")
    shown.type(":browse", "enter")
    shown.see("? keys")
    shown.see("40 photos")
    shown.type("right", "space")
    shown.see("● 1 marked")
    shown.type("/", "\x15", "cat", "enter")
    shown.see("cat ")
    shown.type("space")
    shown.see("● 2 marked")
    shown.type("q")
    shown.see("2 marked")
    shown.see("photomap>")
    shown.type(":mark", "enter")
    shown.see("#2   /photos/photo-499.jpg")
    shown.type("\x04")
    shown.see("status=0")
    assert is_sane(shown)


NO_KEYS = {
    "q",
    "escape",
    "o",
    "d",
    "Y",
    "y",
    "space",
    "a",
    "v",
    "c-b",
    "c-f",
}  # that leave, reach outside, or mark


@pytest.mark.parametrize("seed", range(100 if IS_LONG else 5))
def test_200_keys_in_any_order_on_a_terminal(gallery, seed):
    """No crash, no mark that nobody set, no process left behind, and the terminal is whole."""
    random = Random(seed)
    keys = [key for binding in BINDINGS for key in binding.keys if key not in NO_KEYS]
    shown = gallery(f"{FAKE} browse dog; echo status=$?")
    shown.see("photo-500.jpg")
    shown.type("space")
    shown.see("● 1 marked")
    for _ in range(20):
        shown.type(*random.choices([*keys, "tab", "c-l"], k=10))
        shown.pump(0.02)
    (process,) = Path(f"/proc/{shown.child.pid}/task/{shown.child.pid}/children").read_text().split()
    while "status=" not in shown.text:  # out of questions and pages, then out
        shown.press_escape()
        assert shown.pump(0.2) or "status=" in shown.text
    shown.see("status=0")
    assert is_sane(shown)
    assert [line for line in shown.text.split("\n") if line.startswith("/")] in ([], ["/photos/photo-500.jpg"])
    assert "Traceback" not in shown.text
    assert not Path(f"/proc/{process}").exists()
