"""Owns turning a picture file into upright RGB pixels of the encoder's size; alone here in knowing Pillow."""

from __future__ import annotations

import re
import stat
import threading
import warnings
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from math import ceil
from typing import TYPE_CHECKING, Self

import numpy as np
from PIL import Image, UnidentifiedImageError

from photomap_cli.errors import BadImage
from photomap_cli.library import exif, heif
from photomap_cli.library.limits import default_max_megapixels

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from photomap_cli.records import EncoderInfo

FORMATS = ("AVIF", "BMP", "DIB", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
"""Formats that are tried, whatever a file is called, and HEIF.  Pillow's others stay shut: EPS would run a program."""

ALONE_MEGAPIXELS = 64
"""From here on pictures are decoded one at a time, so that the threads together need no more than some of them."""

LONGEST_SIDES = 8
"""A side this many times the other is cropped before it is resized: a strip of 1 x 10,000 would become gigabytes."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_DEEP = frozenset({"I;16", "I;16L", "I;16B", "I;16N", "I", "F"})
_TRANSPARENT = frozenset({"RGBA", "RGBa", "LA", "La", "PA"})
_FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
_PILLOW = re.compile(r"(PIL|pi_heif)\.")
_CUT_SHORT = re.compile(r"truncated|unexpected end|premature|end of file", re.IGNORECASE)
_alone = threading.Lock()


@dataclass(frozen=True, slots=True)
class PixelFit:
    """What pixels an encoder takes; the fields are those of EncoderInfo."""

    image_size: tuple[int, int]
    resize_mode: str = "shortest"
    interpolation: str = "bicubic"
    fill: int = 0

    @classmethod
    def of(cls, info: EncoderInfo) -> Self:
        """Return what this encoder takes."""
        return cls(info.image_size, info.resize_mode, info.interpolation, info.fill)


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A picture ready for the encoder: pixels (h, w, 3) uint8; the photo's own size, upright; time and camera."""

    pixels: np.ndarray
    width: int
    height: int
    taken_at: str | None
    camera: str | None


def decode(path: Path, fit: PixelFit, *, max_megapixels: float | None = None) -> Decoded:
    """Read a picture file.  Any thread may; raises BadImage, whose message is the reason alone, for any fault of it."""
    with _faults_named():
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):
            raise BadImage("not a file")  # a pipe would be waited for
        if info.st_size == 0:
            raise BadImage("the file is empty")
        with path.open("rb") as file:
            return decode_stream(file, fit, max_megapixels=max_megapixels)


def decode_stream(file: BinaryIO, fit: PixelFit, *, max_megapixels: float | None = None) -> Decoded:
    """Read a picture from an open file or from bytes, like `decode`."""
    with _faults_named(), _opened(file) as image:
        megapixels = image.width * image.height / 1e6
        most = max_megapixels or _max_megapixels()
        if megapixels > most:
            raise BadImage(f"too large: {megapixels:.0f} megapixels, the limit is {most:.0f}")
        with _alone if megapixels > ALONE_MEGAPIXELS else nullcontext():
            return _decoded(image, fit)


def _decoded(image: Image.Image, fit: PixelFit) -> Decoded:
    size = image.size
    image.draft(None, _draft_size(size, fit))  # JPEG alone can: it decodes at a half, a quarter or an eighth
    image.load()
    tags, details = _tags(image)  # not before: loading turns a TIFF upright, and drops the tag that says so
    turn = exif.orientation(tags)
    width, height = size[::-1] if turn >= 5 else size
    pixels = _fitted(_upright(_rgb(image), turn), fit)
    return Decoded(np.asarray(pixels), width, height, exif.taken_at(tags, details), exif.camera(tags))


def _opened(file: BinaryIO) -> Image.Image:
    _prepare_pillow()
    _silence_pillow()
    start = file.read(12)
    file.seek(0)
    if not heif.is_boxed(start):
        return Image.open(file, formats=FORMATS)
    if reason := heif.fault(file):
        raise BadImage(reason)
    _prepare_heif()
    return Image.open(file, formats=(*FORMATS, "HEIF"))


