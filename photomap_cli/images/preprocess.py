"""Owns resizing a picture for an encoder, as open_clip's own transforms do; knows nothing of files."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Self

from PIL import Image

if TYPE_CHECKING:
    from photomap_cli.records import EncoderInfo

LONGEST_SIDES = 8
"""Sides that differ by this factor are cropped before resizing: a strip of 1 x 10,000 would become gigabytes."""

LEAST_RATIO = 1.25
"""How much larger than wanted a JPEG is decoded at least.

Against a full decode the lowest cosine of 48 photos with the embedded encoder was 0.991 to 0.998 at ratios from 1.25 to
1.75, 0.986 at 2, and 0.901 at 1.1; with a ViT-B-32-256 of random weights 0.9999 from 1.25 on.
"""

PANORAMA = 2
"""A picture that is more than this many times as wide as it is high is a panorama."""

_FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


@dataclass(frozen=True, slots=True)
class PixelFit:
    """The pixel format of an encoder's input; the fields are those of EncoderInfo."""

    image_size: tuple[int, int]
    resize_mode: str = "shortest"
    interpolation: str = "bicubic"
    fill: int = 0

    @classmethod
    def of(cls, info: EncoderInfo) -> Self:
        """Return this encoder's pixel format."""
        return cls(info.image_size, info.resize_mode, info.interpolation, info.fill)


def draft_size(size: tuple[int, int], fit: PixelFit, *, longest_px: int = 0) -> tuple[int, int]:
    """Return the least (width, height) to decode at, so that resizing still averages.

    The longer side has at least `longest_px` too, if the picture has as much.
    """
    height, width = fit.image_size
    pick = min if fit.resize_mode == "longest" else max
    # It isn't known yet whether the picture lies on its side.
    scale = LEAST_RATIO * max(pick(width / size[0], height / size[1]), pick(height / size[0], width / size[1]))
    scale = min(1.0, max(scale, longest_px / max(size)))
    return ceil(size[0] * scale), ceil(size[1] * scale)


def fitted(image: Image.Image, fit: PixelFit) -> Image.Image:
    """Return an RGB picture at the encoder's size, with the steps and rounding of open_clip's own transforms."""
    height, width = fit.image_size
    resample = _FILTERS[fit.interpolation]
    if fit.resize_mode == "squash":
        return image.resize((width, height), resample)
    if fit.resize_mode == "longest":
        ratio = max(image.width / width, image.height / height)
        size = max(1, round(image.width / ratio)), max(1, round(image.height / ratio))
        canvas = Image.new("RGB", (width, height), (fit.fill,) * 3)
        canvas.paste(image.resize(size, resample), ((width - size[0]) // 2, (height - size[1]) // 2))
        return canvas
    image = _centre(
        image, min(image.width, LONGEST_SIDES * image.height), min(image.height, LONGEST_SIDES * image.width)
    )
    return _centre(image.resize(_shortest_size(image.size, (width, height)), resample), width, height)


def sides(image: Image.Image, fit: PixelFit) -> list[Image.Image]:
    """Return the left and right of an RGB panorama at the encoder's size, since otherwise only its middle is seen.

    They are squares, at the ends if it is up to three times as wide as it is high, and further in if it is wider: in
    the middle of its first and last third.  Empty for other pictures.
    """
    width, height = image.size
    if width <= PANORAMA * height:
        return []
    middle = max(height / 2, width / 6)
    return [
        fitted(image.crop((round(at - height / 2), 0, round(at + height / 2), height)), fit)
        for at in (middle, width - middle)
    ]


def _shortest_size(size: tuple[int, int], target: tuple[int, int]) -> tuple[int, int]:
    """Return the size whose shorter side is the target's; the longer side is rounded down for a square target."""
    if target[0] != target[1]:
        ratio = min(size[0] / target[0], size[1] / target[1])
        return round(size[0] / ratio), round(size[1] / ratio)
    longer = int(target[0] * max(size) / min(size))
    return (target[0], longer) if size[0] <= size[1] else (longer, target[0])


def _centre(image: Image.Image, width: int, height: int) -> Image.Image:
    left, top = round((image.width - width) / 2), round((image.height - height) / 2)
    return image.crop((left, top, left + width, top + height))
