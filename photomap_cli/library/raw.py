"""Owns RAW files: which there are, and the preview that the camera put into one; alone here in knowing rawpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from photomap_cli.errors import BadImage

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

EXTENSIONS = frozenset(
    "3fr arw cr2 cr3 crw dcr dng erf iiq kdc mef mos mrw nef nrw orf pef raf rw2 rwl sr2 srf srw x3f".split()  # noqa: SIM905
)
"""Files with these extensions, in any case, are RAW; what is inside does not tell, as many of them are TIFFs."""

WITHOUT_RAWPY = 'a RAW file: pip install "photomap-cli[raw]" reads its preview'

_TURNS = {0: 1, 3: 3, 5: 8, 6: 6}
"""LibRaw's `flip` in EXIF's numbers."""


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


def is_raw(name: str) -> bool:
    """Whether a file of this name is a RAW file."""
    return name.rpartition(".")[2].lower() in EXTENSIONS


def preview(path: Path) -> Preview:
    """Return the preview in a RAW file, or the photo developed at half its size where there is none.

    Raises BadImage, which says how to get rawpy where it is not installed; rawpy's own errors pass.
    """
    try:
        import rawpy
    except ImportError as error:
        raise BadImage(WITHOUT_RAWPY) from error
    with rawpy.imread(str(path)) as shot:
        sizes = shot.sizes
        return Preview(_picture_in(shot, rawpy), (sizes.width, sizes.height), _TURNS.get(sizes.flip, 1), _lens_of(shot))


def _picture_in(shot: Any, rawpy: Any) -> bytes:
    try:
        found = shot.extract_thumb()
    except (rawpy.LibRawNoThumbnailError, rawpy.LibRawUnsupportedThumbnailError):
        return _ppm(shot.postprocess(half_size=True, use_camera_wb=True, user_flip=0))
    return bytes(found.data) if found.format == rawpy.ThumbFormat.JPEG else _ppm(found.data)


def _ppm(pixels: np.ndarray) -> bytes:
    """Return pixels (h, w, 3) uint8 as a picture file."""
    height, width, _ = pixels.shape
    return b"P6 %d %d 255\n" % (width, height) + pixels.tobytes()


def _lens_of(shot: Any) -> str | None:
    """Return the lens by the name that LibRaw found in the maker's notes; older rawpy does not say."""
    name = getattr(getattr(shot, "lens", None), "model", None) or ""
    return str(name).strip("\0 ") or None
