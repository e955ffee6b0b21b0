"""Owns reducing deep pictures to 8 bits by the bits in use: cameras and scanners store 10 or 12 bits in 16.

Pillow reads 16-bit greys fully, and of 16-bit colours only the upper byte.  A reader for the other byte order
gives the lower one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageChops

from photomap_cli.images.visibility import brightest

if TYPE_CHECKING:
    import numpy as np

GREYS = frozenset({"I;16", "I;16L", "I;16B", "I;16N", "I", "F"})
"""Pillow's modes of deep greys."""

_TOPS = (255, 1023, 4095, 16383, 65535)
"""The brightest level of 8, 10, 12, 14 and 16 bits."""

_PPM = "ppm"  # and "ppm_plain"
_SEEN_SHARE = 0.999
_SAMPLED = 1 << 20
_DARK = 8
"""Floats that fill less than this share of a range have another range."""


def eight_bits(image: Image.Image) -> Image.Image:
    """Return deep grey levels in 8 bits; the brightest pixels show the bits in use, and the range of floats.

    The very brightest, one in a thousand, don't count, as sensors have stuck pixels.
    """
    import numpy as np

    values: np.ndarray = np.asarray(image)
    is_float = values.dtype.kind == "f"
    if is_float:
        values = np.nan_to_num(values, posinf=np.nanmax(values, where=np.isfinite(values), initial=0))
    dark, bright = _darkest_and_brightest(values)
    black = 0.0 if bright > 0 else dark
    white = _white_of_floats(bright) if is_float else next((top for top in _TOPS if bright <= top), bright)
    if black:
        white = bright
    scale = np.float32(255 / ((white - black) or 1))
    return Image.fromarray(np.rint(np.clip((values - np.float32(black)) * scale, 0, 255)).astype(np.uint8))


def _darkest_and_brightest(values: np.ndarray) -> tuple[float, float]:
    import numpy as np

    step = max(1, round((values.size / _SAMPLED) ** 0.5))
    sample = np.sort(values[::step, ::step], axis=None)
    return float(sample[0]), float(sample[int((sample.size - 1) * _SEEN_SHARE)])


def _white_of_floats(bright: float) -> float:
    top = next((top for top in (1.0, *map(float, _TOPS)) if bright <= top), bright)
    return bright if 0 < bright < top / _DARK else top


@dataclass(frozen=True, slots=True)
class DeepColours:
    """How an open picture stores colours of more than 8 bits, of which Pillow keeps 8: codec, raw mode, white."""

    codec: str
    rawmode: str
    white: int

    @classmethod
    def of(cls, image: Image.Image) -> DeepColours | None:
        """Return how an open picture stores deep colours; None if it has none.  Call before it is loaded."""
        tiles = getattr(image, "tile", None)
        if image.mode not in {"RGB", "RGBA", "LA"} or not tiles:
            return None
        codec, args = tiles[0][0], tiles[0][3]
        rawmode = args if isinstance(args, str) else args[0] if args else ""
        if codec.startswith(_PPM):
            return cls(codec, rawmode, args[1]) if args[1] > _TOPS[0] else None
        return cls(codec, rawmode, _TOPS[-1]) if isinstance(rawmode, str) and ";16" in rawmode else None

    def shown(self, image: Image.Image, opened_again: Callable[[], Image.Image]) -> Image.Image:
        """Return a loaded picture unchanged, or brightened if it doesn't use its upper bits.

        `opened_again` reopens the file, for the bits that were left out.
        """
        colours = [band.histogram() for band in _colours(image)]
        level = brightest([sum(counts) for counts in zip(*colours, strict=True)], _SEEN_SHARE)
        if self.codec.startswith(_PPM):
            top = next((top for top in _TOPS if level <= round(top * 255 / self.white)), self.white)
            again = _loaded(opened_again, self.rawmode, max(top, 256)) if top < self.white else None  # in two bytes
            return again or image
        top = next(top for top in _TOPS if level <= top >> 8)
        return _brightened(image, _loaded(opened_again, self._other_order()), top) if top < self.white else image

    def _other_order(self) -> str:
        start, _, order = self.rawmode.rpartition(";")
        if order in {"16N", "16"}:
            order = "16B" if sys.byteorder == "big" and order == "16N" else "16L"
        return f"{start};{'16L' if order == '16B' else '16B'}"


def _loaded(opened_again: Callable[[], Image.Image], rawmode: str, *others: int) -> Image.Image | None:
    """Return a file read in another raw mode; None if Pillow has no such mode, so that the first reading must do."""
    try:
        image = opened_again()
        tile = image.tile[0]  # type: ignore[attr-defined]
        args = rawmode if isinstance(tile[3], str) else (rawmode, *(others or tile[3][1:]))
        image.tile = [tile._replace(args=args)]  # type: ignore[attr-defined]
        image.load()
    except Exception:
        return None
    return image


def _colours(image: Image.Image) -> tuple[Image.Image, ...]:
    return image.split()[: 1 if image.mode == "LA" else 3]


def _brightened(upper: Image.Image, lower: Image.Image | None, top: int) -> Image.Image:
    """Return two-byte levels in 8 bits, with `top` as white; transparency stays, unless it has few bits too."""
    bands = []
    for number, high in enumerate(upper.split()):
        is_alpha = number == len(upper.getbands()) - 1 and upper.mode in {"RGBA", "LA"}
        white = _TOPS[-1] if is_alpha and brightest(high.histogram(), 1.0) > top >> 8 else top
        scale = 255 / white
        band = high.point([min(255, round(level * 256 * scale)) for level in range(256)])
        if lower is not None:
            low = lower.getchannel(number).point([min(255, round(level * scale)) for level in range(256)])
            band = ImageChops.add(band, low)
        bands.append(band)
    return Image.merge(upper.mode, bands)
