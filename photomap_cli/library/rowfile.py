"""Owns `vectors.f16`: all stored vectors in one mappable file, derived from the catalogue.  Searches nothing.

A page of header, then one fp16 row for each row number of the catalogue.  The header names the library and counts the
rows that are known to be on the disk, so that a power cut can only lose rows that nobody counts on; they are filled in
again from the catalogue.  Rows are appended, never changed, and the file is never cut but replaced: another process may
have it mapped.
"""

from __future__ import annotations

import mmap
import os
import struct
import zlib
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

import numpy as np

from photomap_cli.library.entries import STORED, Snapshot
from photomap_cli.library.locks import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    BlobsFrom = Callable[[int], Iterable[tuple[int, bytes]]]  # (row, fp16 bytes) in order, from a row on

PAGE = 4096
"""Bytes in front of the rows; whoever maps the file may write into its own copy of them."""

FILE_NAME = "vectors.f16"
LOCK_NAME = "vectors.lock"
TAIL = 16
"""How many of the last rows `contradicts` compares with the catalogue."""

_FIELDS = struct.Struct("<8sII32sQ")  # magic, format version, dim, library id, rows
_CHECKED = struct.Struct("<I")  # CRC of the fields
_MAGIC = b"photomap"
_VERSION = 1
_ROWS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class Header:
    """What the file's first bytes say."""

    library_id: str
    dim: int
    count: int

    def pack(self) -> bytes:
        """Return the header's bytes: so few that a disk writes them whole or not at all."""
        fields = _FIELDS.pack(_MAGIC, _VERSION, self.dim, self.library_id.encode(), self.count)
        return fields + _CHECKED.pack(zlib.crc32(fields))

    @classmethod
    def unpack(cls, page: bytes) -> Header | None:
        """Return the header in these bytes; None if they are damaged, of another version or none."""
        if len(page) < _FIELDS.size + _CHECKED.size:
            return None
        magic, version, dim, library_id, count = _FIELDS.unpack_from(page)
        (checked,) = _CHECKED.unpack_from(page, _FIELDS.size)
        if (magic, version, checked) != (_MAGIC, _VERSION, zlib.crc32(page[: _FIELDS.size])):
            return None
        return cls(library_id.rstrip(b"\0").decode(errors="replace"), dim, count)

    def belongs_to(self, snapshot: Snapshot) -> bool:
        """Whether the rows are those of this library."""
        return self.library_id == snapshot.library_id and self.dim == snapshot.dim


