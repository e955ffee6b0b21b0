"""Owns SQLite files that hold nothing but what can be made again: their connection, and doing without them."""

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
"""What comes of values that photomap did not write."""


class SqliteCache:
    """One such file, made when first used.  Never fails: one that is damaged, locked or not writable is an empty one.

    One thread at a time.

    Args:
        path: the file.
        schema: statements that make it, to be repeated at every opening.
        busy_seconds: how long to wait for another process.
    """

    def __init__(self, path: Path, schema: Sequence[str], *, busy_seconds: float) -> None:
        self.path, self._schema, self._busy_seconds = path, schema, busy_seconds
        self._connection: sqlite3.Connection | None = None

    @property
    def is_there(self) -> bool:
        """Whether there is a file, without making one."""
        return self._connection is not None or self.path.exists()

    def attempt(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """Do something with the file in one transaction; None where SQLite will not.

        A damaged file is taken away, and the work done on a new one.
        """
        for _ in range(2):
            try:
                self._connection = self._connection or self._opened()
                with self._connection:
                    return work(self._connection)
            except sqlite3.OperationalError as error:
                code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
                if code != sqlite3.SQLITE_ERROR:  # full, locked, not writable
                    self.close()
                    return None
                self.clear()  # it has other tables
            except OSError:  # something in its place that cannot be taken away
                return None
            except (sqlite3.DatabaseError, *_NOT_OURS):
                self.clear()
        return None

    def clear(self) -> None:
        """Let everything go, file and all."""
        self.close()
        for suffix in ("-wal", "-shm", "-journal", ""):  # an old log must not be found beside a new file
            with suppress(OSError):
                self.path.with_name(self.path.name + suffix).unlink()

    def close(self) -> None:
        """End the connection; safe to call twice."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _require_plain(self) -> None:
        """Have the file private, and what has its names otherwise, such as a pipe, out of the way.  Raises OSError."""
        names = [self.path.with_name(self.path.name + suffix) for suffix in ("", "-wal", "-shm", "-journal")]
        if any(each.is_symlink() or files.is_other(each) for each in names):
            self.clear()
        files.make(self.path)

    def _opened(self) -> sqlite3.Connection:
        self._require_plain()
        connection = sqlite3.connect(self.path, timeout=self._busy_seconds, check_same_thread=False)
        try:
            connection.execute("PRAGMA synchronous = OFF")  # a power cut may damage the file
            schema_check.distrust(connection)
            for statement in self._schema:
                connection.execute(statement)
        except BaseException:
            connection.close()
            raise
        return connection
