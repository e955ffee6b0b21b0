"""Owns the values that pass between the library's modules; they neither cross the socket nor touch a file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from photomap_cli.errors import EncoderMismatch
from photomap_cli.library.file_identity import ctime_ns, inode, mtime_ns

if TYPE_CHECKING:
    import os

    from photomap_cli.records import EncoderInfo

STORED = np.dtype("<f2")
"""How vectors are stored: half precision keeps scores to three digits in half the space."""

SIDES = 2
"""So many vectors a panorama has beside the one of its middle."""


PROBES_NAME = "text-probes"
IMAGE_PROBES_NAME = "image-probes"
"""The file in the library's folder that holds what its encoder made of some texts."""

FileMark = tuple[int, int]
"""A file's size in bytes and the time of its last change, in nanoseconds."""

FileState = tuple[str, int]
"""A file's path and the time of its last change, in nanoseconds."""


@dataclass(frozen=True, slots=True)
class LibraryEncoder:
    """The encoder that made a library's vectors: its spec string, their length, and the precision it ran in.

    `fingerprint` is of its weights.
    """

    spec: str
    dim: int
    precision: str
    fingerprint: str = ""

    def has_weights_of(self, info: EncoderInfo) -> bool:
        """Whether the weights are those of a loaded encoder."""
        return self.fingerprint == info.fingerprint

    def require(self, info: EncoderInfo) -> None:
        """Raise EncoderMismatch unless this is the loaded encoder: vectors of two cannot be compared."""
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
    """A photo to be added: a file's facts, those of `exif.PhotoFacts`, its digest, its vector: (dim,), unit length.

    `sides` are the vectors of the left and the right of a panorama, (2, dim).
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
        """Return the photo of a file, with a vector and whatever else is known of it."""
        facts |= {"ctime_ns": file.ctime_ns, "inode": file.inode}
        return cls(file.path, file.size_bytes, file.mtime_ns, vector=vector, **facts)

    def at(self, file: FoundFile) -> NewPhoto:
        """Return the photo of another file that has the same bytes."""
        return replace(
            self,
            path=file.path,
            size_bytes=file.size_bytes,
            mtime_ns=file.mtime_ns,
            ctime_ns=file.ctime_ns,
            inode=file.inode,
        )


class PhotoContent(NamedTuple):
    """A photo's row and path, and the size and the digest of its file's bytes."""

    row: int
    path: str
    size_bytes: int
    content_hash: bytes


class FoundAgain(NamedTuple):
    """A photo that the library has, and the path, times and inode that its file, with the same bytes, now has."""

    row: int
    path: str
    mtime_ns: int
    ctime_ns: int = 0
    inode: int = 0


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A photo file as it is now.

    Attributes:
        path: absolute.
        size_bytes, mtime_ns: its size and the time of its last change.
        ctime_ns, inode: what tells of a change that left the two as they were.
        raw: the RAW file beside a picture, for when that cannot be read.
    """

    path: str
    size_bytes: int
    mtime_ns: int
    ctime_ns: int = 0
    inode: int = 0
    raw: FoundFile | None = None

    @classmethod
    def of(cls, path: str, info: os.stat_result) -> FoundFile:
        """Return the file at a path, of which the system says this."""
        return cls(path, info.st_size, mtime_ns(info), ctime_ns(info), inode(info))

    def again(self, row: int) -> FoundAgain:
        """Return that it is the same as a photo's file was."""
        return FoundAgain(row, self.path, self.mtime_ns, self.ctime_ns, self.inode)


class SeenFile(NamedTuple):
    """A file as it was when its photo was added.  A ctime or an inode of 0 is not known, and no sign of anything."""

    row: int
    size_bytes: int
    mtime_ns: int
    ctime_ns: int = 0
    inode: int = 0

    def has_changed(self, now: FoundFile) -> bool:
        """Whether the file has another size, or another time of its last change."""
        return (self.size_bytes, self.mtime_ns) != (now.size_bytes, now.mtime_ns)

    def was_touched(self, now: FoundFile) -> bool:
        """Whether the system has changed anything of a file that has its old size and time.

        A ctime that is now the time of the last change, in another inode, is of a file system that keeps none, as FAT
        does once its disk was away.
        """
        if self.ctime_ns in (0, now.ctime_ns):
            return False
        return now.ctime_ns != now.mtime_ns or now.inode == self.inode

    def has_other_inode(self, now: FoundFile) -> bool:
        """Whether the file is another one by its number, as far as its file system keeps that."""
        return self.inode not in (0, now.inode)


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """What the vector file has to agree with, all of one moment.

    Rows 0 .. next_row - 1 exist; those in `tombstones` (int64, sorted) belong to photos that are gone.
    `dim` is 0 before the first encoder.  Photos in `panoramas` (int64, sorted) have two vectors more, of their sides:
    `sides`, as they are stored, (n, 2, dim).
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
        """Return for each row whether its photo is there."""
        is_there = np.ones(self.next_row, bool)
        is_there[self.tombstones] = False
        return is_there
