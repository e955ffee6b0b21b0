"""Owns recovering truncated and corrupt pictures: the ways to read them anyway, and how much of one can be seen."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO

from PIL import Image, ImageChops, ImageFile

from photomap_cli.images import heif
from photomap_cli.images.animation import representative_frame
from photomap_cli.images.formats import kind, opened
from photomap_cli.images.icc import rgb
from photomap_cli.images.visibility import visible_share

LEAST_SHARE = 0.1
"""A picture of which less can be seen is refused: a strip of sky above grey."""

NEARLY_ALL = 0.995

_FILLINGS = {"WebP": b"\0", "HEIF": b"\0", "JPEG 2000": b"\0", "AVIF": b"\0\xff\x55"}
"""Formats whose decoders need a file of full length, and what to pad with."""

_WITH_GARBAGE = frozenset({"WebP", "HEIF", "AVIF"})
"""Formats that fill missing parts with something that looks like a picture."""

_PACKED = frozenset({"JPEG", "PNG", "GIF", *_FILLINGS})
"""Formats whose pixel data never has long runs of zeros."""

_LONGEST_TAIL = 64
_RIFF_BYTES = 12

_EMPTY_BYTES = 4096
_ENDING_BYTES = 8  # a file may end with some

_SHORTER = 100  # shorter by this many hundredths, and at least by this many bytes
_LEAST_SHORTER = 8
_GREY = (128, 128, 128)
_PASSES = {"PNG": ((1, 1), (1, 2), (2, 2), (2, 4), (4, 4), (4, 8), (8, 8)), "GIF": ((1, 1), (1, 2), (1, 4), (1, 8))}
"""For interlaced pictures: the steps in columns and rows after the last pass, the one before, and so on."""

_CODESTREAM, _TILE_PART, _END = b"\xff\x4f\xff\x51", b"\xff\x90", b"\xff\xd9"


@dataclass(slots=True)
class Attempt:
    """A way to read a damaged file; `load` finds out which share of it can be seen.

    `shorter` is the same with less of the file: what both show alike isn't garbage.
    """

    file: BinaryIO
    shorter: BinaryIO | None = None
    share: float = 0.0

    def load(self, image: Image.Image) -> Image.Image:
        """Decode an open picture as far as possible, and return what can be seen."""
        passes = _passes_of(image)
        _load(image)
        if passes:
            image, self.share = _whole_pass(image, passes)
            return image
        found = representative_frame(image)
        if self.shorter and found is image:
            image = _without_garbage(image, self.shorter)
            found = image
        self.share = visible_share(rgb(found))
        return found


def attempts(file: BinaryIO) -> Iterator[Attempt]:
    """Yield the ways to read a damaged file, the best first; use them inside `tolerant`."""
    found = kind(file)
    if found not in _FILLINGS or found == "HEIF":  # the existing tiles of a HEIC are shown as they are
        yield Attempt(file)
    if found == "TIFF":  # the last entries of a table are often empty, and the table often comes last
        file.seek(0)
        yield Attempt(io.BytesIO(file.read() + bytes(_LONGEST_TAIL)))
    if found not in _FILLINGS:
        return
    data = file.read()
    if found == "WebP" and (film := _whole_frames(data)):
        yield Attempt(io.BytesIO(film))
    length = _full_length(data, found)
    if len(data) >= length * LEAST_SHARE:
        end = _END if found == "JPEG 2000" else b""
        less = data[: len(data) - max(_LEAST_SHORTER, len(data) // _SHORTER)]
        for filling in _FILLINGS[found]:
            shorter = _filled(less, length, filling, end) if found in _WITH_GARBAGE else None
            yield Attempt(_filled(data, length, filling, end), shorter)


def _whole_frames(data: bytes) -> bytes:
    """Return a WebP animation cut after its last complete frame; empty for others, or if none is complete."""
    at, is_film = _RIFF_BYTES, False
    while at + 8 <= len(data):
        end = at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        if end > len(data):
            break
        is_film = is_film or data[at : at + 4] == b"ANMF"
        at = end + end % 2
    at = min(at, len(data))
    return data[:4] + (at - 8).to_bytes(4, "little") + data[8:at] if is_film else b""


def without_empty_end(file: BinaryIO) -> BinaryIO:
    """Return a compressed picture without the zeros at its end where data was never copied; others unchanged.

    This finds truncated files of full length, as interrupted copies often leave.
    """
    length = file.seek(0, os.SEEK_END)
    file.seek(max(0, length - _EMPTY_BYTES))
    is_empty = length > _EMPTY_BYTES and not any(file.read(_EMPTY_BYTES))
    if not is_empty or kind(file) not in _PACKED:
        file.seek(0)
        return file
    data = file.read()
    return io.BytesIO(data[: len(data.rstrip(b"\0")) + _ENDING_BYTES])


@contextmanager
def tolerant() -> Iterator[None]:
    """Make Pillow keep what it has decoded of a truncated file; applies to the whole process."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def reason(file: BinaryIO, damage: str) -> str:
    """Return what is wrong with a damaged file: how much is missing if it says its length, else the given reason."""
    found = kind(file)
    if found not in _FILLINGS:
        return damage
    data = file.read()
    return heif.TRUNCATED if _full_length(data, found) > len(data) else damage


