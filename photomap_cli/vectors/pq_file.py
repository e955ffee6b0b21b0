"""Owns `vectors.pq`: four bits for every two dimensions of the first rows, derived from the row file.  Scores nothing.

A page of header, then faiss's serialised index.  The header names the library, identifies the rows that
were compressed and has a checksum of the rest: a file that is torn, of another library, or newer than a catalogue that
lost its last photos isn't used.  The file is never changed, only replaced.
"""

from __future__ import annotations

import mmap
import os
import zlib
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from photomap_cli import files
from photomap_cli.vectors.file_header import PAGE, HeaderFields
from photomap_cli.vectors.flat_index import faiss, merged
from photomap_cli.vectors.vector_file import TAIL
from photomap_cli.vectors.view import live_among

if TYPE_CHECKING:
    from photomap_cli.vectors.flat_index import Found, StoredRows
    from photomap_cli.vectors.view import View

FILE_NAME = "vectors.pq"
BLOCK = 32
"""faiss compresses this many rows together; only full blocks are compressed, the tail is scanned."""

RERANKED, RERANKED_PER_HIT = 500, 15
"""How many rows are scored exactly for k hits: 500 + 15 k.  Of a million clustered vectors, 400 had all of the 10 best
of 800 queries and 2,000 had 99.99 % of the 100 best; 2,000 rows add 0.8 ms to a scan of 5 ms."""

DEEPEST_SHARE = 32
"""A search that would score more than one in this many rows is better done without compression."""

_FIELDS = HeaderFields(b"photompq", version=3, numbers="QQIIIQ")


@dataclass(frozen=True, slots=True)
class Header:
    """The header of the file.

    Attributes:
        library_id, dim: of the library whose rows these are.
        count: how many of the first rows are compressed.
        trained_count: how many rows there were when the code was trained.
        depth: the factor on RERANKED that the self-check asked for; 0 when these vectors do not compress, and there
            is no index.
        tail_crc: of the last rows compressed.
        body_crc, body_bytes: of the index.
    """

    library_id: str
    dim: int
    count: int
    trained_count: int
    depth: int
    tail_crc: int
    body_crc: int = 0
    body_bytes: int = 0

    def pack(self) -> bytes:
        """Return the header's bytes."""
        return _FIELDS.pack(*astuple(self))

    @classmethod
    def unpack(cls, page: bytes) -> Header | None:
        """Return the header in these bytes; None if they are damaged, of another version or no header."""
        fields = _FIELDS.unpack(page)
        return cls(*fields) if fields else None


@dataclass(frozen=True, slots=True, eq=False)
class PqRows:
    """A library's first rows, compressed; `index` is None if `header.depth` is 0.  Any thread may search."""

    header: Header
    index: Any = None
    memory: np.ndarray | None = None  # memory that the index may point into

    def is_of(self, view: View) -> bool:
        """Return whether these are the library's rows, judging by the last ones."""
        return self.header.dim == view.rows.dim and self.header.tail_crc == tail_crc(view.rows, self.header.count)

    def candidates(self, query: np.ndarray, k: int, live: np.ndarray | None) -> np.ndarray | None:
        """Return the rows worth scoring for the k best, in order; None if scanning all is better.

        Rows of deleted photos are dropped after fetching, so more are fetched until there are enough.
        """
        wanted = reach(self.header.depth, k)
        fetched = wanted
        while wanted and fetched * DEEPEST_SHARE <= self.header.count:
            rows = live_among(self.nearest(query, fetched), live)
            if len(rows) >= wanted:
                return np.sort(rows[:wanted])
            fetched *= 4
        return None

    def best(self, view: View, query: np.ndarray, k: int) -> Found | None:
        """Return the k best photos of these rows and of the tail, with exact scores.

        None if scanning all is better.
        """
        candidates = self.candidates(query, k, view.live)
        if candidates is None:
            return None
        behind = (self.header.count, view.count)
        return merged([view.rows.score(query, k, candidates), view.rows.scan(query, k, view.live, behind)])

    def nearest(self, query: np.ndarray, count: int) -> np.ndarray:
        """Return `count` rows, including deleted ones, best first by the compressed vectors."""
        faiss()
        rows: np.ndarray = self.index.search(query, count)[1][0]
        return rows[rows >= 0]


def reach(depth: int, k: int) -> int:
    """Return how many rows are scored for k hits."""
    return depth * (RERANKED + RERANKED_PER_HIT * k)


def tail_crc(rows: StoredRows, count: int) -> int:
    """Return a checksum that tells rows of a lost batch from those that got their numbers later."""
    return zlib.crc32(rows.codes[max(0, count - TAIL) : count].data)


class PqFile:
    """The file in a library's folder.  Methods raise OSError when it cannot be read or written."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self._draft = self.path.with_suffix(".pq.new")

    def signature(self) -> tuple[int, int, int] | None:
        """Return what changes when the file is replaced; None when there is none.  Costs some microseconds."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def read(self) -> PqRows | None:
        """Return the file's verified content; None if damaged.  128 MB, a million rows, take 0.1 s."""
        with files.reading(self.path) as file:
            header = Header.unpack(file.read(PAGE))
            if header is None or os.fstat(file.fileno()).st_size != PAGE + header.body_bytes:
                return None
            memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        body = np.frombuffer(memory, np.uint8, offset=PAGE)
        return PqRows(header, _index_in(body), body) if zlib.crc32(body.data) == header.body_crc else None

    def write(self, made: PqRows) -> PqRows:
        """Replace the file in one step; return its new content."""
        header = made.header
        try:
            with files.open_new(self._draft) as file:
                file.write(bytes(PAGE))
                if header.depth:
                    header = _write_index(file, made)
                file.seek(0)
                file.write(header.pack())
                file.flush()
                os.fsync(file.fileno())
            files.move_into_place(self._draft, self.path)
        finally:
            self._draft.unlink(missing_ok=True)
        return replace(made, header=header)

    def discard(self) -> None:
        """Delete the file."""
        self.path.unlink(missing_ok=True)


def _write_index(file: IO[bytes], made: PqRows) -> Header:
    """Write the index in pieces, as a copy in memory would double its size."""
    library, checksum = faiss(), 0

    def write(piece: bytes) -> int:
        nonlocal checksum
        checksum = zlib.crc32(piece, checksum)
        return file.write(piece)

    library.write_index(made.index, library.PyCallbackIOWriter(write))
    return replace(made.header, body_crc=checksum, body_bytes=file.tell() - PAGE)


def _index_in(body: np.ndarray) -> Any:
    """Return the index in these bytes, which must outlive it."""
    library = faiss()
    return library.read_index(library.ZeroCopyIOReader(library.swig_ptr(body), len(body))) if len(body) else None
