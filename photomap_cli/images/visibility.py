"""Owns measuring how much a picture shows.  Changes no picture."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageChops, ImageStat

SAMPLE_PX = 64
"""Pictures are measured at this size; resizing costs less than a millisecond."""


def small(image: Image.Image) -> Image.Image:
    """Return a picture at the size for measuring, in its own mode; smaller ones unchanged."""
    scale = min(1.0, SAMPLE_PX / max(image.size))
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=1.0)


def contrast(image: Image.Image) -> float:
    """Return how much an RGB picture varies: the largest standard deviation of its bands, 0 for a single colour."""
    return max(ImageStat.Stat(image).stddev)


def brightest(histogram: Sequence[int], share: float = 0.999) -> int:
    """Return the level that this share of the pixels does not exceed: single stuck pixels do not count."""
    wanted, so_far = share * sum(histogram), 0
    for level, count in enumerate(histogram):
        so_far += count
        if so_far >= wanted:
            return level
    return 0


def visible_share(image: Image.Image) -> float:
    """Return the share of an RGB picture that is there, 0 to 1, taking the colour of a corner as missing.

    Decoders leave missing parts in a single colour, at the end, or at the beginning if stored upside down.
    """
    corners = (image.width - 1, image.height - 1), (0, 0)
    return min(_share_unlike(image, image.getpixel(corner)) for corner in corners)


def _share_unlike(image: Image.Image, colour: object) -> float:
    """Return the share of rows and columns that aren't just this colour."""
    flat = Image.new("RGB", image.size, colour)  # type: ignore[arg-type]
    columns, rows = ImageChops.difference(image, flat).getprojection()
    return sum(columns) * sum(rows) / (image.width * image.height)
