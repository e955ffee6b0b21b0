"""A pseudo-terminal with the fake prompt in it and a terminal emulator in front: what the eye would see."""

from __future__ import annotations

import os
import re
import signal
import sys
import termios
import time
from pathlib import Path

import pexpect
import pyte
from waiting import LONG_SECONDS

HERE = Path(__file__).parent
ANSWERABLE = re.compile(rb"(\x1b\[6n|\x1b\[c)")
LINK = re.compile(rb"\x1b[\]_P][^\x07\x1b]*(?:\x07|\x1b\\)")  # links and pictures: pyte would print them
UNFINISHED = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|[\]_P][^\x07\x1b]*\x1b?)?\Z")  # an escape whose end is still to come
HELD_BACK = ("TMUX", "NO_COLOR", "TERM_PROGRAM", "COLORTERM", "PROMPT_TOOLKIT_NO_CPR", "GITHUB_ACTIONS", "FORCE_COLOR")
MOMENT_SECONDS = 0.2
PIECES = 100  # in which a screen comes at most, before anybody looks at it


def environment(**changes):
    kept = {name: value for name, value in os.environ.items() if name not in HELD_BACK}
    return {**kept, "TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONPATH": str(HERE.parent), **changes}


def command(history, *options):
    return [str(HERE / "fake_repl.py"), "--history", str(history), *map(str, options)]


class Clock:
    """The time of a fake prompt: it passes when the test says so.  `options` are the prompt's."""

    def __init__(self, path):
        self._path, self._now, self.options = path, 0.0, ("--clock", path)
        path.write_text("0")

    def advance(self, seconds):
        self._now += seconds
        new = self._path.with_suffix(".new")
        new.write_text(str(self._now))
        new.replace(self._path)


class Emulator:
    """A terminal around `self.child`: draws on `screen` what it writes, keeps it in `raw`, and answers its questions.

    `answers` says whether it tells where its cursor is, `introduction` what it tells of itself.
    """

    def __init__(self, screen, *, answers=True, introduction=b"\x1b[?62;c"):
        self.screen, self.raw, self._tail = screen, b"", b""
        self._answers, self._introduction = answers, introduction
        self._stream = pyte.ByteStream(screen)

    def pump(self, seconds):
        """Read what the program writes for this long, and answer its questions; returns False at its end."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not self.read(left):
                return False
        return True

    def read(self, seconds=0.05):
        """Read what the program writes next, and answer its questions; returns False at its end."""
        try:
            self._take(self.child.read_nonblocking(65536, timeout=seconds))
            for _ in range(PIECES):
                self._take(self.child.read_nonblocking(65536, timeout=0.002))
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        return True

    def _take(self, data):
        self.raw += data
        data, self._tail = self._tail + data, b""
        if unfinished := UNFINISHED.search(data):
            data, self._tail = data[: unfinished.start()], data[unfinished.start() :]
        for part in ANSWERABLE.split(data):
            if part == b"\x1b[6n":
                if self._answers:
                    self.child.send(f"\x1b[{self.screen.cursor.y + 1};{self.screen.cursor.x + 1}R")
            elif part == b"\x1b[c":
                self.child.send(self._introduction)
            else:
                self._stream.feed(LINK.sub(b"", part))


class PseudoTerminal(Emulator):
    """Runs the fake prompt."""

    def __init__(
        self, history, *options, columns=100, rows=30, answers=True, introduction=b"\x1b[?62;c", typed=b"", **changes
    ):
        screen = pyte.HistoryScreen(columns, rows, history=1000)
        super().__init__(screen, answers=answers, introduction=introduction)
        timeout = [
            *(() if introduction else ("--answer-timeout", MOMENT_SECONDS)),
            *(() if answers else ("--cursor-timeout", MOMENT_SECONDS)),
        ]
        self.child = pexpect.spawn(
            sys.executable,
            command(history, *options, *timeout),
            env=environment(**changes),
            dimensions=(rows, columns),
            preexec_fn=hang_up_as_usual,
        )
        self.child.delaybeforesend = None
        self.send(typed)

    # -- what is seen ----------------------------------------------------------------------------------------------

    @property
    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self):
        return "\n".join(self.lines).strip("\n")

    @property
    def bar(self):
        """The lowest line that is not empty."""
        return next((line for line in reversed(self.lines) if line), "")

    @property
    def cursor(self):
        return self.screen.cursor.x, self.lines[self.screen.cursor.y]

    # -- what is done ----------------------------------------------------------------------------------------------

    def send(self, keys):
        self.child.send(keys)

    def wait(self, pattern, *, where="text"):
        """Read until the pattern is on the screen (or in the bar)."""
        return self.wait_until(lambda: re.search(pattern, getattr(self, where)), pattern)

    def wait_until(self, condition, what="condition"):
        end = time.monotonic() + LONG_SECONDS
        while not (found := condition()):
            if time.monotonic() > end or not (self.read() or condition()):
                raise AssertionError(f"not seen: {what}\n{self.text}")
        return found

    def resize(self, columns, rows=30):
        self.child.setwinsize(rows, columns)
        self.screen.resize(rows, columns)

    def exit_status(self):
        """Wait for the end of the program."""
        self.wait_until(lambda: self.child.flag_eof or not self.child.isalive(), "the end")
        self.child.close()
        return self.child.exitstatus

    @property
    def is_echoing(self):
        return bool(termios.tcgetattr(self.child.child_fd)[3] & termios.ECHO)

    def close(self):
        if not self.child.closed:
            self.child.kill(signal.SIGKILL)  # this child only; gentler ways cost 0.2 s a test
            self.child.wait()
        self.child.close()


def hang_up_as_usual():
    """Undo what `nohup` around the tests would leave: an ignored SIGHUP, which the prompt rightly respects."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
