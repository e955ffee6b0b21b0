"""Terminals as they were recorded, on a pseudo-terminal: what is asked, what is understood, and whose the keys are."""

import io
import os
import pty
import sys
import termios
import threading
from dataclasses import replace

import pytest
from cases import cases
from PIL import Image
from recorded_terminals import CELL, DARK, KITTY_OK, LIGHT, TERMINALS
from waiting import LONG_SECONDS

from photomap_cli.graphics import detection, protocol_choice, terminal_query, tmux
from photomap_cli.graphics.protocol_choice import ColourDepth, GraphicsProtocol, TerminalInfo, TmuxClient
from photomap_cli.graphics.renderer import Sheet
from photomap_cli.graphics.terminal_query import TerminalReplies, understood
from photomap_cli.graphics.tty_mode import TtyMode

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")


class Terminal:
    """The far end of a pseudo-terminal: answers once it has been asked, and types before and after."""

    def __init__(self, answers=b"", *, before=b"", after=b"", piecewise=False):
        self.outer, self.inner = pty.openpty()
        self.heard = b""
        self._says, self._step = before + answers + after, 1 if piecewise else 4096
        self._thread = threading.Thread(target=self._answer, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        os.close(self.inner)
        self._thread.join(LONG_SECONDS)
        os.close(self.outer)

    def _answer(self):
        try:
            while not self.heard.endswith(b"\x1b[c"):
                self.heard += os.read(self.outer, 4096)
            for start in range(0, len(self._says), self._step):
                os.write(self.outer, self._says[start : start + self._step])
        except OSError:  # the program never asked
            return

    def asked(self, environment=None):
        display = detection.found(io.TextIOWrapper(io.BytesIO(), "utf-8"), {"TERM": "xterm"} | (environment or {}))
        with TtyMode(self.inner):
            return detection.asked(display, self.inner, self.inner)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    """Answers that come do so at once here; those that do not need not be waited for."""
    monkeypatch.setattr(terminal_query, "TIMEOUT_SECONDS", 0.05)
    monkeypatch.setattr(tmux, "client", lambda environment: TmuxClient())


@cases("name", TERMINALS)
def test_every_terminal_gets_what_suits_it(name, monkeypatch):
    recorded = TERMINALS[name]
    for timeout in ("TIMEOUT_SECONDS", "TIMEOUT_OVER_SSH_SECONDS"):
        monkeypatch.setattr(terminal_query, timeout, LONG_SECONDS if recorded.answers else 0.05)
    monkeypatch.setattr(tmux, "client", lambda environment: recorded.tmux_client)
    with Terminal(recorded.answers) as terminal:
        display = terminal.asked(recorded.environment)
    way = protocol_choice.choose("auto", display.around, is_asked_for=False)
    assert way.value == recorded.way
    assert detection.painter(way, display).name == recorded.way
    assert display.cell == (10, 20)


@pytest.mark.parametrize("piecewise", [False, True])
def test_keys_typed_meanwhile_are_kept_in_their_order(piecewise, monkeypatch):
    monkeypatch.setattr(terminal_query, "TIMEOUT_SECONDS", LONG_SECONDS)
    typed = b"d\xc3\xb6" + KITTY_OK + b"g" + DARK + b"\x1b[A" + CELL + b"s"
    with Terminal(typed, before=b"\x1bx", after=b"\x1b[?62;c", piecewise=piecewise) as terminal:
        answers = terminal.asked().around.answers
    assert answers.keys == "\x1bxdög\x1b[As".encode()
    assert (answers.draws_kitty, answers.background, answers.cell) == (True, (30, 30, 46), (10, 20))


def test_a_silent_terminal_is_waited_for_once_and_its_keys_are_kept():
    with Terminal() as terminal:
        os.write(terminal.outer, b"dog\r")
        around = terminal.asked({"KITTY_WINDOW_ID": "1"}).around
    assert around.answers == TerminalReplies(keys=b"dog\n")  # as the system has it from a terminal that is not raw
    assert protocol_choice.choose("auto", around, is_asked_for=False) is GraphicsProtocol.BLOCKS


def test_answers_that_are_there_are_understood_however_late_they_are_read(monkeypatch):
    monkeypatch.setattr(terminal_query.os, "write", lambda sink, data: None)
    said, saying = os.pipe()
    with os.fdopen(said, "rb"), os.fdopen(saying, "wb") as terminal:
        terminal.write(KITTY_OK + b"\x1b[?62;c")
        terminal.flush()
        answers = terminal_query.ask(said, 1, seconds=-1.0)
    assert (answers.draws_kitty, answers.attributes, answers.keys) == (True, frozenset(), b"")


def test_everything_is_asked_at_once_and_what_a_terminal_may_print_of_it_is_wiped(monkeypatch):
    writes = []
    monkeypatch.setattr(terminal_query.os, "write", lambda sink, data: writes.append(data))
    terminal_query.ask(os.open(os.devnull, os.O_RDONLY), 1, seconds=10.0)
    (asked,) = writes
    assert asked.startswith(b"\x1b7")
    assert asked.endswith(b"\x1b8\x1b[J\x1b[c")


@pytest.mark.parametrize(
    "environment", [{"TERM": "dumb"}, {"TERM": ""}, {"TERM": "linux"}, {"TERM_PROGRAM": "Apple_Terminal"}]
)
def test_terminals_that_print_questions_are_not_asked(environment):
    with Terminal(b"\x1b[?62;c") as terminal:
        assert terminal.asked(environment).around.answers == TerminalReplies()
    assert terminal.heard == b""


def test_the_terminals_mode_is_as_it_was():
    with Terminal(b"\x1b[?62;c") as terminal:
        before = termios.tcgetattr(terminal.inner)
        terminal.asked()
        assert termios.tcgetattr(terminal.inner) == before


# -- the choice ------------------------------------------------------------------------------------------------------

UNDERSTOOD = {name: understood(recorded.answers) for name, recorded in TERMINALS.items()}


def around(name, **environment):
    recorded = TERMINALS[name]
    return TerminalInfo(
        {"TERM": "xterm"} | recorded.environment | environment,
        answers=UNDERSTOOD[name],
        tmux_client=recorded.tmux_client,
    )


@cases(
    ("setting", "name", "way"),
    [
        ("kitty", "kitty", GraphicsProtocol.PLACEHOLDERS),
        ("kitty", "konsole", GraphicsProtocol.KITTY),
        ("kitty", "one that never answers", GraphicsProtocol.PLACEHOLDERS),
        ("kitty", "xterm", GraphicsProtocol.KITTY),
        ("kitty", "tmux", GraphicsProtocol.PLACEHOLDERS),
        ("sixel", "kitty", GraphicsProtocol.SIXEL),
        ("iterm2", "xterm", GraphicsProtocol.ITERM2),
        ("blocks", "kitty", GraphicsProtocol.BLOCKS),
        ("octants", "xterm", GraphicsProtocol.OCTANTS),
        ("sextants", "one that never answers", GraphicsProtocol.SEXTANTS),
        ("quadrants", "tmux", GraphicsProtocol.QUADRANTS),
        ("on", "foot", GraphicsProtocol.SIXEL),
        ("off", "kitty", None),
    ],
)
def test_the_setting_overrides(setting, name, way):
    assert protocol_choice.choose(setting, around(name), is_asked_for=False) is way


def test_what_is_asked_for_is_shown_also_where_the_setting_says_off():
    assert protocol_choice.choose("off", around("kitty"), is_asked_for=True) is GraphicsProtocol.PLACEHOLDERS


@pytest.mark.parametrize(
    ("plain", "reason"),
    [
        (TerminalInfo({"TERM": "dumb"}), "TERM=dumb draws no pictures"),
        (TerminalInfo({}), "without TERM there are no pictures"),
        (TerminalInfo({"TERM": "xterm-kitty"}, is_utf8=False), "pictures need UTF-8"),
    ],
)
def test_a_terminal_of_text_alone_gets_none_and_the_reason_is_known(plain, reason):
    for setting in ("auto", "on", "off"):
        assert protocol_choice.choose(setting, plain, is_asked_for=True) is None
    assert protocol_choice.choose("blocks", plain, is_asked_for=False) is GraphicsProtocol.BLOCKS
    assert plain.draws_nothing == reason
    assert around("xterm").draws_nothing == ""


def test_without_colours_pictures_are_blocks_of_the_terminals_own_and_only_if_the_user_wants_them():
    plain = around("kitty", NO_COLOR="1")
    assert plain.colours is ColourDepth.NONE
    assert protocol_choice.choose("auto", plain, is_asked_for=False) is None
    assert protocol_choice.choose("auto", plain, is_asked_for=True) is GraphicsProtocol.SEXTANTS
    assert protocol_choice.choose("on", plain, is_asked_for=False) is GraphicsProtocol.SEXTANTS


@pytest.mark.parametrize(
    ("name", "environment", "colours"),
    [
        ("gnome terminal", {}, ColourDepth.ALL),
        ("kitty", {}, ColourDepth.ALL),
        ("foot", {"COLORTERM": ""}, ColourDepth.ALL),
        ("windows terminal", {}, ColourDepth.ALL),
        ("tmux", {}, ColourDepth.ALL),
        ("screen in iterm2", {}, ColourDepth.INDEXED),
        ("alacritty", {}, ColourDepth.INDEXED),
        ("alacritty", {"COLORTERM": "truecolor"}, ColourDepth.ALL),
        ("vt132", {}, ColourDepth.INDEXED),
        ("vt132", {"TERM": "xterm-direct"}, ColourDepth.ALL),
        ("vt132", {"TERM": "linux"}, ColourDepth.USUAL),
        ("vt132", {"TERM": "xterm-16color"}, ColourDepth.USUAL),
        ("kitty", {"NO_COLOR": "1"}, ColourDepth.NONE),
    ],
)
def test_how_many_colours_there_are(name, environment, colours):
    assert around(name, **environment).colours is colours


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("kitty(0.40.0)", GraphicsProtocol.OCTANTS),
        ("kitty(0.39.1)", GraphicsProtocol.SEXTANTS),
        ("kitty(1.0)", GraphicsProtocol.OCTANTS),
        ("ghostty 1.2.0", GraphicsProtocol.OCTANTS),
        ("ghostty 1.1.3-dev+abc", GraphicsProtocol.SEXTANTS),
        ("foot(1.20.2)", GraphicsProtocol.OCTANTS),
        ("foot(1.16.2)", GraphicsProtocol.SEXTANTS),
        ("foot(1.6.4)", GraphicsProtocol.BLOCKS),
        ("WezTerm 20240203-110809-5046fc22", GraphicsProtocol.SEXTANTS),
        ("WezTerm 20200101-000000-00000000", GraphicsProtocol.BLOCKS),
        ("XTerm(390)", GraphicsProtocol.BLOCKS),
        ("kitty", GraphicsProtocol.SEXTANTS),
        ("vte", GraphicsProtocol.BLOCKS),
        ("\u0660\u0661" * 5000, GraphicsProtocol.BLOCKS),
    ],
)
def test_the_characters_that_a_terminal_draws_itself(name, way):
    answers = replace(UNDERSTOOD["vt132"], name=name)
    plain = TerminalInfo({"TERM": "xterm", "NO_COLOR": "1"}, answers=answers)
    assert protocol_choice.choose("on", plain, is_asked_for=False) is way