class RowFile:
    """The file in a library's folder.  Methods raise OSError when it cannot be read or written.

    `say` is told of a file that was of no use and is written anew.
    """

    def __init__(self, folder: Path, say: Callable[[str], None] = lambda _words: None) -> None:
        self.path = folder / FILE_NAME
        self._say = say
        self._lock_path = folder / LOCK_NAME

    def map(self, snapshot: Snapshot) -> mmap.mmap | None:
        """Return the page and the snapshot's rows, as private memory backed by the file; None if `repair` is due."""
        try:
            with self.path.open("rb") as file:
                header = _header(file)
                if header is None or not header.belongs_to(snapshot) or header.count != snapshot.next_row:
                    return None
                return mmap.mmap(file.fileno(), PAGE + header.count * row_bytes(header.dim), access=mmap.ACCESS_COPY)
        except FileNotFoundError:
            return None

    def contradicts(self, snapshot: Snapshot, blobs_from: BlobsFrom) -> bool:
        """Whether one of the last rows is not the catalogue's.

        So it is where the catalogue lost its last batches in a power cut and gave their rows to other photos.
        """
        try:
            with self.path.open("rb") as file:
                header = _header(file)
                if header is None or not header.belongs_to(snapshot):
                    return False
                first = max(0, header.count - TAIL)
                file.seek(PAGE + first * row_bytes(header.dim))
                tail = np.frombuffer(file.read((header.count - first) * row_bytes(header.dim)), STORED)
        except FileNotFoundError:
            return False
        rows = tail.reshape(header.count - first, header.dim)
        stored = takewhile(lambda each: each[0] < header.count, blobs_from(first))
        return any(rows[row - first].tobytes() != blob for row, blob in stored)

    def repair(
        self, take_snapshot: Callable[[], Snapshot], blobs_from: BlobsFrom, *, anew: bool = False
    ) -> tuple[Snapshot, mmap.mmap]:
        """Bring the file to what the catalogue says now, by appending or by writing it `anew`, and map it.

        Under the lock, with a snapshot taken inside it: whatever another process did meanwhile is kept.
        """
        with FileLock(self._lock_path):
            snapshot = take_snapshot()
            header = None if anew else self._header()
            # More rows than the catalogue has are left of batches it lost; some may have been given away again.
            if header is None or not header.belongs_to(snapshot) or header.count > snapshot.next_row:
                if self.path.exists():
                    self._say(f"{FILE_NAME} did not match the catalogue and was made anew")
                self._write(snapshot, blobs_from)
            elif header.count < snapshot.next_row:
                self._append(header, snapshot, blobs_from)
            memory = self.map(snapshot)
        if memory is None:
            raise OSError(f"{self.path} does not hold what was written to it")
        return snapshot, memory

    def discard(self) -> None:
        """Take the file away, for its library has begun again."""
        with FileLock(self._lock_path):
            self.path.unlink(missing_ok=True)

    def _header(self) -> Header | None:
        try:
            with self.path.open("rb") as file:
                return _header(file)
        except FileNotFoundError:
            return None

    def _append(self, header: Header, snapshot: Snapshot, blobs_from: BlobsFrom) -> None:
        with self.path.open("r+b") as file:
            _fill(file, header.count, snapshot, blobs_from)

    def _write(self, snapshot: Snapshot, blobs_from: BlobsFrom) -> None:
        draft = self.path.with_suffix(".new")
        try:
            with draft.open("wb") as file:
                file.write(bytes(PAGE))
                _fill(file, 0, snapshot, blobs_from)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
        finally:
            draft.unlink(missing_ok=True)  # a full disk's last bytes are not for half a file


def row_bytes(dim: int) -> int:
    """Return the size of one row."""
    return dim * STORED.itemsize


def in_memory(snapshot: Snapshot, blobs_from: BlobsFrom) -> mmap.mmap:
    """Return the page and the snapshot's rows without a file, for a library that cannot be written."""
    memory = mmap.mmap(-1, PAGE + snapshot.next_row * row_bytes(snapshot.dim))
    memory.seek(PAGE)
    for piece in _pieces(0, snapshot, blobs_from):
        memory.write(piece)
    return memory


def _header(file: BinaryIO) -> Header | None:
    """Return the header of a file that is as long as it says."""
    header = Header.unpack(file.read(PAGE))
    if header is None or os.fstat(file.fileno()).st_size < PAGE + header.count * row_bytes(header.dim):
        return None
    return header


def _fill(file: BinaryIO, first: int, snapshot: Snapshot, blobs_from: BlobsFrom) -> None:
    """Write the rows from `first` on, then, when they are on the disk, the header that counts them."""
    file.seek(PAGE + first * row_bytes(snapshot.dim))
    for piece in _pieces(first, snapshot, blobs_from):
        file.write(piece)
    file.flush()
    _sync(file.fileno())
    file.seek(0)
    file.write(Header(snapshot.library_id, snapshot.dim, snapshot.next_row).pack())


def _pieces(first: int, snapshot: Snapshot, blobs_from: BlobsFrom) -> Iterator[memoryview]:
    """Yield the bytes of the rows from `first` on, zeros for photos that are gone."""
    blobs = iter(blobs_from(first))
    row, blob = next(blobs, (snapshot.next_row, b""))
    for start in range(first, snapshot.next_row, _ROWS_AT_ONCE):
        end = min(start + _ROWS_AT_ONCE, snapshot.next_row)
        piece = np.zeros((end - start, snapshot.dim), STORED)
        while row < end:
            piece[row - start] = np.frombuffer(blob, STORED)
            row, blob = next(blobs, (snapshot.next_row, b""))
        yield piece.data.cast("B")


# macOS and Windows have no fdatasync.
_sync = getattr(os, "fdatasync", os.fsync)
