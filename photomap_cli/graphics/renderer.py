"""Owns the interface of renderers: a grid of pixels in, text for the terminal out.  Opens no pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True, slots=True)
class Grid:
    """The pixels of a terminal cell, across and down; `aspect` is a pixel's width over its height."""

    width: int
    height: int
    aspect: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A picture that fills whole cells: RGBA, each pixel either opaque or fully transparent."""

    image: Image.Image
    columns: int
    rows: int


class Renderer(Protocol):
    """A way of drawing."""

    @property
    def name(self) -> str:
        """Its name for users."""

    @property
    def grid(self) -> Grid:
        """The pixels of its cells."""

    def paint(self, sheet: Sheet) -> str:
        """Return what draws the sheet from the first column; the cursor ends in the first column below it."""


@runtime_checkable
class PixelRenderer(Renderer, Protocol):
    """A way of drawing whose pictures lie on cells, and vanish when these are written to or erased."""

    def drawing(self, sheet: Sheet) -> str:
        """Return what draws the sheet with its upper left corner at the cursor, which may end anywhere."""

    def removal(self, column: int, row: int) -> str:
        """Return what deletes a picture whose corner is at this cell, counted from 1, if erasing the cells doesn't."""


def in_place(drawing: str, rows: int) -> str:
    """Return a drawing with room made for it before, and the cursor moved below it after.

    Terminals differ in where a picture leaves the cursor, and in how they scroll for one at the bottom.
    """
    return "\n" * rows + f"\x1b[{rows}A\x1b7{drawing}\x1b8\x1b[{rows}B\r"
