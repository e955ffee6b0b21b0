"""Owns the cache of thumbnails, which index runs fill.  Makes none; lost ones are made again by `thumbnails.py`.

The cache is a SQLite file beside the catalogue: 10,000 files of 15 kB each would take longer to write and to count.
Any process may read it while an index run writes.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from photomap_cli.library.sqlite_cache import SqliteCache

if TYPE_CHECKING:
    import sqlite3

    from photomap_cli.library.entities import FileState

THUMBNAIL_PX = 320
"""The longer side of cached thumbnails, in pixels: two in a row fill a terminal of 80 columns of 8 pixels."""

FILE_NAME = "thumbnails.sqlite"
_SCHEMA = (
    "PRAGMA auto_vacuum = INCREMENTAL",
    "PRAGMA journal_mode = WAL",
    """CREATE TABLE IF NOT EXISTS thumbnails (
        number INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, mtime_ns INTEGER NOT NULL, webp BLOB NOT NULL)""",
)
_BUSY_SECONDS = 2.0
_EVICTED_AT_ONCE = 32
_SLACK = 1.25


class ThumbnailCache:
    """A library's thumbnails, at most `max_bytes` on disk; the oldest are dropped first.  0 keeps none.

    Never fails: a cache that can't be read or written counts as empty.  A context manager; each thread
    needs its own.

    Args:
        folder: the library's.
        max_bytes: the most bytes of the file; the next `put` drops what is over.
    """

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._file = SqliteCache(folder / FILE_NAME, _SCHEMA, busy_seconds=_BUSY_SECONDS)

    def get(self, path: str, mtime_ns: int) -> bytes | None:
        """Return a photo's thumbnail as WebP, or None if there is none for the file with this time of change."""
        if not self._file.is_there:
            return None
        query = "SELECT webp FROM thumbnails WHERE path = ? AND mtime_ns = ?"
        record = self._file.attempt(lambda connection: connection.execute(query, (path, mtime_ns)).fetchone())
        return record[0] if record and isinstance(record[0], bytes) else None

    def put(self, thumbnails: Iterable[tuple[str, int, bytes]]) -> None:
        """Keep these, each with its file's path and time of change; drop the oldest if there are too many."""
        if not self.max_bytes:
            return
        rows = list(thumbnails)
        self._file.attempt(lambda connection: self._put(connection, rows))

    def copy(self, names: Iterable[tuple[FileState, FileState]]) -> None:
        """Keep thumbnails under more names: each an old path and time of change, and the new ones.

        All are read before any is written, as photos may have swapped names.
        """
        if not self.max_bytes:
            return
        query = "SELECT webp FROM thumbnails WHERE path = ? AND mtime_ns = ?"
        pairs = list(names)
        found = self._file.attempt(lambda connection: [connection.execute(query, old).fetchone() for old, _ in pairs])
        self.put((*new, record[0]) for (_, new), record in zip(pairs, found or (), strict=False) if record)

    def rename(self, names: Iterable[tuple[FileState, FileState]]) -> None:
        """Rename thumbnails of moved files: each an old path and time of change, and the new ones."""
        if self._file.is_there:
            command = "UPDATE OR REPLACE thumbnails SET path = ?, mtime_ns = ? WHERE path = ? AND mtime_ns = ?"
            pairs = [(*new, *old) for old, new in names]
            self._file.attempt(lambda connection: connection.executemany(command, pairs))

    def _put(self, connection: sqlite3.Connection, rows: list[tuple[str, int, bytes]]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT OR REPLACE INTO thumbnails (path, mtime_ns, webp) VALUES (?, ?, ?)", rows)
        _evict(connection, self.max_bytes)
        connection.execute("COMMIT")
        with suppress(FileNotFoundError):
            if self._file.path.stat().st_size > _SLACK * self.max_bytes:  # it was once allowed to be larger
                connection.execute("PRAGMA incremental_vacuum").fetchall()

    def clear(self) -> None:
        """Delete all of them with the file."""
        self._file.clear()

    def close(self) -> None:
        """End the connection; safe to call twice."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


def _evict(connection: sqlite3.Connection, max_bytes: int) -> None:
    while _bytes_used(connection) > max_bytes:
        oldest = "SELECT number FROM thumbnails ORDER BY number LIMIT ?"
        gone = connection.execute(f"DELETE FROM thumbnails WHERE number IN ({oldest})", (_EVICTED_AT_ONCE,)).rowcount
        if not gone:
            return


def _bytes_used(connection: sqlite3.Connection) -> int:
    """Return how many bytes of the file are in use, from its header; adding up thumbnails would read them all."""
    names = ("page_count", "freelist_count", "page_size")
    pages, free, page_bytes = (int(connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in names)
    return (pages - free) * page_bytes
