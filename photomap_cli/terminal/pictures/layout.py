"""Owns how many photos stand side by side and how large: cells in, cells out.  Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from photomap_cli.terminal.pictures.painter import Grid

GAP = 1
_LEAST_FINE, _LEAST_COARSE = 19, 24  # cells a photo needs: 190 pixels, or 24 where a cell is one
_USUAL_FINE, _USUAL_COARSE = 6, 4  # photos in a row, until each is as large as its thumbnail
_LARGE_FINE, _LARGE_COARSE = 32, 40
_TWO_FROM = 2 * 14 + GAP
_SIDES = 3 / 4  # most photos are no higher than that
_ROWS_BELOW, _ROWS_BELOW_ONE = 5, 4  # two of captions, or a long one, the summary, the next prompt and its bar
_MOST_ROWS = 200  # placeholders count to 296


@dataclass(frozen=True, slots=True)
class Layout:
    """A row of photos: how many side by side, and the cells that each of them may have."""

    count: int
    columns: int
    rows: int


def row_layout(columns: int, rows: int, grid: Grid) -> Layout:
    """Return the rows of a contact sheet on a screen of this size."""
    least, usual, large = (
        (_LEAST_COARSE, _USUAL_COARSE, _LARGE_COARSE) if grid.width == 1 else (_LEAST_FINE, _USUAL_FINE, _LARGE_FINE)
    )
    count = max(min(columns // least, usual), columns // (large + GAP), 2 if columns >= _TWO_FROM else 1)
    each = max(1, (columns + GAP) // count - GAP)
    high = math.ceil(each * grid.width * grid.aspect * _SIDES / grid.height)
    return Layout(count, each, min(high, _rows_left(rows - _ROWS_BELOW)))


def single_layout(columns: int, rows: int) -> Layout:
    """Return the room of one photo on a screen of this size."""
    return Layout(1, max(1, columns), _rows_left(rows - _ROWS_BELOW_ONE))


def _rows_left(rows: int) -> int:
    return min(max(1, rows), _MOST_ROWS)
