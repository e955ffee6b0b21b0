"""Owns SQLite files of derived data: their connection, and working without them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from photomap_cli import files
from photomap_cli.library import schema_check

T = TypeVar("T")

_NOT_OURS = (TypeError, ValueError, OverflowError, MemoryError)
"""Errors from values that photomap didn't write."""


class SqliteCache:
    """Such a file, created when first used.  Never fails: one that is damaged, locked or read-only counts as empty.

    One thread at a time.

    Args:
        path: the file.
        schema: statements that create it, run at every opening.
        busy_seconds: how long to wait for another process.
    """

    def __init__(self, path: Path, schema: Sequence[str], *, busy_seconds: float) -> None:
        self.path, self._schema, self._busy_seconds = path, schema, busy_seconds
        self._connection: sqlite3.Connection | None = None

    @property
    def is_there(self) -> bool:
        """Return whether the file exists, without creating it."""
        return self._connection is not None or self.path.exists()

    def attempt(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """Do something with the file in one transaction; None if SQLite fails.

        A damaged file is deleted, and the work done on a new one.
        """
        for _ in range(2):
            try:
                self._connection = self._connection or self._opened()
                with self._connection:
                    return work(self._connection)
            except sqlite3.OperationalError as error:
                code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
                if code != sqlite3.SQLITE_ERROR:  # full, locked or read-only
                    self.close()
                    return None
                self.clear()  # it has other tables
            except OSError:  # something else is there and can't be removed
                return None
            except (sqlite3.DatabaseError, *_NOT_OURS):
                self.clear()
        return None

    def clear(self) -> None:
        """Delete everything with the file."""
        self.close()
        for suffix in ("-wal", "-shm", "-journal", ""):  # an old log must not stay beside a new file
            with suppress(OSError):
                self.path.with_name(self.path.name + suffix).unlink()

    def close(self) -> None:
        """Close the connection; safe to call twice."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _require_plain(self) -> None:
        """Make the file private, and remove anything else with its names, such as a pipe.  Raises OSError."""
        names = [self.path.with_name(self.path.name + suffix) for suffix in ("", "-wal", "-shm", "-journal")]
        if any(each.is_symlink() or files.is_other(each) for each in names):
            self.clear()
        files.make(self.path)

    def _opened(self) -> sqlite3.Connection:
        self._require_plain()
        connection = sqlite3.connect(self.path, timeout=self._busy_seconds, check_same_thread=False)
        try:
            connection.execute("PRAGMA synchronous = OFF")  # a power cut may damage the file
            schema_check.harden(connection)
            for statement in self._schema:
                connection.execute(statement)
        except BaseException:
            connection.close()
            raise
        return connection
