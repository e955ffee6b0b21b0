"""Owns the catalogue's notes on files rather than photos: which are damaged, and which aren't photos."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from photomap_cli.library.paths import is_storable
from photomap_cli.library.sql_filters import below
from photomap_cli.records import IndexNote

if TYPE_CHECKING:
    from photomap_cli.library.database import Database
    from photomap_cli.library.entities import FileMark


class FileNotes:
    """The notes in a library's catalogue.  Any thread may use it; raises what the catalogue does."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def damaged(self, root: str) -> list[IndexNote]:
        """Return the photos at or below an absolute path whose files are damaged, and in what way, by path."""
        condition, values = below(root)
        query = f"SELECT path, damage FROM photos WHERE damage IS NOT NULL AND (path = ? OR {condition}) ORDER BY path"
        with self._database.reading() as connection:
            return [IndexNote(*record) for record in connection.execute(query, (root, *values))]

    def others(self, root: str) -> dict[str, FileMark]:
        """Return the files at or below an absolute path that were examined and aren't photos, by path."""
        condition, values = below(root)
        query = f"SELECT path, size_bytes, mtime_ns FROM other_files WHERE path = ? OR {condition}"
        with self._database.reading() as connection:
            return {path: (size, time) for path, size, time in connection.execute(query, (root, *values))}

    def note_others(self, learned: Mapping[str, FileMark], outdated: Iterable[str]) -> None:
        """Record files that aren't photos, and forget others."""
        with self._database.writing() as connection:
            connection.executemany("DELETE FROM other_files WHERE path = ?", [(path,) for path in outdated])
            rows = [(path, *mark) for path, mark in learned.items() if is_storable(path)]
            connection.executemany("INSERT OR REPLACE INTO other_files VALUES (?, ?, ?)", rows)
