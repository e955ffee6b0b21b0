"""A smoke test, and photos, in a real terminal multiplexer, which scrolls, resizes and answers by itself."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from waiting import LONG_SECONDS

pytest.importorskip("pexpect")
pytest.importorskip("pyte")

import pyte
from picture_decoders import pixels_on
from pseudo_terminal import Clock, command, environment
from terminal_fakes import colour_of, make_hit

pytestmark = [
    pytest.mark.terminal,
    pytest.mark.skipif(not shutil.which("tmux"), reason="no tmux to run the prompt in: apt-get install tmux"),
]


class Tmux:
    def __init__(self, folder):
        self._call = ["tmux", "-S", str(folder / "socket"), "-f", os.devnull]
        self.server = subprocess.Popen([*self._call, "-D"], env=environment(), stdin=subprocess.DEVNULL)

    def run(self, *arguments):
        # Its environment counts too, if it comes before the server; a C library may have put COLUMNS into ours.
        return subprocess.run([*self._call, *arguments], env=environment(), capture_output=True, text=True, check=False)

    def wait(self, pattern, *arguments):
        """Repeat a command until its output matches."""
        end = time.monotonic() + LONG_SECONDS
        while time.monotonic() < end:
            done = self.run(*arguments)
            if done.returncode == 0 and re.search(pattern, done.stdout):
                return done.stdout
            time.sleep(0.05)
        raise AssertionError(f"not seen: {pattern}\n{done.stdout}{done.stderr}")

    def see(self, pattern):
        return self.wait(pattern, "capture-pane", "-p", "-t", "prompt")

    def type(self, *keys):
        self.run("send-keys", "-t", "prompt", *keys)

    def close(self):
        self.run("kill-server")
        self.server.wait(LONG_SECONDS)


@pytest.fixture
def tmux(tmp_path):
    server = Tmux(tmp_path)
    yield server
    server.close()


@pytest.mark.parametrize(("columns", "lefts"), [(120, [0, 30, 60]), (80, [0, 27, 54]), (40, [0, 20, 0])])
def test_photos_in_half_blocks_as_tmux_has_them(columns, lefts, tmux, tmp_path):
    program = shlex.join([sys.executable, *command(tmp_path / "history", "--previews", "auto")])
    tmux.wait("", "new-session", "-d", "-s", "prompt", "-x", str(columns), "-y", "50", program)
    tmux.see("● VRAM 352 MB")
    tmux.type("dog", "Enter")
    tmux.see("3 photos in 41 ms")
    screen = pyte.Screen(columns, 50)
    captured = tmux.run("capture-pane", "-e", "-N", "-p", "-t", "prompt").stdout
    pyte.Stream(screen).feed(captured.rstrip("\n").replace("\n", "\r\n"))
    image = pixels_on(screen)
    for rank, left in enumerate(lefts, 1):
        colour = (*colour_of(make_hit(rank).path), 255)
        seen = [(x, y) for y in range(image.height) for x in range(columns) if image.getpixel((x, y)) == colour]
        assert min(x for x, _ in seen) == left
        caption = screen.display[max(y for _, y in seen) // 2 + 2]
        assert caption[left:].startswith(f"photo-00{rank}.jpg")


def test_a_session_from_the_first_prompt_to_the_last(tmux, tmp_path):
    clock = Clock(tmp_path / "clock")
    times = ("--idle", 3, "--load", 0, "--reload", 0)
    program = shlex.join([sys.executable, *command(tmp_path / "history", *times, *clock.options)])
    size = ("-x", "100", "-y", "30")
    tmux.wait("", "new-session", "-d", "-s", "prompt", *size, f"{program}; echo status=$?; read wait")
    tmux.see("● VRAM 352 MB")
    tmux.type("dog", "Enter")
    tmux.see("3 photos in 41 ms")
    tmux.type("half a que")
    tmux.see("photomap> half a que")
    clock.advance(3)
    assert "photomap> half a que" in tmux.see("RAM 0 B VRAM")
    tmux.run("resize-window", "-t", "prompt", "-x", "40")
    assert tmux.see(r"photomap> half a que\n+ ◐ RAM 0 B VRAM").count("◐") == 1
    tmux.type("C-c")
    tmux.type("C-d")
    tmux.see("status=0")


@pytest.mark.parametrize("line", ["half a que", "a slow one"])
def test_a_suspended_prompt_leaves_a_terminal_that_echoes_and_comes_back(tmux, tmp_path, line):
    """The shell is one that keeps no modes of its own for the jobs it stops."""
    program = shlex.join([sys.executable, *command(tmp_path / "history")])
    tmux.wait("", "new-session", "-d", "-s", "prompt", "-x", "100", "-y", "30", "env PS1='sh: ' ENV= sh -i")
    tmux.see("sh:")
    tmux.type(program, "Enter")
    tmux.see("● VRAM 352 MB")
    tmux.type(line, *(["Enter"] if "slow" in line else []))
    tmux.see("Ctrl-C stops waiting" if "slow" in line else "photomap> half a que")
    tmux.type("C-z")
    tmux.see("Stopped|Suspended")
    tmux.type("stty -a | tr ' ;' '\\n\\n' | grep -x -e echo -e -echo -e icanon -e -icanon | xargs echo modes:", "Enter")
    tmux.see("modes: icanon echo|modes: echo icanon")
    tmux.type("clear", "Enter")
    tmux.see(r"\Ash: *\n*\Z")  # what is seen from here on was not there before
    tmux.type("fg", "Enter")
    if "slow" in line:
        tmux.see("RAM → VRAM…")  # it was offloaded first
        tmux.type("C-c")
        tmux.see("cancelled")
    else:
        tmux.type("ry", "Enter")
        tmux.see("half a query\n[^$]*3 photos in 41 ms")
    tmux.type("C-d")
    tmux.see(r"\nsh: *\n*\Z")


def test_a_narrowed_window_leaves_no_ghost_of_the_prompt_and_takes_nothing_from_above(tmux, tmp_path):
    program = shlex.join([sys.executable, *command(tmp_path / "history")])
    tmux.wait("", "new-session", "-d", "-s", "prompt", "-x", "100", "-y", "30", program)
    tmux.see("● VRAM 352 MB")
    tmux.type("dog", "Enter")
    tmux.see("3 photos in 41 ms")
    tmux.type("-l", "words " * 13)
    tmux.see("(words ){12}words")
    for columns in (80, 60, 44):  # with the prompt 88 letters: two rows of 44
        tmux.run("resize-window", "-t", "prompt", "-x", str(columns), "-y", "30")
        screen = tmux.see(r"\n ● VRAM 352 MB[^\n]*\n*\Z")  # the bar is one line again
        assert screen.count("photomap> words") == 1
        assert screen.replace("\n", "").count("words") == 13
        everything = tmux.run("capture-pane", "-S", "-500", "-p", "-t", "prompt").stdout
        assert "#N for more like it" in everything.replace("\n", "")


def test_a_prompt_that_is_stopped_from_outside_comes_back_too(tmux, tmp_path):
    """As by `kill -TSTP`: no key tells prompt_toolkit of it."""
    program = shlex.join([sys.executable, *command(tmp_path / "history", "--idle", 3600)])
    tmux.wait("", "new-session", "-d", "-s", "prompt", "-x", "100", "-y", "30", "env PS1='sh: ' ENV= sh -i")
    tmux.see("sh:")
    tmux.type(f"(echo $$ > {tmp_path}/shell); {program}", "Enter")
    tmux.see("● VRAM 352 MB")
    tmux.type("half a que")
    tmux.see("photomap> half a que")
    (pid,) = children_of((tmp_path / "shell").read_text().strip())
    os.kill(pid, signal.SIGTSTP)
    tmux.see("Stopped|Suspended")
    tmux.type("stty -a | tr ' ;' '\\n\\n' | grep -x -e echo -e -echo -e icanon -e -icanon | xargs echo modes:", "Enter")
    tmux.see("modes: icanon echo|modes: echo icanon")
    tmux.type("clear; fg", "Enter")
    tmux.see("RAM 0 B VRAM")  # it was offloaded first
    tmux.type("ry", "Enter")
    tmux.see("half a query\n[^$]*3 photos in 41 ms")
    tmux.type("C-d")
    tmux.see(r"\nsh: *\n*\Z")


def children_of(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
