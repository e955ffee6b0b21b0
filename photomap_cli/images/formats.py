"""Owns opening a picture file with Pillow: its formats, without warnings.  Decodes no pixels."""

from __future__ import annotations

import re
import warnings
from functools import cache
from typing import BinaryIO

from PIL import Image, ImageFile, PngImagePlugin, TiffImagePlugin, UnidentifiedImageError, features

from photomap_cli.errors import BadImage
from photomap_cli.images import heif
from photomap_cli.images.decode_errors import Damaged
from photomap_cli.library import signatures
from photomap_cli.library.optional_decoders import how_to_read

FORMATS = ("AVIF", "BMP", "DIB", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
"""Formats that are tried whatever a file's name; formats of plugins if a file's content says so.

Pillow's others are disabled: EPS would run a program.
"""

WITHOUT_AVIF = "an AVIF file: this Pillow was built without a decoder for it; pip install -U pillow"

MOST_BESIDE_BYTES = 16 << 20
"""Largest unpacked text or profile of a PNG; some editors write more than Pillow's limit of 1 MiB."""

_EXTENSIONS = {
    **{"AVIF": "avif", "BMP": "bmp", "DIB": "dib", "GIF": "gif", "HEIF": "heic", "JPEG": "jpg", "JPEG2000": "jp2"},
    **{"JXL": "jxl", "MPO": "jpg", "PNG": "png", "PPM": "pnm", "TIFF": "tif", "WEBP": "webp"},
}

_PILLOW = re.compile(r"(PIL|pi_heif|pillow_jxl)\.")
_OF_PLUGINS = {"HEIF": "HEIF", "JPEG XL": "JXL"}


def kind(file: BinaryIO) -> str | None:
    """Return the format that an open file's first bytes name, or None; rewinds the file."""
    file.seek(0)
    start = file.read(signatures.SIGNATURE_BYTES)
    file.seek(0)
    return signatures.kind(start)


def opened(file: BinaryIO) -> Image.Image:
    """Open a picture without decoding it.  Raises BadImage, and whatever Pillow raises for the header.

    A truncated HEIC or AVIF file is refused, unless Pillow is set to accept truncated files.
    """
    _prepare_pillow()
    _silence_pillow()
    found = kind(file)
    reason = heif.fault(file) if found in {"AVIF", "HEIF"} else None
    if reason and not (reason == heif.TRUNCATED and ImageFile.LOAD_TRUNCATED_IMAGES):
        raise (Damaged if reason == heif.TRUNCATED else BadImage)(reason)
    if found == "HEIF":
        _prepare_heif()
    if found == "JPEG XL":
        _prepare_jxl()
    try:
        return Image.open(file, formats=[*FORMATS, _OF_PLUGINS[found]] if found in _OF_PLUGINS else FORMATS)
    except UnidentifiedImageError as error:
        if not found:
            raise
        if found == "AVIF" and not features.check("avif"):
            raise BadImage(WITHOUT_AVIF) from error
        raise Damaged(f"a {found} file that is damaged, or in a format that can't be read") from error


def is_turned_by_decoder(image: Image.Image) -> bool:
    """Return whether a picture's pixels are upright whatever its EXIF says, as in JPEG XL unless it holds a JPEG."""
    return image.format == "JXL" and not getattr(image, "jpeg", False)


def extension(image: Image.Image) -> str:
    """Return the usual extension of an open picture's format."""
    return _EXTENSIONS.get(str(image.format), "")


@cache
def _prepare_pillow() -> None:
    Image.MAX_IMAGE_PIXELS = None  # we set our own limit by available memory; 200-megapixel phones exist
    PngImagePlugin.MAX_TEXT_CHUNK = MOST_BESIDE_BYTES
    # Pillow's own reader takes 16-bit planes for 8-bit ones (13.0); libtiff is no slower: 24 ms for 12 megapixels.
    TiffImagePlugin.READ_LIBTIFF = True


@cache
def _prepare_heif() -> None:
    import pi_heif

    pi_heif.register_heif_opener()


@cache
def _prepare_jxl() -> None:
    try:
        from pillow_jxl import JpegXLImagePlugin
    except ImportError as error:
        raise BadImage(f"a JPEG XL file: {how_to_read('jxl')}") from error
    JpegXLImagePlugin.DECODE_THREADS = 0  # there is already a process per core, and each thread takes address space


def _silence_pillow() -> None:
    """Keep Pillow's warnings about damaged tags away from the terminal; again each time, as filters can be reset."""
    if not any(each[0] == "ignore" and each[3] == _PILLOW for each in warnings.filters):
        warnings.filterwarnings("ignore", module=_PILLOW.pattern)
