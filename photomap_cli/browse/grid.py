"""Owns the layout of photos on the screen: cells in, cells out.  Pure; draws nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from photomap_cli.graphics.renderer import Grid

HEADER_ROWS = 2
"""The query line, and what is told below it."""
BAR_ROWS = 1
CAPTION_ROWS = 1
GAP = 1
LEAST_COLUMNS, LEAST_ROWS = 20, 7
"""The smallest terminal; in a smaller one the gallery says so and waits."""

_FINE, _COARSE = (
    19,
    24,
)  # cells a photo needs: 190 pixels, or 24 where a cell is one pixel; as for results at the prompt
_ZOOM = 1.35  # from one step to the next
_SIDES = 3 / 4  # most photos are no higher than that
_LEAST_SHARE = 2 / 3  # how far a row may shrink, as a share of its usual height, so that one more fits
_MOST_ROWS = 200  # of one picture: kitty's placeholders only count to 296
STRIP_FROM_ROWS = 18
"""A lower terminal shows a photo without its neighbours."""
_STRIP_ROWS, _STRIP_ROWS_IF_HIGH, _HIGH = 4, 6, 36
FACTS_COLUMNS = 38
_FACTS_FROM_COLUMNS = 76


@dataclass(frozen=True, slots=True)
class Size:
    """A terminal's, in cells."""

    columns: int
    rows: int

    @property
    def is_enough(self) -> bool:
        """Whether the gallery fits in."""
        return self.columns >= LEAST_COLUMNS and self.rows >= LEAST_ROWS

    @property
    def body_rows(self) -> int:
        """Rows between the lines above and the bar below."""
        return max(1, self.rows - HEADER_ROWS - BAR_ROWS)


@dataclass(frozen=True, slots=True)
class Box:
    """A place on the screen for one picture, in cells from the upper left corner."""

    x: int
    y: int
    columns: int
    rows: int


@dataclass(frozen=True, slots=True)
class Geometry:
    """A grid of photos: `columns` by `rows` of them, each with `width` by `height` cells and a caption below."""

    columns: int
    rows: int
    width: int
    height: int

    @property
    def count(self) -> int:
        """Photos on a screen."""
        return self.columns * self.rows

    def box(self, place: int) -> Box:
        """Return where the picture at a place of the screen is drawn; the first place is 0."""
        row, column = divmod(place, self.columns)
        return Box(
            column * (self.width + GAP), HEADER_ROWS + row * (self.height + CAPTION_ROWS), self.width, self.height
        )

    def place_at(self, x: int, y: int) -> int | None:
        """Return the place whose picture or caption is at a cell of the screen, or None."""
        row, column = (y - HEADER_ROWS) // (self.height + CAPTION_ROWS), x // (self.width + GAP)
        return row * self.columns + column if 0 <= row < self.rows and 0 <= column < self.columns else None


@lru_cache(maxsize=64)
def geometry(size: Size, cell: Grid, *, zoom: int = 0) -> Geometry:
    """Return as many photos as fit, none of them cut in half."""
    least = max(4, round((_COARSE if cell.width == 1 else _FINE) * _ZOOM**zoom))
    columns = max(1, (size.columns + GAP) // (least + GAP))
    width = max(1, (size.columns + GAP) // columns - GAP)
    high = min(max(1, math.ceil(width * cell.width * cell.aspect * _SIDES / cell.height)), _MOST_ROWS)
    rows, height = _rows(size.body_rows, high)
    # With lower rows photos are narrower too, so one more may fit beside the others.
    needed = max(1, math.ceil(height * cell.height / (_SIDES * cell.width * cell.aspect)))
    columns = max(columns, (size.columns + GAP) // (needed + GAP))
    return Geometry(columns, rows, (size.columns + GAP) // columns - GAP, height)


def _rows(room: int, high: int) -> tuple[int, int]:
    """Return how many rows fit and how high their photos are: a little lower if that makes room for one more."""
    rows = room // (high + CAPTION_ROWS)
    less = room // (rows + 1) - CAPTION_ROWS
    if less >= max(1, _LEAST_SHARE * high):
        return rows + 1, less
    return (rows, high) if rows else (1, max(1, room - CAPTION_ROWS))


@dataclass(frozen=True, slots=True)
class LookLayout:
    """The layout of one large photo: its place, its neighbours' in the film strip, and its facts'."""

    photo: Box
    strip: tuple[Box, ...]
    facts: Box | None


@lru_cache(maxsize=64)
def look_layout(size: Size, cell: Grid, *, has_facts: bool) -> LookLayout:
    """Return where a photo, its film strip and its facts go; in a narrow terminal the facts replace the photo."""
    body, strip_rows = size.body_rows, 0
    if size.rows >= STRIP_FROM_ROWS:
        strip_rows = _STRIP_ROWS_IF_HIGH if size.rows >= _HIGH else _STRIP_ROWS
    rows = min(max(1, body - CAPTION_ROWS - strip_rows), _MOST_ROWS)
    is_beside = has_facts and size.columns >= _FACTS_FROM_COLUMNS
    columns = size.columns - (FACTS_COLUMNS + GAP if is_beside else 0)
    photo = Box(0, HEADER_ROWS, columns, rows)
    facts = Box(columns + GAP, HEADER_ROWS, FACTS_COLUMNS, rows) if is_beside else photo if has_facts else None
    return LookLayout(photo, _strip(size, cell, HEADER_ROWS + rows + CAPTION_ROWS, strip_rows), facts)


def _strip(size: Size, cell: Grid, y: int, rows: int) -> tuple[Box, ...]:
    """Return the places of the film strip; the current photo is in the middle."""
    if not rows:
        return ()
    width = max(3, round(rows * cell.height / (_SIDES * cell.width * cell.aspect)))
    count = (size.columns + GAP) // (width + GAP)
    count -= count % 2 == 0
    left = (size.columns - count * (width + GAP) + GAP) // 2
    return tuple(Box(left + number * (width + GAP), y, width, rows) for number in range(max(0, count)))
