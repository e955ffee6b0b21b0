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
    """A console that writes what a text holds of controls as escapes, wherever in a table the text stands.

    Only Rich's own controls, such as moves of the cursor, and the styles pass as they are.  Where the lines go to a
    file or a pipe, they end without the blanks that fill a table's columns.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the pieces of a renderable, every text made harmless."""
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

    Rich takes a TERM without a number, such as the `xterm` of containers, for 16 colours.  All these terminals but few
    have 256; prompt_toolkit says so too, and colours are to be the same in both.
    """
    console = make_console(stderr=stderr)
    has_more = console.color_system == "standard" and os.environ.get("TERM", "") not in _HAVE_16
    return make_console(stderr=stderr, color_system="256") if has_more else console


def make_console(**settings: Any) -> Console:
    """Return a console with these settings of Rich's; text is what it says, brackets and colons too.

    Rich takes any dumb terminal for one of 80x25; this one has the size of its window.
    """
    console = SafeConsole(highlight=False, markup=False, emoji=False, **settings)
    if console.is_dumb_terminal and not settings.keys() & {"width", "height"}:
        console.size = ConsoleDimensions(*shutil.get_terminal_size((80, 25)))
    return console
