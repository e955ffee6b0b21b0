"""Owns looking up photos by the bytes of their files, by size and digest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from photomap_cli.library.entities import PhotoContent

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np

    from photomap_cli.library.database import Database
    from photomap_cli.library.entities import FileState

_QUERY = "SELECT row, path, mtime_ns FROM photos WHERE size_bytes = ? AND content_hash = ?"


class Contents:
    """A library's photos by the bytes of their files.  Any thread may use it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def photos(self, size_bytes: int, content_hash: bytes) -> dict[int, FileState]:
        """Return the photos whose files had these bytes, by row, in that order."""
        with self._database.reading() as connection:
            found = connection.execute(f"{_QUERY} ORDER BY row", (size_bytes, content_hash)).fetchall()
        return {row: (path, mtime_ns) for row, path, mtime_ns in found}

    def photo(self, size_bytes: int, content_hash: bytes, row: int | None = None) -> tuple[int, FileState] | None:
        """Return the first photo whose file had these bytes, or the one of a row if its file had them; else None.

        The cost doesn't depend on how many there are.
        """
        only = "" if row is None else " AND row = ?"
        values = (size_bytes, content_hash) if row is None else (size_bytes, content_hash, row)
        with self._database.reading() as connection:
            found = connection.execute(f"{_QUERY}{only} ORDER BY row LIMIT 1", values).fetchone()
        return (found[0], (found[1], found[2])) if found else None

    def at(self, paths: Iterable[str]) -> dict[str, PhotoContent]:
        """Return what is known about photos' bytes, by absolute path: 0.2 s for 10,000 of 200,000."""
        query = """SELECT row, path, size_bytes, content_hash FROM photos
            WHERE path IN (SELECT value FROM json_each(?))"""
        with self._database.reading() as connection:
            found = map(PhotoContent._make, connection.execute(query, (json.dumps(list(paths)),)))
            return {each.path: each for each in found}

    def copies_of(self, rows: np.ndarray) -> list[list[int]]:
        """Return the sets of two or more photos with the same bytes that include one of these; each sorted."""
        query = (
            "SELECT row, content_hash FROM photos WHERE size_bytes IN "
            "(SELECT size_bytes FROM photos GROUP BY size_bytes HAVING count(*) > 1) ORDER BY row"
        )
        by_content: dict[bytes, list[int]] = {}
        with self._database.reading() as connection:
            for row, digest in connection.execute(query):
                by_content.setdefault(digest, []).append(row)
        asked = set(rows.tolist())
        return [same for same in by_content.values() if len(same) > 1 and not asked.isdisjoint(same)]
