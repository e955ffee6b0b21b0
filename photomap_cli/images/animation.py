"""Owns which picture of an animation stands for it: the first that shows something.  Opens no files."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from photomap_cli.images.transparency import flattened, is_transparent
from photomap_cli.images.visibility import contrast, small

if TYPE_CHECKING:
    from PIL import Image

FORMATS = frozenset({"AVIF", "GIF", "PNG", "WEBP"})
"""Formats whose pictures follow each other; those in a TIFF or MPO stand beside each other, and the first is meant."""

ENOUGH = 12.0
"""Contrast from which on a picture shows something: black, white and the first steps of fading in have less."""

SECONDS = 5.0
"""How long to look for one: each picture has to be decoded on the way to those behind it."""

_LONGEST_STEP = 16


def telling(image: Image.Image, clock: Callable[[], float] = time.monotonic) -> Image.Image:
    """Return the picture of an open animation that stands for it; another file's only picture, as it is.

    It is the first, unless that shows next to nothing: then the first of those looked at that does and is clearer than
    the next, as films fade in; or the clearest.
    """
    if image.format not in FORMATS or not getattr(image, "is_animated", False):
        return image
    best = image.copy()
    most, end = _contrast(best), clock() + SECONDS
    try:
        for number in () if most >= ENOUGH else _looked_at(image):
            image.seek(number)
            found = _contrast(image)
            if most >= ENOUGH and found <= most:
                break
            if found > most:
                best, most = image.copy(), found
            if clock() > end:
                break
    except Exception:  # damaged further on, or too large for more than the first
        return best
    return best


def _looked_at(image: Image.Image) -> Iterator[int]:
    """Yield numbers of pictures, in wider and wider steps up to the last."""
    last = getattr(image, "n_frames", 1) - 1
    number = 1
    while number < last:
        yield number
        number += min(1 + number // 4, _LONGEST_STEP)
    if last:
        yield last


def _contrast(image: Image.Image) -> float:
    """Return how much a picture shows.  Palettes are resolved before it is made small: their numbers do not mix."""
    return contrast(small(flattened(image) if is_transparent(image) else image.convert("RGB")))
