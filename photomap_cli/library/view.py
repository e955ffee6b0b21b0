"""Owns the rows of one moment, and which of them are photos.  A value: searches and stores nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from photomap_cli.library.exact import StoredRows
from photomap_cli.library.rowfile import PAGE

if TYPE_CHECKING:
    from photomap_cli.library.entries import Snapshot


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A library's rows as a snapshot saw them.  `live` has a bit for each row, lowest first; None where all are photos.

    `photo_count` is how many photos there are.
    """

    library_id: str
    rows: StoredRows
    live: np.ndarray | None
    photo_count: int

    @classmethod
    def of_nothing(cls) -> Self:
        """Return the view of a library without photos."""
        return cls("", StoredRows(bytes(PAGE), 0, 0), None, 0)

    @classmethod
    def of(cls, snapshot: Snapshot, memory: Any) -> Self:
        """Return the view of mapped rows; the memory lives as long as the view."""
        gone, live = snapshot.tombstones, None
        if len(gone):
            is_live = np.ones(snapshot.next_row, bool)
            is_live[gone] = False
            live = np.packbits(is_live, bitorder="little")
        rows = StoredRows(memory, snapshot.dim, snapshot.next_row)
        return cls(snapshot.library_id, rows, live, snapshot.next_row - len(gone))

    @property
    def count(self) -> int:
        """How many rows there are, those of gone photos among them."""
        return self.rows.count

    def among(self, rows: np.ndarray | None) -> tuple[np.ndarray | None, int]:
        """Return the photos among these rows (None: all) as bits, lowest first or None, and how many they are."""
        if rows is None:
            return self.live, self.photo_count
        is_wanted = np.zeros(self.count, bool)
        is_wanted[rows[(rows >= 0) & (rows < self.count)]] = True
        wanted = np.packbits(is_wanted, bitorder="little")
        wanted = wanted if self.live is None else wanted & self.live
        return wanted, int(np.bitwise_count(wanted).sum())

    def photos_among(self, rows: np.ndarray) -> np.ndarray:
        """Return the photos among a few rows, sorted."""
        rows = np.unique(rows)
        return live_among(rows[(rows >= 0) & (rows < self.count)], self.live)


def live_among(rows: np.ndarray, live: np.ndarray | None) -> np.ndarray:
    """Return the rows whose bit is set, in their order; None stands for all bits set."""
    return rows if live is None else rows[bits_of(live, rows)]


def bits_of(bits: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return for each row whether its bit is set."""
    is_set: np.ndarray = (bits[rows >> 3] >> (rows & 7).astype(np.uint8)) & 1 > 0
    return is_set
