"""Owns how much there is to see in a picture, as numbers.  Changes none."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageChops, ImageStat

SAMPLE_PX = 64
"""Pictures are judged at this size; finding it costs less than a millisecond."""


def small(image: Image.Image) -> Image.Image:
    """Return a picture at the size at which it is judged, in its own mode; smaller ones stay as they are."""
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


def share_seen(image: Image.Image) -> float:
    """Return how much of an RGB picture is there, 0 .. 1, where what is missing has the colour of a corner.

    Decoders leave what they miss at the end, or at the beginning of one stored upside down, in a single colour.
    """
    corners = (image.width - 1, image.height - 1), (0, 0)
    return min(_share_unlike(image, image.getpixel(corner)) for corner in corners)


def _share_unlike(image: Image.Image, colour: object) -> float:
    """Return the share of the rows and columns that are more than this one colour."""
    flat = Image.new("RGB", image.size, colour)  # type: ignore[arg-type]
    columns, rows = ImageChops.difference(image, flat).getprojection()
    return sum(columns) * sum(rows) / (image.width * image.height)
