"""Owns erasing the prompt's rows that a narrowed window has wrapped.  Draws nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.layout.screen import Screen


def erase_wrapped_rows(prompt: PromptSession[str], wraps_again: Callable[[], bool]) -> None:
    """Erase the prompt from its first row on when the window is narrowed.

    Most terminals wrap existing lines; then the prompt begins higher up than prompt_toolkit knows.  In others
    those rows aren't ours: `wraps_again` says which kind this terminal is.
    """
    app = prompt.app
    resized = app._on_resize

    def on_resize() -> None:
        renderer = app.renderer
        drawn, place = renderer.last_rendered_screen, renderer._cursor_pos
        if drawn is not None and wraps_again():
            renderer.output.cursor_up(rows_added(drawn, place.x, place.y, renderer.output.get_size().columns))
        resized()

    app._on_resize = on_resize  # type: ignore[method-assign]


def rows_added(drawn: Screen, x: int, y: int, columns: int) -> int:
    """Return how many more rows are above the cursor once all are wrapped at `columns`.

    After the last letter of a full row the cursor stays in that row.
    """
    is_behind = x > 0 and x == _width(drawn, y)
    widths = [_width(drawn, row) for row in range(y)]
    return sum((max(1, width) - 1) // columns for width in widths) + (x - is_behind) // columns


def _width(drawn: Screen, row: int) -> int:
    """Return how many cells of a row are in use."""
    cells = drawn.data_buffer[row]
    return max((column + cell.width for column, cell in cells.items() if cell.char != " "), default=0)
