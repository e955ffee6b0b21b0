"""Owns which photos of a library have the same bytes: looks them up by their files' size and digest."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from photomap_cli.library.database import Database
    from photomap_cli.library.entities import FileState

_QUERY = "SELECT row, path, mtime_ns FROM photos WHERE size_bytes = ? AND content_hash = ?"


class Contents:
    """The photos of a library by the bytes of their files.  Any thread may use it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def photos(self, size_bytes: int, content_hash: bytes) -> dict[int, FileState]:
        """Return the photos whose files had these bytes, by row, in that order."""
        with self._database.reading() as connection:
            found = connection.execute(f"{_QUERY} ORDER BY row", (size_bytes, content_hash)).fetchall()
        return {row: (path, mtime_ns) for row, path, mtime_ns in found}

    def photo(self, size_bytes: int, content_hash: bytes, row: int | None = None) -> tuple[int, FileState] | None:
        """Return the first photo whose file had these bytes, or the one of a row if its file had; None for none.

        Costs the same however many there are.
        """
        only = "" if row is None else " AND row = ?"
        values = (size_bytes, content_hash) if row is None else (size_bytes, content_hash, row)
        with self._database.reading() as connection:
            found = connection.execute(f"{_QUERY}{only} ORDER BY row LIMIT 1", values).fetchone()
        return (found[0], (found[1], found[2])) if found else None
