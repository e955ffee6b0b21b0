"""Owns the rows of one moment, and which of them are photos.  A value: searches and stores nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from photomap_cli.vectors.flat_index import StoredRows

if TYPE_CHECKING:
    from photomap_cli.library.entities import Snapshot
    from photomap_cli.vectors.vector_file import Mapped


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A library's rows as a snapshot saw them.

    A row keeps its number for life, and lies at a place of `rows`, which is another one once rows below it were
    swept out.  Scans and all that is compressed speak of places; who asks, of rows.

    Attributes:
        library_id: whose rows.
        rows: the vectors, by place.
        next_row: all rows are below it.
        live: a bit for each place, lowest first; None where all are photos.
        photo_count: how many photos there are.
        numbers: the row at each place, rising; None where a row's number is its place.
        numbers_crc: views of one library in which it is the same have the same row at the same place.
    """

    library_id: str
    rows: StoredRows
    next_row: int
    live: np.ndarray | None
    photo_count: int
    numbers: np.ndarray | None = None
    numbers_crc: int = 0

    @classmethod
    def of_nothing(cls) -> Self:
        """Return the view of a library without photos."""
        return cls("", StoredRows(b"", 0, 0, 0), 0, None, 0)

    @classmethod
    def of(cls, snapshot: Snapshot, mapped: Mapped) -> Self:
        """Return the view of mapped rows; the memory lives as long as the view."""
        header, numbers = mapped.header, mapped.numbers
        photo_count, live = snapshot.next_row - len(snapshot.tombstones), None
        if photo_count < header.count:
            live = np.packbits(_picked(snapshot.is_photo(), numbers), bitorder="little")
        rows = StoredRows(mapped.memory, header.dim, header.count, header.rows_at)
        return cls(header.library_id, rows, header.next_row, live, photo_count, numbers, header.numbers_crc)

    @property
    def count(self) -> int:
        """How many places there are, those of gone photos among them."""
        return self.rows.count

    def rows_at(self, places: np.ndarray) -> np.ndarray:
        """Return the row at each of some places."""
        return places if self.numbers is None else self.numbers[places]

    def among(self, rows: np.ndarray | None) -> tuple[np.ndarray | None, int]:
        """Return the places of the photos among these rows (None: all) as bits, or None, and how many they are."""
        if rows is None:
            return self.live, self.photo_count
        is_wanted = np.zeros(self.next_row, bool)
        is_wanted[rows[(rows >= 0) & (rows < self.next_row)]] = True
        wanted = np.packbits(_picked(is_wanted, self.numbers), bitorder="little")
        wanted = wanted if self.live is None else wanted & self.live
        return wanted, int(np.bitwise_count(wanted).sum())

    def photos_among(self, rows: np.ndarray) -> np.ndarray:
        """Return the places of the photos among a few rows, sorted."""
        rows = np.unique(rows)
        places = rows[(rows >= 0) & (rows < self.next_row)]
        if self.numbers is not None:
            near = np.minimum(np.searchsorted(self.numbers, places), self.count - 1)
            places = near[self.numbers[near] == places]
        return live_among(places, self.live)

    def spread(self, most: int) -> np.ndarray:
        """Return the places of photos that are spread evenly over the library; `most` or fewer."""
        places = np.unique(np.linspace(0, max(self.count - 1, 0), min(most, self.count)).astype(np.int64))
        return live_among(places, self.live)


def _picked(of_rows: np.ndarray, numbers: np.ndarray | None) -> np.ndarray:
    """Return by place what is given by row."""
    return of_rows if numbers is None else of_rows[numbers]


def live_among(rows: np.ndarray, live: np.ndarray | None) -> np.ndarray:
    """Return the rows whose bit is set, in their order; None stands for all bits set."""
    return rows if live is None else rows[bits_of(live, rows)]


def bits_of(bits: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return for each row whether its bit is set."""
    is_set: np.ndarray = (bits[rows >> 3] >> (rows & 7).astype(np.uint8)) & 1 > 0
    return is_set