def in_short(reason: str) -> str:
    """Return what is wrong with a file that could be read anyway."""
    return reason if reason.startswith((heif.TRUNCATED, "damaged")) else "damaged"


def described(share: float) -> str:
    """Return in words how much of a damaged picture can be seen."""
    return f"{'nearly all' if share >= NEARLY_ALL else f'{100 * share:.0f} %'} of it can be seen"


def _load(image: Image.Image) -> None:
    try:
        image.load()
    except OSError:
        if getattr(image, "tile", None) != []:
            raise
        image.load()  # libtiff reports errors after decoding what it could, so there is nothing left to do


def _filled(data: bytes, length: int, filling: int, end: bytes) -> BinaryIO:
    return io.BytesIO(data + bytes([filling]) * (length - len(end) - len(data)) + end)


def _full_length(data: bytes, kind: str) -> int:
    """Return how long a file should be according to itself."""
    if kind == "WebP":
        return 8 + int.from_bytes(data[4:8], "little")
    if kind == "JPEG 2000":
        return _end_of_codestream(data)
    return heif.full_length(data)


def _end_of_codestream(data: bytes) -> int:
    """Return where the last part that begins in the file ends (ISO/IEC 15444-1, annex A)."""
    at = data.find(_CODESTREAM) + 2
    while 2 <= at < len(data) - 10:
        is_part = data[at : at + 2] == _TILE_PART
        size = int.from_bytes(data[at + 6 : at + 10]) if is_part else 2 + int.from_bytes(data[at + 2 : at + 4])
        if not size:
            break
        at += size
    return max(at, len(data)) + (0 if data.endswith(_END) else len(_END))


def _passes_of(image: Image.Image) -> tuple[tuple[int, int], ...]:
    """Return the passes of an interlaced picture; empty for others.  Call before it is loaded."""
    tiles = getattr(image, "tile", None)
    is_gif = image.format == "GIF" and bool(tiles) and bool(tiles[0][3][1])  # type: ignore[index]
    is_png = image.format == "PNG" and bool(image.info.get("interlace"))
    return _PASSES[str(image.format)] if is_gif or is_png else ()


def _whole_pass(image: Image.Image, passes: tuple[tuple[int, int], ...]) -> tuple[Image.Image, float]:
    """Return the finest complete pass, and its share; if there is none, what there is."""
    for across, down in passes:
        size = -(-image.width // across), -(-image.height // down)
        to_centre = (across, 0, 0.5 - across / 2, 0, down, 0.5 - down / 2)  # "nearest" samples the centre of a pixel
        grid = image.transform(size, Image.Transform.AFFINE, to_centre, Image.Resampling.NEAREST)
        if (share := visible_share(rgb(grid))) >= 1 - LEAST_SHARE:
            return grid.resize(image.size, Image.Resampling.NEAREST), share
    return image, visible_share(rgb(image))


def _without_garbage(image: Image.Image, shorter: BinaryIO) -> Image.Image:
    """Return a picture that is grey from the first row that differs when less of the file is read."""
    seen = rgb(image)
    with suppress(Exception), opened(shorter) as other:
        other.load()
        if (differing := ImageChops.difference(seen, rgb(other)).getbbox()) is None:
            return image
        seen = seen.copy()
        seen.paste(_GREY, (0, differing[1], *seen.size))
        return seen
    return image
