"""Owns contact sheets: thumbnails side by side in one picture that fills whole cells.  Knows no terminal."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PIL import Image

from photomap_cli.graphics.layout import GAP
from photomap_cli.graphics.renderer import Sheet

if TYPE_CHECKING:
    from photomap_cli.graphics.layout import Layout
    from photomap_cli.graphics.renderer import Grid
    from photomap_cli.records import Thumbnail

_MISSING, _FRAME = (96, 96, 96), (144, 144, 144)
_MISSING_SIDES = 4, 3


def compose(thumbnails: Sequence[Thumbnail], layout: Layout, grid: Grid) -> Sheet:
    """Return a row of photos, each at the bottom left of its place, in as few cells as possible.

    A photo that can't be shown is an empty tile.
    """
    places = layout.columns * grid.width, layout.rows * grid.height
    photos = [_fitted(thumbnail, places, grid.aspect) for thumbnail in thumbnails]
    step = (layout.columns + GAP) * grid.width
    columns = math.ceil(((len(photos) - 1) * step + photos[-1].width) / grid.width)
    rows = math.ceil(max(photo.height for photo in photos) / grid.height)
    image = Image.new("RGBA", (columns * grid.width, rows * grid.height))
    for number, photo in enumerate(photos):
        image.paste(photo, (number * step, image.height - photo.height))
    return Sheet(image, columns, rows)


def _fitted(thumbnail: Thumbnail, places: tuple[int, int], aspect: float) -> Image.Image:
    """Return a photo as large as fits, even if that enlarges it."""
    try:
        with Image.open(io.BytesIO(thumbnail.webp), formats=("WEBP",)) as opened:
            photo = opened.convert("RGB")
    except Exception:  # there is none, or the cache is damaged; the photo isn't at fault
        return _empty(_size(_MISSING_SIDES, places, aspect))
    return photo.resize(_size(photo.size, places, aspect), Image.Resampling.BICUBIC, reducing_gap=2.0)


def _size(sides: tuple[int, int], places: tuple[int, int], aspect: float) -> tuple[int, int]:
    scale = min(places[0] * aspect / sides[0], places[1] / sides[1])
    width, height = round(sides[0] * scale / aspect), round(sides[1] * scale)
    return min(max(1, width), places[0]), min(max(1, height), places[1])


def _empty(size: tuple[int, int]) -> Image.Image:
    tile = Image.new("RGB", size, _FRAME)
    if min(size) > 2:
        tile.paste(_MISSING, (1, 1, size[0] - 1, size[1] - 1))
    return tile
