"""Owns RAW files: recognising them, and reading the camera's preview; the only module that knows rawpy."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from photomap_cli.errors import BadImage
from photomap_cli.images import heif
from photomap_cli.library.file_types import RAW_EXTENSIONS
from photomap_cli.library.signatures import is_boxed

if TYPE_CHECKING:
    import numpy as np

WITHOUT_RAWPY = 'a RAW file; to read these: pip install "photomap-cli[raw]"'

_LOOKS = frozenset({None, "TIFF", "HEIF"})  # most are TIFFs inside; Canon's CR3 is made of boxes
_TURNS = {0: 1, 3: 3, 5: 8, 6: 6}
"""LibRaw's `flip` in EXIF's numbers."""

_LEAST_PREVIEW_PX = 320
"""A smaller preview shows too little; Adobe's converter makes one of 256 pixels even if asked for none."""

_TIFF_STARTS = {b"IIRO": b"II*\0", b"IIRS": b"II*\0", b"MMOR": b"MM\0*", b"IIU\0": b"II*\0"}
"""The first bytes of Olympus's and Panasonic's files, which are TIFFs otherwise."""

_NOTES_BYTES = 1 << 20
_CANON_NOTES = (b"CMT1", b"CMT2", b"CMT4")
_CANON_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Preview:
    """The picture in a RAW file, as a picture file's bytes; the photo's own (width, height), orientation and lens."""

    file: bytes
    size: tuple[int, int]
    turn: int
    lens: str | None

    def turn_of(self, stored: tuple[int, int]) -> int:
        """Return the orientation of a picture of this (width, height); some cameras already store it upright."""
        is_upright = self.turn >= 5 and (stored[0] > stored[1]) != (self.size[0] > self.size[1])
        return 1 if is_upright else self.turn


def is_raw(name: str, kind: str | None = None) -> bool:
    """Return whether a file of this name is a RAW file; not if its content is of a `kind` that RAW files aren't."""
    return name.rpartition(".")[2].lower() in RAW_EXTENSIONS and kind in _LOOKS


def preview(path: Path) -> Preview:
    """Return the preview in a RAW file, or if there is none, the photo developed at half size.

    Raises BadImage, which says how to install rawpy if it is missing; rawpy's other errors pass through.
    """
    try:
        import rawpy
    except ImportError as error:
        raise BadImage(WITHOUT_RAWPY) from error
    try:
        with rawpy.imread(str(path)) as shot:
            size, turn = (shot.sizes.width, shot.sizes.height), _TURNS.get(shot.sizes.flip, 1)
            return Preview(_picture_in(shot, rawpy), size, turn, _lens_of(shot))
    except rawpy.LibRawIOError as error:
        raise BadImage("truncated") from error
    except rawpy.LibRawFileUnsupportedError as error:
        raise BadImage("damaged, or from a camera that LibRaw doesn't know") from error


def tiffs(file: BinaryIO) -> list[BinaryIO]:
    """Return the TIFF in which a RAW file keeps its EXIF; three for a Canon CR3: main table, details, GPS."""
    start = file.read(_NOTES_BYTES)
    if is_boxed(start):
        notes = _canon_notes(start)
        return [io.BytesIO(notes[kind]) for kind in _CANON_NOTES if kind in notes]
    if start[:4] in _TIFF_STARTS:
        return [io.BytesIO(_TIFF_STARTS[start[:4]] + start[4:])]
    file.seek(0)
    return [file]


def _canon_notes(start: bytes) -> dict[bytes, bytes]:
    """Return the boxes inside Canon's box in the movie header, by kind."""
    for kind, first, last in heif.boxes(start):
        if kind == b"moov":
            for inner, begin, end in heif.boxes(start, first, last):
                if inner == b"uuid":
                    return {name: start[at:to] for name, at, to in heif.boxes(start, begin + _CANON_ID_BYTES, end)}
    return {}


def _picture_in(shot: Any, rawpy: Any) -> bytes:
    try:
        found = shot.extract_thumb()
    except (rawpy.LibRawNoThumbnailError, rawpy.LibRawUnsupportedThumbnailError):
        return _developed(shot)
    if found.format == rawpy.ThumbFormat.JPEG:
        return bytes(found.data)
    return _ppm(found.data) if max(found.data.shape) >= _LEAST_PREVIEW_PX else _developed(shot)


def _developed(shot: Any) -> bytes:
    return _ppm(shot.postprocess(half_size=True, use_camera_wb=True, user_flip=0))


def _ppm(pixels: np.ndarray) -> bytes:
    """Return pixels (h, w, 3) uint8 as a picture file."""
    height, width, _ = pixels.shape
    return b"P6 %d %d 255\n" % (width, height) + pixels.tobytes()


def _lens_of(shot: Any) -> str | None:
    """Return the lens name that LibRaw found in the maker notes; older rawpy doesn't tell."""
    name = getattr(getattr(shot, "lens", None), "model", None) or ""
    return str(name).strip("\0 ") or None
