"""Owns vector search: exact, over the mapped rows, by faiss, which nothing else imports.  Stores nothing itself."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from photomap_cli.library import rowfile

if TYPE_CHECKING:
    import mmap
    from collections.abc import Callable
    from pathlib import Path

    from photomap_cli.library.catalog import Catalog
    from photomap_cli.library.database import ChangeCounter
    from photomap_cli.library.entries import Snapshot

THREADS = min(8, os.cpu_count() or 1)
THREADED_ROWS = 20_000
"""From here on a search is worth several threads: below, one takes about a millisecond."""

_SPARE = 16
"""Hits fetched beyond k, to see whether equal scores go on past it: copies of one photo are seldom more."""

Found = tuple[np.ndarray, np.ndarray]


class VectorStore:
    """Search over a library's vectors.  Any thread may use it; a context manager.

    Sees the library as of its last `refresh`.
    """

    def __init__(self, folder: Path, catalog: Catalog, *, threads: int = THREADS) -> None:
        self._catalog = catalog
        self._file = rowfile.RowFile(folder)
        self._threads = threads
        self._lock = threading.Lock()
        self._seen: ChangeCounter | None = None
        self._checked_library: str | None = None
        self._view = _View.of_nothing()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="search")  # starts its threads when needed

    def refresh(self) -> None:
        """Take in what any process has committed since the last time; costs microseconds if that is nothing.

        Raises LibraryUnusable or LibraryBusy when the catalogue cannot be read.
        """
        with self._lock:
            counter = self._catalog.change_counter()
            if counter != self._seen:
                self._view = self._current_view()
                self._seen = counter

    def search(self, vector: np.ndarray, k: int, rows: np.ndarray | None = None) -> Found:
        """Return the k best photos for a vector, (dim,) float32 of unit length, among `rows` (int64) if given.

        Rows (int64) and cosines (float32), best first, the lower row first among equals; fewer than k if there are no
        more.  Exact up to the half precision of the stored vectors.
        """
        if self._seen is None:
            self.refresh()
        view = self._view
        allowed = view.bitmap(rows)
        k = min(k, view.count if allowed is None else int(np.bitwise_count(allowed).sum()))
        if k <= 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        query = np.ascontiguousarray(vector, np.float32).reshape(1, view.dim)
        return _without_cut_ties(lambda n: self._scan(view, query, n, allowed), k, view.count)

    def close(self) -> None:
        """Release the mapping and the threads; safe to call twice."""
        with self._lock:
            self._view, self._seen = _View.of_nothing(), None
        self._pool.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _current_view(self) -> _View:
        snapshot = self._catalog.snapshot()
        if not snapshot.next_row:
            return _View.of_nothing()
        try:
            snapshot, memory = self._mapped(snapshot)
        except OSError:  # a library that cannot be written, a full disk
            memory = rowfile.in_memory(snapshot, self._catalog.vectors_from)
        return _View.of(snapshot, memory)

    def _mapped(self, snapshot: Snapshot) -> tuple[Snapshot, mmap.mmap]:
        is_checked = self._checked_library == snapshot.library_id
        is_wrong = not is_checked and self._file.contradicts(snapshot, self._catalog.vectors_from)
        memory = None if is_wrong else self._file.map(snapshot)
        if memory is None:
            snapshot, memory = self._file.repair(self._catalog.snapshot, self._catalog.vectors_from, anew=is_wrong)
        self._checked_library = snapshot.library_id
        return snapshot, memory

    def _scan(self, view: _View, query: np.ndarray, k: int, allowed: np.ndarray | None) -> Found:
        """Return the k best rows, in slices over the threads where there are enough rows."""
        if view.count < THREADED_ROWS or self._threads == 1:
            return _ordered([view.scan(query, k, allowed)])
        cuts = [view.count * part // self._threads for part in range(self._threads + 1)]
        slices = pairwise(cuts)
        return _ordered(list(self._pool.map(lambda rows: view.scan(query, k, allowed, rows), slices)))


@dataclass(eq=False)
class _View:
    """The rows of one moment, and which of them are photos.  `live` is None where all are."""

    count: int
    dim: int
    memory: mmap.mmap | None
    live: np.ndarray | None
    _index: Any = None

    @classmethod
    def of_nothing(cls) -> Self:
        return cls(0, 0, None, None)

    @classmethod
    def of(cls, snapshot: Snapshot, memory: mmap.mmap) -> Self:
        live = None
        if len(snapshot.tombstones):
            is_live = np.ones(snapshot.next_row, bool)
            is_live[snapshot.tombstones] = False
            live = np.packbits(is_live, bitorder="little")
        return cls(snapshot.next_row, snapshot.dim, memory, live)

    def bitmap(self, rows: np.ndarray | None) -> np.ndarray | None:
        """Return the photos among these rows as bits, lowest first; None for every row there is."""
        if rows is None:
            return self.live
        is_wanted = np.zeros(self.count, bool)
        is_wanted[rows[(rows >= 0) & (rows < self.count)]] = True
        wanted = np.packbits(is_wanted, bitorder="little")
        return wanted if self.live is None else wanted & self.live

    def scan(self, query: np.ndarray, k: int, allowed: np.ndarray | None, rows: tuple[int, int] | None = None) -> Found:
        """Return faiss's k best of these rows, in no order to rely on; -1 stands for none."""
        faiss = _faiss()
        faiss.omp_set_num_threads(1)  # of this thread: its own would fight over the cores with ours, for one query
        within = faiss.IDSelectorRange(*rows, True) if rows else None
        chosen = faiss.IDSelectorBitmap(len(allowed), faiss.swig_ptr(allowed)) if allowed is not None else None
        selector = faiss.IDSelectorAnd(within, chosen) if within and chosen else within or chosen
        parameters = faiss.SearchParameters(sel=selector) if selector else None
        scores, found = self._searchable().search(query, k, params=parameters)
        return found[0], scores[0]

    def _searchable(self) -> Any:
        # Two threads may both come here at first; they write and read the same bytes.
        if self._index is None:
            self._index = _index_over(self.memory, self.dim, self.count)
        return self._index


