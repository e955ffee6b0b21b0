"""Owns the colours of text: all of them, xterm's 256, the usual 16, or only the terminal's own."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from photomap_cli.graphics.protocol_choice import ColourDepth

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    Codes = NDArray[np.int64]

TERMINALS_OWN = -1
"""The code of the terminal's default colour."""

_STEPS = np.array((0, 95, 135, 175, 215, 255))
_USUAL = (  # xterm's; terminals differ a little, and users change them
    *((0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229)),
    *((127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0), (92, 92, 255), (255, 0, 255), (0, 255, 255)),
    (255, 255, 255),
)


def reduced(image: Image.Image, depth: ColourDepth) -> Image.Image:
    """Return a picture for these colours, dithered if they are few."""
    rgb = image.convert("RGB")
    if depth is ColourDepth.NONE:
        return rgb.convert("1").convert("RGB")
    if depth is ColourDepth.USUAL:
        palette = rgb.convert("P")
        palette.putpalette([part for colour in _USUAL for part in colour])
        return rgb.quantize(palette=palette).convert("RGB")
    return rgb


def codes(colours: NDArray[np.float32], depth: ColourDepth) -> Codes:
    """Return the numbers of the nearest colours, for (n, 3) red, green and blue from 0 to 255."""
    parts = np.rint(colours).astype(np.int64)
    if depth is ColourDepth.USUAL:
        nearest: Codes = _distances(parts[:, None], np.array(_USUAL)[None]).argmin(1)
        return nearest
    if depth is ColourDepth.INDEXED:
        return _indexed(parts)
    direct: Codes = parts @ np.array((1 << 16, 1 << 8, 1))
    return direct


def _indexed(parts: Codes) -> Codes:
    """Return the nearest of xterm's 256 colours: its cube of 6 x 6 x 6, or its 24 greys."""
    steps = (parts[:, :, None] > (_STEPS[1:] + _STEPS[:-1]) / 2).sum(2)
    grey = np.clip((parts.sum(1) // 3 - 3) // 10, 0, 23)
    in_greys = _distances(parts, (8 + 10 * grey)[:, None])
    in_cube: Codes = 16 + steps @ np.array((36, 6, 1))
    return np.where(_distances(parts, _STEPS[steps]) <= in_greys, in_cube, 232 + grey)


def _distances(ones: Codes, others: Codes) -> Codes:
    squares: Codes = ((ones - others) ** 2).sum(-1)
    return squares


@lru_cache(maxsize=1 << 15)
def ink(code: int, depth: ColourDepth) -> str:
    """Return the parameters of the escape sequence that makes this the colour of the text."""
    return _parameters(code, depth, 30)


@lru_cache(maxsize=1 << 15)
def paper(code: int, depth: ColourDepth) -> str:
    """Return the parameters of the escape sequence that makes this the colour behind the text."""
    return _parameters(code, depth, 40)


def _parameters(code: int, depth: ColourDepth, first: int) -> str:
    if code == TERMINALS_OWN:
        return str(first + 9)
    if depth is ColourDepth.USUAL:
        return str(first + code if code < 8 else first + 60 + code - 8)
    if depth is ColourDepth.INDEXED:
        return f"{first + 8};5;{code}"
    return f"{first + 8};2;{code >> 16};{code >> 8 & 255};{code & 255}"
