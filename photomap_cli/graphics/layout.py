"""Owns the layout of contact sheets: how many photos side by side, and how large.  Cells in, cells out.  Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from photomap_cli.graphics.renderer import Grid

GAP = 1
_LEAST_FINE, _LEAST_COARSE = 19, 24  # cells a photo needs: 190 pixels, or 24 where a cell is one or two wide
_USUAL_FINE, _USUAL_COARSE = 6, 4  # photos in a row, until each is as large as its thumbnail
_LARGE_FINE, _LARGE_COARSE = 32, 40
_TWO_FROM = 2 * 14 + GAP
_SIDES = 3 / 4  # most photos are no higher than that
ROWS_OF_THE_PROMPT = 2
"""Rows of the next prompt and its bar, which stay in the window with the output."""
ROWS_BELOW_RESULTS = 1 + ROWS_OF_THE_PROMPT
"""Those, and the summary line of results."""
_CAPTIONS, _MOST_CAPTIONS = 2, 3  # the third one says why a photo isn't shown
_LEAST_SHARE = 2 / 3  # how far a row may shrink, as a share of its height, so that one more fits into the window
_MOST_ROWS = 200  # placeholders count to 296


@dataclass(frozen=True, slots=True)
class Layout:
    """A row of photos: how many side by side, and the cells of each."""

    count: int
    columns: int
    rows: int


def row_layout(columns: int, rows: int, grid: Grid, photos: int = 1) -> Layout:
    """Return the rows of a contact sheet of `count` photos, best first, in a window of this size.

    The first row fits into it with everything below.
    """
    least, usual, large = (
        (_LEAST_COARSE, _USUAL_COARSE, _LARGE_COARSE) if grid.width <= 2 else (_LEAST_FINE, _USUAL_FINE, _LARGE_FINE)
    )
    count = max(min(columns // least, usual), columns // (large + GAP), 2 if columns >= _TWO_FROM else 1)
    each = max(1, (columns + GAP) // count - GAP)
    high = math.ceil(each * grid.width * grid.aspect * _SIDES / grid.height)
    room = max(0, rows - ROWS_BELOW_RESULTS)
    return Layout(count, each, min(_shrunk(high, room, math.ceil(photos / count)), _rows_left(room - _MOST_CAPTIONS)))


def _shrunk(high: int, room: int, wanted: int) -> int:
    """Return the height of a row's photos, a little less if that makes room for one more wanted row."""
    rows = (room + GAP) // (high + _CAPTIONS + GAP) + 1
    less = (room + GAP) // rows - _CAPTIONS - GAP
    return less if rows <= wanted and less >= _LEAST_SHARE * high else high


def single_layout(columns: int, rows: int, rows_below: int = 1) -> Layout:
    """Return the room for one photo in a window of this size, with `lines` of text below it."""
    return Layout(1, max(1, columns), _rows_left(rows - rows_below - ROWS_OF_THE_PROMPT))


def _rows_left(rows: int) -> int:
    return min(max(1, rows), _MOST_ROWS)
