"""Owns pictures of plain letters, for where there is neither colour nor anything but ASCII."""

from __future__ import annotations

from typing import TYPE_CHECKING

from photomap_cli.graphics.renderer import Grid

if TYPE_CHECKING:
    from photomap_cli.graphics.renderer import Sheet

RAMP = " .:-=+*#%@"
"""From the least ink to the most."""

_TABLE = bytes(ord(RAMP[value * len(RAMP) // 256]) for value in range(256))


class Ascii:
    """Draws with letters of more or less ink.

    Args:
        aspect: of a cell: its width over its height.
        on_light: the terminal is light, so that ink makes dark.
    """

    name = "ascii"

    def __init__(self, *, aspect: float = 0.5, on_light: bool = False) -> None:
        self.grid = Grid(1, 1, aspect)
        self._table = _TABLE[::-1] if on_light else _TABLE

    def paint(self, sheet: Sheet) -> str:
        """Return the lines, without a single escape sequence."""
        grey = sheet.image.convert("L").tobytes().translate(self._table)
        there = sheet.image.getchannel("A").tobytes()
        text = "".join(chr(letter) if is_there else " " for letter, is_there in zip(grey, there, strict=True))
        width = sheet.image.width
        return "".join(text[y : y + width].rstrip() + "\n" for y in range(0, len(text), width))