def _without_cut_ties(scan: Callable[[int], Found], k: int, count: int) -> Found:
    """Return the k best of a scan for the best n, fetching more until equal scores do not go on past what was fetched.

    faiss keeps any of several equal rows, and puts the higher row first.
    """
    fetched = min(k + _SPARE, count)
    while True:
        rows, scores = scan(fetched)
        if len(rows) < fetched or fetched == count or scores[-1] < scores[k - 1]:
            return rows[:k], scores[:k]
        fetched = min(fetched * 4, count)


def _ordered(parts: list[Found]) -> Found:
    rows, scores = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    rows, scores = rows[rows >= 0], scores[rows >= 0]
    order = np.lexsort((rows, -scores))
    return rows[order], scores[order]


def _index_over(memory: Any, dim: int, count: int) -> Any:
    """Return a faiss index that points into mapped memory, which has to outlive it.

    faiss's own file header is put right in front of the rows, into this process's copy of the page.

    Not by faiss's own mapping: that asks for random access, and a cold first search over a million rows took 21 s
    instead of 0.5 s.
    """
    faiss = _faiss()
    header = _faiss_header(dim, count)
    start = rowfile.PAGE - len(header)
    memory[start : rowfile.PAGE] = header
    octets = np.frombuffer(memory, np.uint8)[start:]
    return faiss.read_index(faiss.ZeroCopyIOReader(faiss.swig_ptr(octets), len(octets)))


def _faiss_header(dim: int, count: int) -> bytes:
    """Return what faiss writes in front of the rows of an fp16 index: that of an empty one, with the counts put in."""
    faiss = _faiss()
    empty = faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    header = bytearray(faiss.serialize_index(empty).tobytes())
    header[8:16] = count.to_bytes(8, "little")  # after a four-letter name and the dimension
    header[-8:] = (count * rowfile.row_bytes(dim)).to_bytes(8, "little")
    return bytes(header)


@cache
def _faiss() -> Any:
    """Import faiss, which takes some 60 ms, when the first search needs it."""
    import faiss

    return faiss
