"""Owns what a library records about index runs: which didn't finish, what couldn't be read or was left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from photomap_cli.library.paths import is_storable

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from photomap_cli.library.database import Database
    from photomap_cli.library.entities import FoundFile


class IndexRuns:
    """The record of index runs in a library's SQLite file.  Any thread may use it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, roots: Iterable[str], now: datetime) -> None:
        """Record that a run over these paths has begun; it counts as unfinished until `end`."""
        since = now.isoformat(timespec="seconds")
        with self._database.writing() as connection:
            connection.executemany("INSERT OR REPLACE INTO unfinished VALUES (?, ?)", ((root, since) for root in roots))

    def end(
        self, roots: Sequence[str], refused: Iterable[FoundFile], takes: Callable[[str], bool] = lambda path: True
    ) -> None:
        """Record that a run has finished, and which files below these paths it couldn't read.

        Files that it doesn't take keep their record of earlier runs.
        """
        from photomap_cli.library.sql_filters import below  # loads records and dataclasses, which `status` doesn't need

        with self._database.writing() as connection:
            for root in roots:
                condition, values = below(root)
                connection.execute(f"DELETE FROM unfinished WHERE path = ? OR {condition}", (root, *values))
                query = f"SELECT path FROM refused WHERE path = ? OR {condition}"
                earlier = [path for (path,) in connection.execute(query, (root, *values)) if takes(path)]
                connection.executemany("DELETE FROM refused WHERE path = ?", ((path,) for path in earlier))
            connection.executemany(
                "INSERT OR REPLACE INTO refused VALUES (?, ?, ?)",
                ((each.path, each.size_bytes, each.mtime_ns) for each in refused if is_storable(each.path)),
            )

    def unfinished(self) -> tuple[str, ...]:
        """Return the paths whose last run didn't finish, sorted."""
        with self._database.reading() as connection:
            return read_unfinished(connection)

    def note_rules(self, roots: Iterable[str], exclude: Sequence[str], *, hidden: bool) -> None:
        """Record what a run over these paths left out, for later looks without options."""
        rules = int(hidden), "\n".join(exclude)
        with self._database.writing() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO scan_rules VALUES (?, ?, ?)", ((root, *rules) for root in roots)
            )

    def rules(self, root: str) -> tuple[tuple[str, ...], bool] | None:
        """Return what the last run over this very path left out: patterns, and whether it included hidden files."""
        with self._database.reading() as connection:
            found = connection.execute("SELECT exclude, hidden FROM scan_rules WHERE path = ?", (root,)).fetchone()
        return (tuple(found[0].split("\n")) if found[0] else (), bool(found[1])) if found else None

    def was_refused(self, file: FoundFile) -> bool:
        """Return whether the last run couldn't read this file, which hasn't changed since."""
        query = "SELECT count(*) FROM refused WHERE path = ? AND size_bytes = ? AND mtime_ns = ?"
        with self._database.reading() as connection:
            values = (file.path, file.size_bytes, file.mtime_ns)
            return is_storable(file.path) and connection.execute(query, values).fetchone() != (0,)


def read_unfinished(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Return the paths whose last run didn't finish, sorted."""
    return tuple(record[0] for record in connection.execute("SELECT path FROM unfinished ORDER BY path"))
