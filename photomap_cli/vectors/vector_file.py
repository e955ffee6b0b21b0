"""Owns `vectors.f16`: all stored vectors in one mappable file, derived from the catalogue.  Searches nothing.

A header (`file_header.py`), then one fp16 row for each photo there was when the file was written, and one for each row
number of the catalogue after that.  The header names the library and says up to which row all are known to be on the
disk, so that a power cut can only lose rows that nobody counts on; they are filled in again from the catalogue.  Rows
are appended, never changed, and the file is never cut but replaced: another process may have it mapped.
"""

from __future__ import annotations

import mmap
import os
import sys
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING

import numpy as np

from photomap_cli import files
from photomap_cli.library.entities import STORED, Snapshot
from photomap_cli.library.file_lock import FileLock
from photomap_cli.vectors.file_header import NUMBER, PAGE, Header, crc_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from typing import IO

    BlobsFrom = Callable[[int], Iterable[tuple[int, bytes]]]  # (row, fp16 bytes) in order, from a row on

FILE_NAME = "vectors.f16"
LOCK_NAME = "vectors.lock"
DRAFT_NAME = "vectors.swept.new"
TAIL = 16
"""How many of the last rows `contradicts` compares with the catalogue."""

_ROWS_AT_ONCE = 4096
_END = (sys.maxsize, b"")


@dataclass(frozen=True, slots=True, eq=False)
class Mapped:
    """The file in private memory that is backed by it; `inode` names it, as far as there is one."""

    header: Header
    memory: mmap.mmap
    inode: int | None

    @property
    def numbers(self) -> np.ndarray | None:
        """The row at each place, rising; None where a row's number is its place."""
        return self.header.numbers(self.kept)

    @property
    def kept(self) -> np.ndarray:
        """The rows that the header lists."""
        return np.frombuffer(self.memory, NUMBER, self.header.kept, PAGE)


class VectorFile:
    """The file in a library's folder.  Methods raise OSError when it cannot be read or written.

    `say` is told of a file that was of no use and is written anew.
    """

    def __init__(self, folder: Path, say: Callable[[str], None] = lambda _words: None) -> None:
        self.path = folder / FILE_NAME
        self._say = say
        self._lock_path = folder / LOCK_NAME
        self._draft = folder / DRAFT_NAME

    def inode(self) -> int | None:
        """Return what is another when the file is another one; None when there is none.  Costs some microseconds."""
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
        """Whether the list of rows is damaged, or one of the last rows is not the catalogue's.

        The latter where the catalogue lost its last batches in a power cut and gave their rows to other photos.
        """
        try:
            with files.reading(self.path) as file:
                header = _header(file)
                if header is None or not header.belongs_to(snapshot):
                    return False
                kept = _kept(file, header)
                file.seek(header.place_at(first := max(0, header.count - TAIL)))
                tail = np.frombuffer(file.read(header.size - file.tell()), STORED).reshape(-1, header.dim)
        except FileNotFoundError:
            return False
        if crc_of(kept, header.swept) != header.numbers_crc:
            return True
        numbers = header.numbers(kept)
        rows = np.arange(first, header.count) if numbers is None else numbers[first:]
        there = {int(row): vector.tobytes() for row, vector in zip(rows, tail, strict=True)}
        stored = takewhile(lambda each: each[0] < header.next_row, blobs_from(min(there, default=header.next_row)))
        return any(there.get(row) != blob for row, blob in stored)

    def repair(
        self, take_snapshot: Callable[[], Snapshot], blobs_from: BlobsFrom, *, anew: bool = False
    ) -> tuple[Snapshot, Mapped]:
        """Bring the file to what the catalogue says now, by appending or by writing it `anew`, and map it.

        Under the lock, with a snapshot taken inside it: whatever another process did meanwhile is kept.
        """
        with FileLock(self._lock_path):
            snapshot = take_snapshot()
            header = None if anew else self._right_header(snapshot)
            if header is None:
                if self.path.exists():
                    self._say(f"{FILE_NAME} did not match the catalogue and was made anew")
                self._write(snapshot, blobs_from)
            elif header.next_row < snapshot.next_row:
                self._append(header, snapshot, blobs_from)
            mapped = self.map(snapshot)
        if mapped is None:
            raise OSError(f"{self.path} does not hold what was written to it")
        return snapshot, mapped

    def in_memory(self, snapshot: Snapshot, blobs_from: BlobsFrom) -> Mapped:
        """Return the snapshot's rows without the file, for a library that cannot be written."""
        numbers = np.flatnonzero(snapshot.is_photo())
        header = Header.for_rows(snapshot, numbers)
        memory = mmap.mmap(-1, header.size)
        for piece in _content(header, numbers, blobs_from):
            memory.write(piece)
        return Mapped(header, memory, self.inode())

    def discard(self) -> None:
        """Take the file away, for its library has begun again."""
        with FileLock(self._lock_path):
            self.path.unlink(missing_ok=True)

    def write_draft(self, snapshot: Snapshot, blobs_from: BlobsFrom) -> Mapped:
        """Write the snapshot's rows beside the file, for `adopt_draft`; only one process at a time may do so."""
        with files.fresh(self._draft) as file:
            _write(file, snapshot, blobs_from)
            mapped = _mapped(file, snapshot)
        if mapped is None:
            raise OSError(f"{self._draft} does not hold what was written to it")
        return mapped

    def adopt_draft(self, draft: Mapped, library_id: Callable[[], str]) -> bool:
        """Put the draft in the file's place in one step, and say so; not if the library has begun again since.

        Whoever has the old file mapped keeps it; rows that came since the draft are appended by the next `repair`.
        """
        with FileLock(self._lock_path):
            is_wanted = draft.header.library_id == library_id()
            if is_wanted:
                files.adopt(self._draft, self.path)
            return is_wanted

    def has_draft(self) -> bool:
        """Whether there is one, of a process that writes it or was killed at that."""
        return self._draft.exists()

    def discard_draft(self) -> None:
        """Take away what is left of a draft."""
        self._draft.unlink(missing_ok=True)

    def _right_header(self, snapshot: Snapshot) -> Header | None:
        """Return the header of a file that may be appended to."""
        try:
            with files.reading(self.path) as file:
                header = _header(file)
                if header is None or not header.belongs_to(snapshot) or header.next_row > snapshot.next_row:
                    return None  # more rows than the catalogue has are left of batches it lost; some may be given away
                return None if header.lacks_photos(_kept(file, header), snapshot) else header
        except FileNotFoundError:
            return None

    def _append(self, header: Header, snapshot: Snapshot, blobs_from: BlobsFrom) -> None:
        """Write the rows that are new, zeros for those that have gone already, then the header that counts them."""
        numbers = np.arange(header.next_row, snapshot.next_row)
        with files.changing(self.path) as file:
            file.seek(header.size)
            for piece in _rows(numbers, snapshot.dim, blobs_from):
                file.write(piece)
            file.flush()
            _sync(file.fileno())
            file.seek(0)
            file.write(replace(header, next_row=snapshot.next_row).pack())

    def _write(self, snapshot: Snapshot, blobs_from: BlobsFrom) -> None:
        draft = self.path.with_suffix(".new")
        try:
            with files.fresh(draft) as file:
                _write(file, snapshot, blobs_from)
            files.adopt(draft, self.path)
        finally:
            draft.unlink(missing_ok=True)  # a full disk's last bytes are not for half a file


