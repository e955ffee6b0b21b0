"""Owns values that pass between the library's modules; they aren't sent over the socket."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from photomap_cli.errors import EncoderMismatch
from photomap_cli.library.file_identity import ctime_ns, inode, mtime_ns

if TYPE_CHECKING:
    import os

    from photomap_cli.records import EncoderInfo

STORED = np.dtype("<f2")
"""How vectors are stored: half precision keeps scores to three digits in half the space."""

SIDES = 2
"""The number of a panorama's vectors besides the one of its middle."""


PROBES_NAME = "text-probes"
IMAGE_PROBES_NAME = "image-probes"
"""The file in the library's folder with its encoder's vectors of the probe texts."""

FileMark = tuple[int, int]
"""A file's size in bytes and the time of its last change, in nanoseconds."""

FileState = tuple[str, int]
"""A file's path and the time of its last change, in nanoseconds."""


@dataclass(frozen=True, slots=True)
class LibraryEncoder:
    """The encoder that made a library's vectors: its spec string, their dimension, and its precision.

    `fingerprint` identifies its weights.
    """

    spec: str
    dim: int
    precision: str
    fingerprint: str = ""

    @classmethod
    def of(cls, info: EncoderInfo) -> Self:
        """Return what a library keeps of a loaded encoder."""
        return cls(info.spec, info.dim, info.dtype, info.fingerprint)

    def has_weights_of(self, info: EncoderInfo) -> bool:
        """Return whether a loaded encoder has the same weights."""
        return self.fingerprint == info.fingerprint

    def require(self, info: EncoderInfo) -> None:
        """Raise EncoderMismatch unless this is the loaded encoder, as different encoders' vectors can't be compared."""
        if self.spec != info.spec:
            raise EncoderMismatch(
                f"the library's vectors were made by {self.spec}, not by {info.spec}",
                hint=f"photomap index --rebuild --encoder {info.spec}",
            )
        if self.dim != info.dim or not self.has_weights_of(info):
            raise EncoderMismatch(
                f"{self.spec} has other weights now than those that made the library's vectors",
                hint="`photomap index --rebuild` encodes all photos again; or put the old weights back",
            )


@dataclass(frozen=True, slots=True, eq=False)
class NewPhoto:
    """A photo to add: a file's facts, those of `exif.PhotoFacts`, its digest, and its vector, (dim,) of unit length.

    `sides` are the vectors of a panorama's left and right, (2, dim).
    """

    path: str
    size_bytes: int
    mtime_ns: int
    taken_at: str | None
    width: int
    height: int
    camera: str | None
    vector: np.ndarray
    lens: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    orientation: int = 1
    content_hash: bytes = b""
    is_day: bool = False
    damage: str | None = None
    extension: str = ""
    rating: int | None = None
    kind: str = "photo"
    seconds: float | None = None
    ctime_ns: int = 0
    inode: int = 0
    sides: np.ndarray | None = None

    @classmethod
    def of(cls, file: FoundFile, vector: np.ndarray, **facts: Any) -> NewPhoto:
        """Return the photo of a file, with its vector and other facts."""
        facts |= {"ctime_ns": file.ctime_ns, "inode": file.inode}
        return cls(file.path, file.size_bytes, file.mtime_ns, vector=vector, **facts)

    def at(self, file: FoundFile) -> NewPhoto:
        """Return the photo of another file with the same bytes."""
        return replace(
            self,
            path=file.path,
            size_bytes=file.size_bytes,
            mtime_ns=file.mtime_ns,
            ctime_ns=file.ctime_ns,
            inode=file.inode,
        )


class PhotoContent(NamedTuple):
    """A photo's row and path, and its file's size and digest."""

    row: int
    path: str
    size_bytes: int
    content_hash: bytes


class FoundAgain(NamedTuple):
    """A photo in the library, with the new path, times and inode of its file, whose bytes are the same."""

    row: int
    path: str
    mtime_ns: int
    ctime_ns: int = 0
    inode: int = 0


@dataclass(frozen=True, slots=True)
class FoundFile:
    """The present state of a photo file.

    Attributes:
        path: absolute.
        size_bytes, mtime_ns: its size and the time of its last change.
        ctime_ns, inode: reveal changes that leave size and time unchanged.
        raw: the RAW file beside a picture, in case the picture can't be read.
    """

    path: str
    size_bytes: int
    mtime_ns: int
    ctime_ns: int = 0
    inode: int = 0
    raw: FoundFile | None = None

    @classmethod
    def of(cls, path: str, info: os.stat_result) -> FoundFile:
        """Return the file at a path from its stat result."""
        return cls(path, info.st_size, mtime_ns(info), ctime_ns(info), inode(info))

    def again(self, row: int) -> FoundAgain:
        """Return the same file as a photo's file."""
        return FoundAgain(row, self.path, self.mtime_ns, self.ctime_ns, self.inode)


class SeenFile(NamedTuple):
    """A file as it was when its photo was added.  A ctime or inode of 0 means unknown."""

    row: int
    size_bytes: int
    mtime_ns: int
    ctime_ns: int = 0
    inode: int = 0

    def has_changed(self, now: FoundFile) -> bool:
        """Return whether the file has another size or time of change."""
        return (self.size_bytes, self.mtime_ns) != (now.size_bytes, now.mtime_ns)

    def was_touched(self, now: FoundFile) -> bool:
        """Return whether a file with its old size and time was changed in any other way.

        A ctime that now equals the time of change, with another inode, is from a file system without ctimes, as FAT
        shows after remounting.
        """
        if self.ctime_ns in (0, now.ctime_ns):
            return False
        return now.ctime_ns != now.mtime_ns or now.inode == self.inode

    def has_other_inode(self, now: FoundFile) -> bool:
        """Return whether the inode says it is another file, as far as its file system keeps inodes."""
        return self.inode not in (0, now.inode)


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """A snapshot that the vector file must agree with.

    Rows 0 .. next_row - 1 exist; those in `tombstones` (int64, sorted) belong to deleted photos.
    `dim` is 0 before the first encoder.  Photos in `panoramas` (int64, sorted) have two more vectors, of their sides:
    `sides`, as stored, (n, 2, dim).
    """

    library_id: str
    dim: int
    next_row: int
    tombstones: np.ndarray
    panoramas: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    sides: np.ndarray = field(default_factory=lambda: np.empty((0, SIDES, 0), STORED))

    @property
    def photo_count(self) -> int:
        """How many photos there are."""
        return self.next_row - len(self.tombstones)

    def is_photo(self) -> np.ndarray:
        """Return for each row whether its photo still exists."""
        is_there = np.ones(self.next_row, bool)
        is_there[self.tombstones] = False
        return is_there