@cache
def _prepare_pillow() -> None:
    Image.MAX_IMAGE_PIXELS = None  # the limit is ours, by the memory there is; 200-megapixel phones exist


@cache
def _prepare_heif() -> None:
    import pi_heif

    pi_heif.register_heif_opener()


def _silence_pillow() -> None:
    """Keep Pillow's warnings about damaged tags away from the terminal; again each time, as filters can be reset."""
    if not any(each[0] == "ignore" and each[3] == _PILLOW for each in warnings.filters):
        warnings.filterwarnings("ignore", module=_PILLOW.pattern)


@cache
def _max_megapixels() -> float:
    return default_max_megapixels()


@contextmanager
def _faults_named() -> Iterator[None]:
    """Turn whatever a file makes Pillow raise into BadImage."""
    try:
        yield
    except BadImage:
        raise
    except UnidentifiedImageError as error:
        raise BadImage("not a picture, or of a kind that cannot be read") from error
    except MemoryError as error:
        raise BadImage("not enough memory to decode it") from error
    except Exception as error:  # decoders raise nearly every class there is
        raise BadImage(_reason(error)) from error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    detail = " ".join(str(error).split())[:100] or type(error).__name__
    return "truncated" if _CUT_SHORT.search(detail) else f"damaged: {detail}"


def _tags(image: Image.Image) -> tuple[dict[int, object], dict[int, object]]:
    """Return the main EXIF tags and the details; what is damaged is as good as missing."""
    try:
        main = image.getexif()
        return dict(main), dict(main.get_ifd(exif.DETAILS))
    except Exception:
        return {}, {}


def _rgb(image: Image.Image) -> Image.Image:
    """Return any picture as RGB: 16 bits brought to 8, transparency laid on white."""
    if image.mode in _DEEP:
        return Image.fromarray(_eight_bits(np.asarray(image))).convert("RGB")
    if image.mode in _TRANSPARENT or "transparency" in image.info:
        clear = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(clear, mask=clear.getchannel("A"))
        return white
    return image if image.mode == "RGB" else image.convert("RGB")


def _eight_bits(values: np.ndarray) -> np.ndarray:
    """Return grey levels as uint8; the range of floats, and of integers beyond 16 bits, is told by the brightest."""
    ranges = [65535.0]
    if values.dtype.kind == "f":
        values, ranges = np.nan_to_num(values), [1.0, 255.0, 65535.0]
    brightest = float(values.max(initial=0))
    most = next((top for top in ranges if brightest <= top), brightest)
    return np.clip(values * np.float32(255 / most), 0, 255).astype(np.uint8)


def _upright(image: Image.Image, turn: int) -> Image.Image:
    return image.transpose(_TURNS[turn]) if turn in _TURNS else image


def _draft_size(size: tuple[int, int], fit: PixelFit) -> tuple[int, int]:
    """Return the least size to decode at: twice what is wanted, so that resizing still averages."""
    height, width = fit.image_size
    pick = min if fit.resize_mode == "longest" else max
    # Whether the picture lies on its side is not known yet.
    scale = 2 * max(pick(width / size[0], height / size[1]), pick(height / size[0], width / size[1]))
    return min(size[0], ceil(size[0] * scale)), min(size[1], ceil(size[1] * scale))


def _fitted(image: Image.Image, fit: PixelFit) -> Image.Image:
    """Return the picture at the encoder's size, in the steps and roundings of open_clip's own transforms."""
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


def _shortest_size(size: tuple[int, int], target: tuple[int, int]) -> tuple[int, int]:
    """Return the size whose shorter side is the target's; for a square the longer one is rounded down."""
    if target[0] != target[1]:
        ratio = min(size[0] / target[0], size[1] / target[1])
        return round(size[0] / ratio), round(size[1] / ratio)
    longer = int(target[0] * max(size) / min(size))
    return (target[0], longer) if size[0] <= size[1] else (longer, target[0])


def _centre(image: Image.Image, width: int, height: int) -> Image.Image:
    left, top = round((image.width - width) / 2), round((image.height - height) / 2)
    return image.crop((left, top, left + width, top + height))
