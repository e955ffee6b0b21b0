"""Owns the terminal that the gallery is drawn on: finds it, and leaves it as it was."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO, cast

from prompt_toolkit.input.typeahead import store_typeahead
from prompt_toolkit.input.vt100 import Vt100Input
from prompt_toolkit.input.vt100_parser import Vt100Parser
from prompt_toolkit.output.vt100 import Vt100_Output

from photomap_cli.errors import UsageError
from photomap_cli.graphics import detection, protocol_choice
from photomap_cli.repl.reply_filter import ReplyFilter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prompt_toolkit.input import Input
    from prompt_toolkit.key_binding.key_processor import KeyPress
    from prompt_toolkit.output import Output

    from photomap_cli.graphics.detection import Display
    from photomap_cli.graphics.renderer import Renderer

_FULL_SCREEN_NEEDS = "the gallery needs a terminal that shows whole screens"
_SEARCH_INSTEAD = "`photomap search` prints results anywhere"
_PLAIN_TERMS = frozenset({"", "dumb", "unknown"})

# Mouse reports, bracketed paste and the alternate screen off, wrapping and the cursor on, no colour.
AS_IT_WAS = "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?2004l\x1b[?1049l\x1b[?7h\x1b[?25h\x1b[0m"


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal to draw on and to read keys from.

    Attributes:
        file: the stream to write to.
        source: the descriptor that keys come from.
        input, output: the same for prompt_toolkit.
    """

    file: TextIO
    source: int
    input: Input
    output: Output

    def ask(self, environment: Mapping[str, str] = os.environ) -> Display:
        """Ask the terminal, whose echo is off by now, what it can draw; keys typed in the meantime are kept."""
        display = detection.found(self.file, environment)
        display = detection.asked(display, self.source, self.file.fileno())
        _type_ahead(self.input, display.around.answers.keys)
        return display


@contextmanager
def opened(environment: Mapping[str, str] = os.environ) -> Iterator[Terminal]:
    """Open the terminal, even if standard input or output is something else.

    Raises:
        UsageError: there is no terminal, or it can't show full screens.
    """
    if environment.get("TERM", "") in _PLAIN_TERMS:
        name = environment.get("TERM") or "not set"
        raise UsageError(f"{_FULL_SCREEN_NEEDS}; TERM is {name}", hint=_SEARCH_INSTEAD)
    with ExitStack() as stack:
        if sys.stdin.isatty() and sys.stdout.isatty():
            source, file = sys.stdin, sys.stdout
        else:
            source = file = stack.enter_context(_own_device())
        output = Vt100_Output.from_pty(file, term=environment.get("TERM"))
        yield Terminal(file, source.fileno(), _input(source), output)


@contextmanager
def _own_device() -> Iterator[TextIO]:
    try:
        number = os.open(_device(), os.O_RDWR | os.O_NOCTTY)
    except OSError as error:
        raise UsageError(f"{_FULL_SCREEN_NEEDS}, and there is no terminal here", hint=_SEARCH_INSTEAD) from error
    # Keys are read from the same descriptor.
    with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        yield file


def _device() -> str:
    """Return the terminal's own name, as macOS can't wait for keys from /dev/tty."""
    for stream in (sys.stderr, sys.stdin, sys.stdout):
        with suppress(OSError, ValueError, AttributeError):
            return os.ttyname(stream.fileno())
    return "/dev/tty"


def _input(source: TextIO) -> Input:
    read = Vt100Input(source)
    read.vt100_parser = cast("Vt100Parser", ReplyFilter(read.vt100_parser))
    return read


def _type_ahead(source: Input, keys: bytes) -> None:
    presses: list[KeyPress] = []
    parser = Vt100Parser(presses.append)
    parser.feed(keys.decode("utf-8", "surrogateescape"))
    parser.flush()
    store_typeahead(source, presses)


def painter(display: Display, setting: str) -> Renderer | None:
    """Return what draws pictures on a terminal; None if nothing can."""
    way = protocol_choice.choose("auto" if setting == "off" else setting, display.around, is_asked_for=True)
    return None if way is None else detection.painter(way, display)


def takes_files(display: Display) -> str:
    """Return whose protocol can send files to the user's own computer, "kitty" or "iterm2"; empty if none."""
    environment, name = display.around.environment, display.around.answers.name.lower()
    if display.around.is_multiplexed:
        return ""
    if name.startswith("kitty") or environment.get("KITTY_WINDOW_ID"):
        return "kitty"
    is_iterm2 = name.startswith("iterm2") or "iTerm" in (
        environment.get("LC_TERMINAL", "") + environment.get("TERM_PROGRAM", "")
    )
    return "iterm2" if is_iterm2 else ""


@contextmanager
def left_sane(file: TextIO) -> Iterator[None]:
    """Restore the terminal's screen if the block ends early, however that happens."""
    try:
        yield
    except BaseException:
        with suppress(OSError, ValueError):
            file.write(AS_IT_WAS)
            file.flush()
        raise
