"""Owns what the ways of drawing have in common: a grid of pixels in, text for the terminal out.  Opens no picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True, slots=True)
class Grid:
    """How many pixels a cell of the terminal has, across and down; `aspect` is a pixel's width over its height."""

    width: int
    height: int
    aspect: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A picture that fills whole cells: RGBA, each pixel either opaque or not there."""

    image: Image.Image
    columns: int
    rows: int


class Renderer(Protocol):
    """One way of drawing."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def grid(self) -> Grid:
        """The pixels it has."""

    def paint(self, sheet: Sheet) -> str:
        """Return what draws the sheet, from the first column on; the cursor ends in that of the line below."""


@runtime_checkable
class PixelRenderer(Renderer, Protocol):
    """A way of drawing whose pictures lie on the cells, and go when these are written to or erased."""

    def drawing(self, sheet: Sheet) -> str:
        """Return what draws the sheet with its upper left corner at the cursor, which may end anywhere."""

    def removal(self, column: int, row: int) -> str:
        """Return what takes away a picture whose corner is at this cell, from 1, where erasing the cells does not."""


def in_place(drawing: str, rows: int) -> str:
    """Return a drawing whose place is made first and left after it.

    Terminals disagree on where a picture leaves the cursor, and scroll for one at the bottom each in its own way.
    """
    return "\n" * rows + f"\x1b[{rows}A\x1b7{drawing}\x1b8\x1b[{rows}B\r"