def test_sixel_keeps_to_the_terminals_limits():
    answers = UNDERSTOOD["foot"]
    assert (answers.sixel_colours, answers.sixel_width) == (256, 1000)
    assert (UNDERSTOOD["xterm"].sixel_colours, UNDERSTOOD["xterm"].keys) == (None, b"")


def test_the_background_decides_what_ink_means():
    def drawn(answer):
        around = TerminalInfo({"NO_COLOR": "1"}, answers=understood(answer))
        painter = detection.painter(GraphicsProtocol.BLOCKS, detection.Display(around))
        return painter.paint(Sheet(Image.new("RGBA", (3, 2), "white"), 3, 1))

    assert (drawn(DARK), drawn(LIGHT)) == ("███\n", "\n")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x1b",
        b"\x1b[?c",
        b"\x1b]11;rgb:zz/1/2\x07\x1b[?;;c",
        b"\x1b[6;0;0t",
        b"\x1b[6;99999999;1t\x1b[?999999999999c",
    ],
)
def test_nonsense_is_survived(data):
    answers = understood(data)
    assert answers.cell is None
    assert answers.background is None


# -- tmux ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "name", "draws_placeholders"),
    [
        ("1\txterm-kitty\tkitty(0.35.2)\n", "kitty(0.35.2)", True),
        ("on\txterm-256color\tghostty 1.1.3\n", "ghostty 1.1.3", True),
        ("2\txterm-ghostty\t\n", "xterm-ghostty", True),
        ("0\txterm-kitty\tkitty(0.35.2)\n", "kitty(0.35.2)", False),
        ("1\txterm-256color\tiTerm2 3.5\n", "iTerm2 3.5", False),
        ("1\t\t\n", "", False),
        ("", "", False),
    ],
)
def test_what_tmux_says_of_itself(line, name, draws_placeholders):
    assert tmux.understood(line) == TmuxClient(name, draws_placeholders)


def test_tmux_is_asked_only_from_within(tmp_path, monkeypatch):
    monkeypatch.undo()
    fake = tmp_path / "tmux"
    fake.write_text("#!/bin/sh\nprintf '1\\txterm-kitty\\t\\n'\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(tmux, "TIMEOUT_SECONDS", LONG_SECONDS)
    assert tmux.client({"TMUX": "/s,1,0"}) == TmuxClient("xterm-kitty", draws_placeholders=True)
    assert tmux.client({}) == TmuxClient()
    fake.unlink()
    assert tmux.client({"TMUX": "/s,1,0"}) == TmuxClient()
