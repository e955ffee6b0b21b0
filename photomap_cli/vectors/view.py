"""Owns a snapshot of rows, and which of them are photos.  A value: searches and stores nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from photomap_cli.library.entities import SIDES
from photomap_cli.vectors.file_header import PAGE
from photomap_cli.vectors.flat_index import StoredRows

if TYPE_CHECKING:
    from photomap_cli.library.entities import Snapshot
    from photomap_cli.vectors.vector_file import Mapped


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A library's rows as a snapshot saw them.

    Attributes:
        library_id: of the library.
        rows: the vectors; zeros for photos that were already deleted when written.
        live: a bit for each row, lowest first; None if all are photos.
        panoramas: the rows of photos with two more vectors, sorted.
        sides: those vectors, two for each panorama.
        photo_count: the number of photos.
    """

    library_id: str
    rows: StoredRows
    live: np.ndarray | None
    photo_count: int
    panoramas: np.ndarray
    sides: StoredRows

    @classmethod
    def of_nothing(cls) -> Self:
        """Return the view of a library without photos."""
        nothing = StoredRows(b"", 0, 0, 0)
        return cls("", nothing, None, 0, np.empty(0, np.int64), nothing)

    @classmethod
    def of(cls, snapshot: Snapshot, mapped: Mapped) -> Self:
        """Return a view of mapped rows; the memory lives as long as the view."""
        live = np.packbits(snapshot.is_photo(), bitorder="little") if len(snapshot.tombstones) else None
        rows = StoredRows(mapped.memory, snapshot.dim, snapshot.next_row, PAGE)
        sides = StoredRows(snapshot.sides, snapshot.dim, SIDES * len(snapshot.panoramas), 0)
        return cls(snapshot.library_id, rows, live, snapshot.photo_count, snapshot.panoramas, sides)

    @property
    def count(self) -> int:
        """The number of rows, including those of deleted photos."""
        return self.rows.count

    def among(self, rows: np.ndarray | None) -> tuple[np.ndarray | None, int]:
        """Return the photos among these rows (None: all) as bits, or None, and their number."""
        if rows is None:
            return self.live, self.photo_count
        is_wanted = np.zeros(self.count, bool)
        is_wanted[self._known(rows)] = True
        wanted = np.packbits(is_wanted, bitorder="little")
        wanted = wanted if self.live is None else wanted & self.live
        return wanted, int(np.bitwise_count(wanted).sum())

    def photos_among(self, rows: np.ndarray) -> np.ndarray:
        """Return the photos among a few rows, sorted."""
        return live_among(_distinct(self._known(rows)), self.live)

    def sides_among(self, rows: np.ndarray | None) -> np.ndarray:
        """Return which of `sides` belong to photos among these rows (None: all)."""
        is_wanted = np.ones(len(self.panoramas), bool) if rows is None else np.isin(self.panoramas, rows, kind="table")
        return np.flatnonzero(np.repeat(is_wanted, SIDES))

    def spread(self, most: int) -> np.ndarray:
        """Return the rows of up to `most` photos spread evenly over the library."""
        rows = np.linspace(0, max(self.count - 1, 0), min(most, self.count)).astype(np.int64)  # a step of at least one
        return live_among(rows, self.live)

    def _known(self, rows: np.ndarray) -> np.ndarray:
        return rows[(rows >= 0) & (rows < self.count)]


def _distinct(rows: np.ndarray) -> np.ndarray:
    """Return the distinct rows, sorted; `np.unique` would import `np.ma` first, which takes as long as a search."""
    rows = np.sort(rows)
    return rows[np.diff(rows, prepend=-1) > 0]


def live_among(rows: np.ndarray, live: np.ndarray | None) -> np.ndarray:
    """Return the rows whose bit is set, in order; None means all bits are set."""
    return rows if live is None else rows[bits_of(live, rows)]


def bits_of(bits: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return for each row whether its bit is set."""
    is_set: np.ndarray = (bits[rows >> 3] >> (rows & 7).astype(np.uint8)) & 1 > 0
    return is_set
