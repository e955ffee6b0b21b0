"""Owns choosing the frame that represents an animation: the first that shows something.  Opens no files."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from photomap_cli.images.transparency import flattened, is_transparent
from photomap_cli.images.visibility import contrast, small

if TYPE_CHECKING:
    from PIL import Image

FORMATS = frozenset({"AVIF", "GIF", "PNG", "WEBP"})
"""Formats whose pictures are frames in time; in a TIFF or MPO they are pages, and the first one counts."""

ENOUGH = 12.0
"""Least contrast of a picture that shows something; black, white and the start of a fade-in have less."""

SECONDS = 5.0
"""How long to look for one, in seconds; every frame must be decoded to get to the later ones."""

_LONGEST_STEP = 16


def representative_frame(image: Image.Image, clock: Callable[[], float] = time.monotonic) -> Image.Image:
    """Return the frame that represents an open animation; of other files the only picture, unchanged.

    It is the first, unless that shows next to nothing: then the first one examined that does and is clearer than
    the next, as films fade in; else the clearest.
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
    except Exception:  # damaged later on, or too large for more than the first
        return best
    return best


def _looked_at(image: Image.Image) -> Iterator[int]:
    """Yield frame numbers, in growing steps up to the last."""
    last = getattr(image, "n_frames", 1) - 1
    number = 1
    while number < last:
        yield number
        number += min(1 + number // 4, _LONGEST_STEP)
    if last:
        yield last


def _contrast(image: Image.Image) -> float:
    """Return how much a picture shows.  Palettes are resolved before resizing, as palette indexes can't be averaged."""
    return contrast(small(flattened(image) if is_transparent(image) else image.convert("RGB")))