def _header(file: IO[bytes]) -> Header | None:
    """Return the header of a file that is as long as it says."""
    header = Header.unpack(file.read(PAGE))
    return header if header is not None and os.fstat(file.fileno()).st_size >= header.size else None


def _kept(file: IO[bytes], header: Header) -> np.ndarray:
    """Return the rows that the header lists."""
    file.seek(PAGE)
    return np.frombuffer(file.read(header.kept * NUMBER.itemsize), NUMBER)


def _mapped(file: IO[bytes], snapshot: Snapshot) -> Mapped | None:
    file.seek(0)
    header = _header(file)
    if header is None or not header.belongs_to(snapshot) or header.next_row != snapshot.next_row:
        return None
    memory = mmap.mmap(file.fileno(), header.size, access=mmap.ACCESS_COPY)
    mapped = Mapped(header, memory, os.fstat(file.fileno()).st_ino)
    return None if header.lacks_photos(mapped.kept, snapshot) else mapped


def _write(file: IO[bytes], snapshot: Snapshot, blobs_from: BlobsFrom) -> None:
    """Write a whole file, and wait until it is on the disk."""
    numbers = np.flatnonzero(snapshot.is_photo())
    for piece in _content(Header.for_rows(snapshot, numbers), numbers, blobs_from):
        file.write(piece)
    file.flush()
    _sync(file.fileno())


def _content(header: Header, numbers: np.ndarray, blobs_from: BlobsFrom) -> Iterator[bytes | memoryview]:
    """Yield the bytes of a file that has these rows."""
    yield header.pack().ljust(PAGE, b"\0")
    yield numbers[: header.kept].astype(NUMBER).tobytes().ljust(header.rows_at - PAGE, b"\0")
    yield from _rows(numbers, header.dim, blobs_from)


def _rows(numbers: np.ndarray, dim: int, blobs_from: BlobsFrom) -> Iterator[memoryview]:
    """Yield the bytes of these rows, zeros for photos that are gone."""
    blobs = iter(blobs_from(int(numbers[0]))) if len(numbers) else iter(())
    row, blob = next(blobs, _END)
    for start in range(0, len(numbers), _ROWS_AT_ONCE):
        wanted = numbers[start : start + _ROWS_AT_ONCE].tolist()
        piece = np.zeros((len(wanted), dim), STORED)
        for place, number in enumerate(wanted):
            while row < number:  # a photo that is not wanted
                row, blob = next(blobs, _END)
            if row == number:
                piece[place] = np.frombuffer(blob, STORED)
        yield piece.data.cast("B")


# macOS and Windows have no fdatasync.
_sync = getattr(os, "fdatasync", os.fsync)
