"""Owns finding the rows that filters leave: looks albums up, and caches the last few answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from photomap_cli.library import bulk_reads
from photomap_cli.library.albums import AlbumRows
from photomap_cli.library.sql_filters import where
from photomap_cli.records import FilterKind, PhotoFilter

if TYPE_CHECKING:
    import numpy as np

    from photomap_cli.library.database import ChangeCounter, Database
    from photomap_cli.library.store import Facts

_KEPT = 4  # a million rows are 8 MB


class FilteredRows:
    """Finds the rows that filters leave in a library.  Any thread may use it."""

    def __init__(self, facts: Facts, database: Database) -> None:
        self._database = database
        self._albums = AlbumRows(facts, database.change_counter)
        self._kept: dict[tuple[ChangeCounter, tuple[PhotoFilter, ...]], np.ndarray] = {}

    def looked_up(self, filters: Sequence[PhotoFilter]) -> tuple[PhotoFilter, ...]:
        """Return filters with an album's rows, as JSON, in place of its name.  Raises BadQuery for an unknown album."""
        return tuple(
            replace(one, value=json.dumps(self._albums.rows(one.value))) if one.kind is FilterKind.ALBUM else one
            for one in filters
        )

    def rows(self, filters: Sequence[PhotoFilter], checkpoint: Callable[[], None]) -> np.ndarray:
        """Return the rows of the photos that meet all filters, int64, sorted, read-only.

        The last few answers are cached until the next commit: in a library of 200,000 photos the current folder
        takes 40 ms for each search.  An exception from `checkpoint` ends the call.
        """
        asked = (
            self._database.change_counter(),
            self.looked_up(filters),
        )  # read first, so that an answer can only be newer
        rows = self._kept.get(asked)
        if rows is None:
            rows = self._read(asked[1], checkpoint)
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            self._kept[asked] = rows
        return rows

    def _read(self, filters: Sequence[PhotoFilter], checkpoint: Callable[[], None]) -> np.ndarray:
        condition, values = where(filters)
        with self._database.reading_while(checkpoint) as connection:
            rows = bulk_reads.row_numbers(connection, f"photos WHERE {condition}", values)
        rows.flags.writeable = False
        return rows
