"""Owns `vectors.f16`: all stored vectors in one mappable file, derived from the catalogue.  Searches nothing.

A header (`file_header.py`), then a fp16 row for each row number of the catalogue, zeros for deleted photos.
The header names the library and the row up to which all are known to be on disk, so that a power cut can only lose
rows that aren't counted; they are filled in again from the catalogue.  Rows are appended, never changed, and the file
is replaced instead of truncated, as another process may have it mapped.
"""

from __future__ import annotations

import mmap
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from photomap_cli import files
from photomap_cli.library.entities import STORED, Snapshot
from photomap_cli.library.file_lock import FileLock
from photomap_cli.vectors.file_header import PAGE, Header

if TYPE_CHECKING:
    BlobsFrom = Callable[[int], Iterable[tuple[int, bytes]]]  # (row, fp16 bytes) in order, starting at a row

FILE_NAME = "vectors.f16"
LOCK_NAME = "vectors.lock"
TAIL = 16
"""How many of the last rows `contradicts` compares with the catalogue."""

_ROWS_AT_ONCE = 4096
_END = (sys.maxsize, b"")


@dataclass(frozen=True, slots=True, eq=False)
class Mapped:
    """The mapped file; `inode` identifies it, if there is one."""

    header: Header
    memory: mmap.mmap
    inode: int | None


class VectorFile:
    """The file in a library's folder.  Methods raise OSError when it cannot be read or written.

    `say` is called about a useless file that is rewritten.
    """

    def __init__(self, folder: Path, say: Callable[[str], None] = lambda _words: None) -> None:
        self.path = folder / FILE_NAME
        self._say = say
        self._lock_path = folder / LOCK_NAME

    def inode(self) -> int | None:
        """Return what changes when the file is replaced; None if there is none.  Costs some microseconds."""
        try:
            return self.path.stat().st_ino
        except OSError:
            return None

    def map(self, snapshot: Snapshot) -> Mapped | None:
        """Return the snapshot's rows; None if `repair` is due."""
        try:
            with files.reading(self.path) as file:
                return _mapped(file, snapshot)
        except FileNotFoundError:
            return None

    def contradicts(self, snapshot: Snapshot, blobs_from: BlobsFrom) -> bool:
        """Return whether one of the last rows differs from the catalogue's.

        That happens if the catalogue lost its last batches in a power cut and gave their rows to other photos.
        """
        try:
            with files.reading(self.path) as file:
                header = _header(file)
                if header is None or not header.belongs_to(snapshot):
                    return False
                file.seek(header.place_at(first := max(0, header.next_row - TAIL)))
                tail = np.frombuffer(file.read(header.size - file.tell()), STORED).reshape(-1, header.dim)
        except FileNotFoundError:
            return False
        stored = takewhile(lambda each: each[0] < header.next_row, blobs_from(first))
        return any(tail[row - first].tobytes() != blob for row, blob in stored)

    def repair(
        self, take_snapshot: Callable[[], Snapshot], blobs_from: BlobsFrom, *, rebuild: bool = False
    ) -> tuple[Snapshot, Mapped]:
        """Bring the file up to date with the catalogue, by appending or a `rebuild`, and map it.

        Runs under the lock, with a snapshot taken inside it, so another process's changes are kept.
        """
        with FileLock(self._lock_path):
            snapshot = take_snapshot()
            header = self._header()
            if rebuild or header is None or not header.belongs_to(snapshot) or header.is_ahead_of(snapshot):
                if self.path.exists() and (header is None or header.belongs_to(snapshot)):
                    self._say(f"{FILE_NAME} didn't match the library and was rebuilt")
                self._write(snapshot, blobs_from)
            elif header.next_row < snapshot.next_row:
                self._append(header, snapshot, blobs_from)
            mapped = self.map(snapshot)
        if mapped is None:
            raise OSError(f"{self.path} does not hold what was written to it")
        return snapshot, mapped

    def in_memory(self, snapshot: Snapshot, blobs_from: BlobsFrom) -> Mapped:
        """Return the snapshot's rows without the file, for a read-only library."""
        header = Header.of(snapshot)
        memory = mmap.mmap(-1, header.size)
        for piece in _content(snapshot, blobs_from):
            memory.write(piece)
        return Mapped(header, memory, self.inode())

    def discard(self) -> None:
        """Delete the file, as its library was cleared."""
        with FileLock(self._lock_path):
            self.path.unlink(missing_ok=True)

    def _header(self) -> Header | None:
        """Return the header of an intact file; None if there is none."""
        try:
            with files.reading(self.path) as file:
                return _header(file)
        except FileNotFoundError:
            return None

    def _append(self, header: Header, snapshot: Snapshot, blobs_from: BlobsFrom) -> None:
        """Write the new rows, then the header that counts them."""
        with files.open_for_update(self.path) as file:
            file.seek(header.size)
            for piece in _rows(range(header.next_row, snapshot.next_row), snapshot.dim, blobs_from):
                file.write(piece)
            file.flush()
            sync(file.fileno())
            file.seek(0)
            file.write(Header.of(snapshot).pack())

    def _write(self, snapshot: Snapshot, blobs_from: BlobsFrom) -> None:
        draft = self.path.with_suffix(".new")
        try:
            with files.open_new(draft) as file:
                for piece in _content(snapshot, blobs_from):
                    file.write(piece)
                file.flush()
                sync(file.fileno())
            files.move_into_place(draft, self.path)
        finally:
            draft.unlink(missing_ok=True)  # don't leave half a file in a full disk's last bytes


def _header(file: IO[bytes]) -> Header | None:
    """Return the header of a file with the length it claims."""
    header = Header.unpack(file.read(PAGE))
    return header if header is not None and os.fstat(file.fileno()).st_size >= header.size else None


def _mapped(file: IO[bytes], snapshot: Snapshot) -> Mapped | None:
    header = _header(file)
    if header is None or not header.belongs_to(snapshot):
        return None
    if header.next_row != snapshot.next_row or header.is_ahead_of(snapshot):
        return None
    memory = mmap.mmap(file.fileno(), header.size, access=mmap.ACCESS_COPY)
    return Mapped(header, memory, os.fstat(file.fileno()).st_ino)


def _content(snapshot: Snapshot, blobs_from: BlobsFrom) -> Iterator[bytes | memoryview]:
    """Yield the bytes of a file with a snapshot's rows."""
    yield Header.of(snapshot).pack().ljust(PAGE, b"\0")
    yield from _rows(range(snapshot.next_row), snapshot.dim, blobs_from)


def _rows(rows: range, dim: int, blobs_from: BlobsFrom) -> Iterator[memoryview]:
    """Yield the bytes of these rows, zeros for deleted photos."""
    blobs = iter(blobs_from(rows.start))
    row, blob = next(blobs, _END)
    for start in range(rows.start, rows.stop, _ROWS_AT_ONCE):
        piece = np.zeros((min(_ROWS_AT_ONCE, rows.stop - start), dim), STORED)
        while row < start + len(piece):
            piece[row - start] = np.frombuffer(blob, STORED)
            row, blob = next(blobs, _END)
        yield piece.data.cast("B")


# macOS and Windows have no fdatasync.
sync = getattr(os, "fdatasync", os.fsync)
