"""Owns vector search: how to scan which rows, and a consistent view.  Stores nothing itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from photomap_cli import processors
from photomap_cli.errors import PhotomapError
from photomap_cli.library.entities import SIDES
from photomap_cli.vectors import flat_index, pq_file, pq_tier, vector_file
from photomap_cli.vectors.flat_index import merged
from photomap_cli.vectors.view import View, bits_of

if TYPE_CHECKING:
    from photomap_cli.library.catalog import Catalog
    from photomap_cli.library.database import ChangeCounter
    from photomap_cli.library.entities import Snapshot
    from photomap_cli.records import PhotoFilter
    from photomap_cli.vectors.flat_index import Found
    from photomap_cli.vectors.vector_file import Mapped

FILES = (vector_file.FILE_NAME, pq_file.FILE_NAME)
"""The files in a library's folder that are derived from its vectors."""

THREADS = min(8, processors.usable())
THREADED_ROWS = 20_000
"""From this number of rows several threads pay off: below, one takes about a millisecond."""

FEW_SHARE = 256
"""Rows are gathered and scored alone if a filter leaves fewer than one in this many.  Of a million rows, 1,000 take
0.1 ms this way and 1.8 ms with a bitmap over all, 3,000 0.4 and 2.3, 10,000 7 and 5."""

BROAD_SHARE, BROAD_FETCHES, DEEPEST_SHARE = 3, 4, 32
"""If a filter leaves more than one row in three, all are scanned, and others dropped from four times as many hits
as expected, if that is less than one row in 32: checking whether a row is allowed takes longer than multiplying
it.  Of a million rows, half take 70 ms with the check and 37 without; a tenth takes 22."""

_SPARE = 16
"""Hits fetched beyond k, to see whether equal scores continue: a photo rarely has more copies."""

_REMEMBERED = 64
"""Recent query vectors, for checking compressed rows."""


