"""Owns RAW files: which there are, and the preview that the camera put into one; alone here in knowing rawpy."""

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
"""A smaller thumbnail shows too little; Adobe's converter makes one of 256 where it is asked for no preview."""

_TIFF_STARTS = {b"IIRO": b"II*\0", b"IIRS": b"II*\0", b"MMOR": b"MM\0*", b"IIU\0": b"II*\0"}
"""How Olympus and Panasonic start what is a TIFF otherwise."""

_NOTES_BYTES = 1 << 20
_CANON_NOTES = (b"CMT1", b"CMT2", b"CMT4")
_CANON_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Preview:
    """The picture in a RAW file, as the bytes of a picture file; the photo's own (width, height), turn and lens."""

    file: bytes
    size: tuple[int, int]
    turn: int
    lens: str | None

    def turn_of(self, stored: tuple[int, int]) -> int:
        """Return how a picture of this (width, height) has to be turned: some cameras store it upright already."""
        is_upright = self.turn >= 5 and (stored[0] > stored[1]) != (self.size[0] > self.size[1])
        return 1 if is_upright else self.turn


def is_raw(name: str, kind: str | None = None) -> bool:
    """Whether a file of this name is a RAW file; not if it says it is of a `kind` that none starts like."""
    return name.rpartition(".")[2].lower() in RAW_EXTENSIONS and kind in _LOOKS


def preview(path: Path) -> Preview:
    """Return the preview in a RAW file, or the photo developed at half its size where there is none.

    Raises BadImage, which says how to get rawpy where it is not installed; rawpy's other errors pass.
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
    """Return the TIFF in which a RAW file keeps its EXIF; of a Canon CR3 three: main table, details, place."""
    start = file.read(_NOTES_BYTES)
    if is_boxed(start):
        notes = _canon_notes(start)
        return [io.BytesIO(notes[kind]) for kind in _CANON_NOTES if kind in notes]
    if start[:4] in _TIFF_STARTS:
        return [io.BytesIO(_TIFF_STARTS[start[:4]] + start[4:])]
    file.seek(0)
    return [file]


def _canon_notes(start: bytes) -> dict[bytes, bytes]:
    """Return the boxes in the one that Canon puts into a film's header, by their kinds."""
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
    """Return the lens by the name that LibRaw found in the maker's notes; older rawpy does not say."""
    name = getattr(getattr(shot, "lens", None), "model", None) or ""
    return str(name).strip("\0 ") or None
