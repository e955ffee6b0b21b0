"""Owns the consoles that are printed on: which stream, how many colours, and that no text commands the terminal."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from rich.console import Console, ConsoleDimensions

from photomap_cli.views.output import printable_lines

if TYPE_CHECKING:
    from rich.console import ConsoleOptions, RenderableType
    from rich.segment import Segment

_HAVE_16 = frozenset({"linux", "eterm-color"})


class SafeConsole(Console):
    """A console that writes control characters in text as escapes, wherever in a table the text is.

    Only Rich's own controls, such as moves of the cursor, and styles pass unchanged.  Lines that go to a
    file or a pipe end without the padding of a table's columns.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the segments of a renderable, with harmless text."""
        pieces = map(_harmless, super().render(renderable, options))
        return pieces if self.is_terminal else _without_padding(pieces)


def _harmless(segment: Segment) -> Segment:
    is_text = not segment.control and segment.text != "\n"
    return segment._replace(text=printable_lines(segment.text)) if is_text else segment


def _without_padding(segments: Iterable[Segment]) -> Iterator[Segment]:
    """Leave out blanks that end a line."""
    blanks: list[Segment] = []
    for segment in segments:
        if segment.text == "\n":
            blanks = []
        words = segment.text if segment.control else segment.text.rstrip(" ")
        if words:
            yield from blanks
            yield segment._replace(text=words)
            blanks = []
        if len(words) < len(segment.text):
            blanks.append(segment._replace(text=segment.text[len(words) :]))
    yield from blanks


def console_on(*, stderr: bool = False) -> Console:
    """Return a console on standard output, or on standard error.

    Rich takes a TERM without a number, such as the `xterm` of containers, for 16 colours.  Nearly all these terminals
    have 256; prompt_toolkit agrees, and colours should be the same in both.
    """
    console = make_console(stderr=stderr)
    has_more = console.color_system == "standard" and os.environ.get("TERM", "") not in _HAVE_16
    return make_console(stderr=stderr, color_system="256") if has_more else console


def make_console(**settings: Any) -> Console:
    """Return a console with these settings of Rich's; brackets and colons in text mean nothing special.

    Rich takes any dumb terminal to be 80x25; this console has the window's size.
    """
    console = SafeConsole(highlight=False, markup=False, emoji=False, **settings)
    if console.is_dumb_terminal and not settings.keys() & {"width", "height"}:
        console.size = ConsoleDimensions(*shutil.get_terminal_size((80, 25)))
    return console
