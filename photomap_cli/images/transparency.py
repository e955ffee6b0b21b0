"""Owns putting transparent pictures on a background that shows them.  Opens no files."""

from __future__ import annotations

from PIL import Image

from photomap_cli.images.visibility import contrast, small

_MODES = frozenset({"RGBA", "RGBa", "LA", "La", "PA"})

_TIMES_CLEARER = 4.0
"""Most pictures are drawn for white, so black has to show this many times as much."""


def is_transparent(image: Image.Image) -> bool:
    """Return whether a picture has, or may have, transparent parts."""
    return image.mode in _MODES or "transparency" in image.info


def flattened(image: Image.Image) -> Image.Image:
    """Return a picture that may have transparent parts as RGB.

    It is put on white, or on black if white shows next to nothing.  If all is transparent, alpha is ignored, as
    some programs write an alpha of 0 for opaque pictures.
    """
    clear = image.convert("RGBA")
    least, most = clear.getchannel("A").getextrema()
    if least == 255 or most == 0:
        return clear.convert("RGB")
    return _on(clear, _background(small(clear)))


def _background(clear: Image.Image) -> str:
    on_white, on_black = (contrast(_on(clear, colour)) for colour in ("white", "black"))
    return "black" if on_black > _TIMES_CLEARER * on_white else "white"


def _on(clear: Image.Image, colour: str) -> Image.Image:
    sheet = Image.new("RGB", clear.size, colour)
    sheet.paste(clear, mask=clear.getchannel("A"))
    return sheet
