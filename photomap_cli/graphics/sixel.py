"""Owns sixel, DEC's graphics: bands of six rows, each with a line of characters per colour."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from photomap_cli.graphics.renderer import Grid, in_place

if TYPE_CHECKING:
    from photomap_cli.graphics.renderer import Sheet

MOST_COLOURS = 256
_BAND = 6
_EMPTY = 63  # the character with none of its six pixels set
_FAST_OCTREE = 2  # Pillow's; median cut takes four times as long without visible gain
_RUN = re.compile(
    r"\?{4,}|([^?])\1{3,}"
)  # nearly all are empty, and counting a repeated character is faster than a group


class Sixel:
    """Draws with up to 256 colours; transparent pixels stay as they are.

    Args:
        cell: pixels of a cell, across and down.
        colours: how many the terminal can show at once.
    """

    name = "sixel"

    def __init__(self, cell: tuple[int, int], *, colours: int = MOST_COLOURS) -> None:
        self.grid = Grid(*cell)
        self._colours = max(2, min(MOST_COLOURS, colours))

    def paint(self, sheet: Sheet) -> str:
        """Return the picture and its place."""
        return in_place(self.drawing(sheet), sheet.rows)

    def removal(self, column: int, row: int) -> str:
        """Return an empty string: erasing the cells erases the picture."""
        return ""

    def drawing(self, sheet: Sheet) -> str:
        """Return the picture as a control string."""
        reduced = sheet.image.convert("RGB").quantize(self._colours, method=_FAST_OCTREE)
        palette = reduced.getpalette() or []
        width, height = reduced.size
        there = sheet.image.getchannel("A").tobytes()
        bands = _bands(reduced.tobytes(), there, width)
        return "".join((f'\x1bP0;1q"1;1;{width};{height}', *_colours(palette), *bands, "\x1b\\"))


def _colours(palette: list[int]) -> Iterator[str]:
    for number, start in enumerate(range(0, len(palette), 3)):
        red, green, blue = ((part * 100 + 127) // 255 for part in palette[start : start + 3])
        yield f"#{number};2;{red};{green};{blue}"


def _bands(pixels: bytes, there: bytes, width: int) -> Iterator[str]:
    for start in range(0, len(pixels), _BAND * width):
        rows = range(start, min(start + _BAND * width, len(pixels)), width)
        lines: dict[int, bytearray] = {}
        for bit, y in enumerate(rows):
            _add_row(lines, 1 << bit, pixels[y : y + width], there[y : y + width])
        yield "$".join(f"#{colour}{_packed(line)}" for colour, line in lines.items()) + "-"


def _add_row(lines: dict[int, bytearray], bit: int, row: bytes, there: bytes) -> None:
    """Set a row's bit in the lines of its colours.  Without numpy, which takes longer to load."""
    empty = bytes([_EMPTY]) * len(row)
    for x, colour in enumerate(row):
        if there[x]:
            line = lines.get(colour)
            if line is None:
                line = lines[colour] = bytearray(empty)
            line[x] += bit


def _packed(line: bytearray) -> str:
    """Return a line with run-length encoding; empty characters at its end are left out."""
    return _RUN.sub(lambda run: f"!{len(run[0])}{run[0][0]}", line.decode("ascii").rstrip("?"))
