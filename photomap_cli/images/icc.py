"""Owns bringing any picture to 8-bit sRGB: modes and embedded colour profiles; opens no files."""

from __future__ import annotations

import io
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from photomap_cli.images.bit_depth import GREYS, eight_bits
from photomap_cli.images.transparency import flattened, is_transparent

if TYPE_CHECKING:
    from PIL import Image
    from PIL.ImageCms import ImageCmsProfile, ImageCmsTransform

_SPACES = {"RGB": "RGB ", "CMYK": "CMYK", "L": "GRAY", "LAB": "Lab "}
"""The colour space, as profiles name it, that fits a mode."""


def rgb(image: Image.Image, profile: bytes | None = None) -> Image.Image:
    """Return any picture as RGB: with 8 bits, and transparent parts on white or black.

    CMYK, grey and Lab are converted by their profile, if any; RGB stays in its own space, for `in_srgb`.
    """
    if image.mode in GREYS:
        return eight_bits(image).convert("RGB")
    if is_transparent(image):
        return flattened(image)
    if image.mode in {"CMYK", "L", "LAB"} and (transform := _transform(profile, image.mode)):
        return transform.apply(image)
    return image if image.mode == "RGB" else image.convert("RGB")


def in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return an RGB picture in sRGB, from whatever RGB space its profile describes.

    Call it once the picture is small: at 12 megapixels the conversion would take as long as decoding.
    """
    transform = _transform(profile, "RGB")
    return transform.apply(image) if transform else image


@lru_cache(maxsize=16)
def _transform(profile: bytes | None, mode: str) -> ImageCmsTransform | None:
    """Return the transform from a profile to sRGB; None if it isn't needed, doesn't fit the mode, or is damaged."""
    if profile is None and mode != "LAB":
        return None
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile) if profile else ImageCms.createProfile("LAB"))
        facts = source.profile
        is_srgb = (facts.profile_description or "").startswith("sRGB")
        if facts.xcolor_space != _SPACES[mode] or is_srgb:
            return None
        return ImageCms.buildTransform(source, _srgb(), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


@cache
def _srgb() -> ImageCmsProfile:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