class VectorStore:
    """Searches a library's vectors.  Any thread may use it; a context manager.

    Sees the library as of its last `refresh`.
    """

    def __init__(
        self,
        folder: Path,
        catalog: Catalog,
        *,
        threads: int = THREADS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._catalog = catalog
        self._notes: list[str] = []
        self._file = vector_file.VectorFile(folder, self._notes.append)
        self._tier = pq_tier.PqTier(folder, self._notes.append, clock=clock)
        self._threads = threads
        self._lock = threading.Lock()
        self._seen: tuple[ChangeCounter, int | None] | None = None
        self._checked_library: str | None = None
        self._view = View.of_nothing()
        self._recent: tuple[np.ndarray, ...] = ()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="search")  # starts threads when needed
        self._compressing: threading.Thread | None = None
        self._closing = threading.Event()

    def refresh(self) -> None:
        """Pick up what any process has committed since last time; costs microseconds if that is nothing.

        Raises LibraryUnusable or LibraryBusy when the catalogue cannot be read.
        """
        with self._lock:
            counter = self._catalog.change_counter()
            if (counter, self._file.inode()) != self._seen:
                self._view, inode = self._current_view()
                self._seen = counter, inode

    def search(
        self,
        vector: np.ndarray,
        k: int,
        within: Sequence[PhotoFilter] = (),
        *,
        exact: bool = False,
        checkpoint: Callable[[], None] = lambda: None,
    ) -> Found:
        """Return the k best photos, as `search_rows`, among those that meet all filters.

        An exception from `checkpoint` ends it before the scan.
        """
        rows = self._catalog.rows(within, checkpoint=checkpoint) if within else None
        return self.search_rows(vector, k, rows, exact=exact)

    def search_rows(self, vector: np.ndarray, k: int, rows: np.ndarray | None = None, *, exact: bool = False) -> Found:
        """Return the k best photos for a vector, (dim,) float32 of unit length, among `rows` (int64) if given.

        Rows (int64) and cosines (float32), best first, the lower row first among equals; fewer than k if there are no
        more.  Exact up to the half precision of the stored vectors, but for which rows count in a large library
        without a filter; `exact` considers all.
        """
        if self._seen is None:
            self.refresh()
        view = self._view
        if k <= 0 or not view.photo_count:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        query = np.ascontiguousarray(vector, np.float32).reshape(1, view.rows.dim)
        return _with_sides(view, query, k, rows, self._best(view, query, k, rows, exact=exact))

    def sample(self, most: int) -> np.ndarray:
        """Return the vectors of up to `most` photos spread evenly over the library, (n, dim) float32."""
        view = self._view
        return view.rows.floats(view.spread(most))

    def compress(self) -> Iterator[tuple[int, int]]:
        """Compress the rows if the library has grown enough, and yield (rows done, rows in all); see `pq_tier`."""
        if self._tier.is_due(self._fresh_view()):
            for done in self._tier.make(self._fresh_view, self._recent):
                yield done, self._view.count

    def compress_behind(self) -> None:
        """Do the same on another thread, if it is due and not running; closing cancels it."""
        if not self._tier.is_due(self._view):
            return
        with self._lock:
            if self._compressing is None or not self._compressing.is_alive():
                self._compressing = threading.Thread(target=self._compress_quietly, name="compress", daemon=True)
                self._compressing.start()

    def reset(self) -> None:
        """Delete the derived files, as the catalogue was cleared."""
        self._file.discard()
        self._tier.discard()

    def drain_notices(self) -> list[str]:
        """Return notices since the last call: damaged files that were rebuilt."""
        notes = self._notes[:]
        del self._notes[: len(notes)]
        return notes

    def warm_up(self) -> None:
        """Import what scans rows, so that the first search needn't wait for it."""
        flat_index.faiss()

    def close(self) -> None:
        """Release the mapping and the threads; safe to call twice."""
        self._closing.set()
        if self._compressing:
            self._compressing.join()
        with self._lock:
            self._view, self._seen = View.of_nothing(), None
        self._pool.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _fresh_view(self) -> View:
        self.refresh()
        return self._view

    def _current_view(self) -> tuple[View, int | None]:
        """Return the current view, and the inode of its file."""
        snapshot = self._catalog.snapshot()
        if not snapshot.next_row:
            return View.of_nothing(), self._file.inode()
        try:
            snapshot, mapped = self._mapped(snapshot)
        except OSError:  # a read-only library, or a full disk
            mapped = self._file.in_memory(snapshot, self._catalog.vectors_from)
        return View.of(snapshot, mapped), mapped.inode

    def _mapped(self, snapshot: Snapshot) -> tuple[Snapshot, Mapped]:
        is_checked = self._checked_library == snapshot.library_id
        is_wrong = not is_checked and self._file.contradicts(snapshot, self._catalog.vectors_from)
        mapped = None if is_wrong else self._file.map(snapshot)
        if mapped is None:
            snapshot, mapped = self._file.repair(self._catalog.snapshot, self._catalog.vectors_from, rebuild=is_wrong)
        self._checked_library = snapshot.library_id
        return snapshot, mapped

    def _best(self, view: View, query: np.ndarray, k: int, rows: np.ndarray | None, *, exact: bool) -> Found:
        """Return the k best photos among these rows, and their cosines."""
        if rows is not None and len(rows) * FEW_SHARE < view.count:
            few = view.photos_among(rows)
            return _without_cut_ties(lambda n: merged([view.rows.score(query, n, few)]), k, len(few))
        allowed, count = view.among(rows)
        if exact or count < view.photo_count:
            return _without_cut_ties(lambda n: self._scan(view, query, n, allowed, count), k, count)
        self._recent = (*self._recent[1 - _REMEMBERED :], query[0])
        compressed = self._tier.usable(view)

        def nearest(k: int) -> Found:
            found = compressed.best(view, query, k) if compressed else None
            return found or self._scan(view, query, k, view.live, view.photo_count)

        return _without_cut_ties(nearest, k, count)

    def _scan(self, view: View, query: np.ndarray, k: int, allowed: np.ndarray | None, count: int) -> Found:
        """Return the k best of the `count` rows that are allowed (None: all)."""
        fetched = BROAD_FETCHES * k * view.count // count
        if allowed is not None and count * BROAD_SHARE > view.count and fetched * DEEPEST_SHARE < view.count:
            rows, scores = self._scan_slices(view, query, fetched, None)
            is_allowed = bits_of(allowed, rows)
            if is_allowed.sum() >= k:
                return rows[is_allowed][:k], scores[is_allowed][:k]
        return self._scan_slices(view, query, k, allowed)

    def _scan_slices(self, view: View, query: np.ndarray, k: int, allowed: np.ndarray | None) -> Found:
        """Return the k best rows, sliced over threads if there are enough rows."""
        slices = view.rows.slices(1 if view.count < THREADED_ROWS else self._threads)
        scans = map if len(slices) == 1 else self._pool.map
        return merged(list(scans(lambda part: view.rows.scan(query, k, allowed, part), slices)))

    def _compress_quietly(self) -> None:
        with suppress(PhotomapError):  # the catalogue is busy: the next search will do
            for _ in self._tier.make(self._fresh_view, self._recent):
                if self._closing.is_set():
                    return


def _with_sides(view: View, query: np.ndarray, k: int, rows: np.ndarray | None, found: Found) -> Found:
    """Return the k best of the photos found and of panoramas; a panorama's best vector counts."""
    sides = view.sides_among(rows)
    if not len(sides):
        return found
    nearest, scores = view.sides.score(query, min(SIDES * (k + _SPARE), len(sides)), sides)
    photos, scores = merged([found, (view.panoramas[nearest // SIDES], scores)])
    firsts = np.sort(np.unique(photos, return_index=True)[1])[:k]
    return photos[firsts], scores[firsts]


def _without_cut_ties(scan: Callable[[int], Found], k: int, count: int) -> Found:
    """Return the k best of `count` with a scan for the best n, raising n until equal scores end before it.

    Of several equal rows faiss keeps any, and puts the higher row first.
    """
    fetched = min(k + _SPARE, count)
    while fetched:
        rows, scores = scan(fetched)
        if len(rows) < fetched or fetched == count or scores[-1] < scores[k - 1]:
            return rows[:k], scores[:k]
        fetched = min(fetched * 4, count)
    return np.empty(0, np.int64), np.empty(0, np.float32)
