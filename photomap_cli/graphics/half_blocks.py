"""Owns half blocks: two pixels a cell, one above the other, in the colours any terminal has."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from photomap_cli.graphics.renderer import Grid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from photomap_cli.graphics.renderer import Sheet

_UPPER, _LOWER, _PLAIN = "▀", "▄", "\x1b[0m"
_PIXEL = 4  # bytes: red, green, blue, there or not


class HalfBlocks:
    """Draws with half blocks.

    Args:
        aspect: of a half cell, which is nearly square: its width over its height.
        has_all_colours: 24 bits a colour; else the 256 of xterm.
    """

    name = "blocks"

    def __init__(self, *, aspect: float = 1.0, has_all_colours: bool = True) -> None:
        self.grid = Grid(1, 2, aspect)
        self._colour = _direct if has_all_colours else _indexed

    def paint(self, sheet: Sheet) -> str:
        """Return the lines; a colour is told only where it changes."""
        width, pixels = sheet.image.width * _PIXEL, sheet.image.tobytes()
        lines = (
            "".join(_cells(pixels[y : y + width], pixels[y + width : y + 2 * width], self._colour))
            for y in range(0, len(pixels), 2 * width)
        )
        return "".join(f"{line}{_PLAIN}\n" for line in lines)


def _cells(upper: bytes, lower: bytes, colour: Callable[[bytes], str]) -> Iterator[str]:
    """Yield one line's cells, with the changes of colour between them."""
    ink = paper = ""  # as the terminal has them; empty is its own
    for x in range(0, len(upper), _PIXEL):
        letter, wanted_ink, wanted_paper = _cell(upper[x : x + _PIXEL], lower[x : x + _PIXEL], colour)
        changes = []
        if wanted_ink and wanted_ink != ink:
            changes.append(f"38;{wanted_ink}")
            ink = wanted_ink
        if wanted_paper != paper:
            changes.append(f"48;{wanted_paper}" if wanted_paper else "49")
            paper = wanted_paper
        yield f"\x1b[{';'.join(changes)}m{letter}" if changes else letter


def _cell(above: bytes, below: bytes, colour: Callable[[bytes], str]) -> tuple[str, str, str]:
    """Return a letter, its colour and that behind it; an empty colour does not matter or is the terminal's."""
    match above[3] > 0, below[3] > 0:
        case True, True:
            first, second = colour(above), colour(below)
            return (_UPPER, first, second) if first != second else (" ", "", second)
        case True, False:
            return _UPPER, colour(above), ""
        case False, True:
            return _LOWER, colour(below), ""
    return " ", "", ""


def _direct(pixel: bytes) -> str:
    return f"2;{pixel[0]};{pixel[1]};{pixel[2]}"


@lru_cache(maxsize=1 << 15)
def _indexed(pixel: bytes) -> str:
    """Return the nearest of xterm's 256 colours: its cube of 6 x 6 x 6, or its 24 greys."""
    cube = [_NEAREST_STEP[part] for part in pixel[:3]]
    grey = min(max((sum(pixel[:3]) // 3 - 3) // 10, 0), 23)
    in_cube = _distance(pixel, tuple(_STEPS[step] for step in cube))
    in_greys = _distance(pixel, (8 + 10 * grey,) * 3)
    return f"5;{16 + 36 * cube[0] + 6 * cube[1] + cube[2]}" if in_cube <= in_greys else f"5;{232 + grey}"


_STEPS = (0, 95, 135, 175, 215, 255)
_NEAREST_STEP = [sum(part > (low + high) / 2 for low, high in pairwise(_STEPS)) for part in range(256)]


def _distance(pixel: bytes, colour: tuple[int, ...]) -> int:
    return sum((one - other) ** 2 for one, other in zip(pixel, colour, strict=False))
