"""Owns showing an error at a terminal: message, hint, and a caret under the mistake.  Decides no exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from photomap_cli.views.output import one_line, printable

if TYPE_CHECKING:
    from photomap_cli.errors import PhotomapError

_CONTEXT_BEFORE = 50  # characters of a long query kept before the mistake
_CONTEXT = 70  # and in total: with the indent and two ellipses that fits into 80 columns


def error_text(error: PhotomapError, text: str = "") -> Text:
    """Return the error for a terminal; with a position in `text`, the query again and a caret under the place."""
    line = Text().append(one_line(error.message), "red")
    if error.hint:
        line.append(f"  hint: {one_line(error.hint)}", "dim")
    if error.position is not None and text:
        line.append_text(_caret(text, error.position))
    return line


def error_line(error: BaseException) -> str:
    """Return any error as one plain line; one that isn't a PhotomapError starts with its class."""
    from photomap_cli.errors import PhotomapError, of_the_system

    error = of_the_system(error) or error
    if not isinstance(error, PhotomapError):
        return f"{type(error).__name__}: {one_line(str(error))}"
    return one_line(error.message) + (f"  hint: {one_line(error.hint)}" if error.hint else "")


def _caret(text: str, position: int) -> Text:
    position = min(max(position, 0), len(text))
    start = max(0, position - _CONTEXT_BEFORE)
    before = ("…" if start else "") + printable(text[start:position])
    end = start + _CONTEXT
    after = printable(text[position:end]) + ("…" if end < len(text) else "")
    return Text(f"\n  {before}{after}\n  {' ' * cell_len(before)}").append("^", "bold red")
