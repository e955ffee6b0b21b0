"""Owns iTerm2's inline images, which WezTerm, VS Code, Warp and mintty support too."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

from photomap_cli.graphics.renderer import Grid, in_place

if TYPE_CHECKING:
    from photomap_cli.graphics.renderer import Sheet

# A row of six at 190 pixels is 56 kB; PNG, which could leave the gaps transparent, takes 376.
_QUALITY = 85


class Iterm2:
    """Draws each sheet as one JPEG file.

    Args:
        cell: pixels of a cell, across and down.
        background: what shows between the photos.
    """

    name = "iterm2"

    def __init__(self, cell: tuple[int, int], background: tuple[int, int, int]) -> None:
        self.grid = Grid(*cell)
        self._background = background

    def paint(self, sheet: Sheet) -> str:
        """Return the picture and its place."""
        return in_place(self.drawing(sheet), sheet.rows)

    def removal(self, column: int, row: int) -> str:
        """Return an empty string: erasing the cells erases the picture."""
        return ""

    def drawing(self, sheet: Sheet) -> str:
        """Return the file in one escape sequence."""
        flat = sheet.image.copy()
        flat.paste(self._background, mask=flat.getchannel("A").point(_INVERTED))
        file = io.BytesIO()
        flat.convert("RGB").save(file, "JPEG", quality=_QUALITY)
        size = f"size={file.tell()};width={sheet.columns};height={sheet.rows}"
        text = base64.b64encode(file.getvalue()).decode("ascii")
        return f"\x1b]1337;File=inline=1;{size};preserveAspectRatio=0:{text}\a"


_INVERTED = [255 - value for value in range(256)]
