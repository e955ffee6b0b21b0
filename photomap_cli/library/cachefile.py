"""Owns SQLite files that hold nothing but what can be made again: their connection, and doing without them."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

T = TypeVar("T")


class CacheFile:
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
            except sqlite3.OperationalError:  # full, locked, not writable
                self.close()
                return None
            except sqlite3.DatabaseError:
                self.clear()
        return None

    def clear(self) -> None:
        """Let everything go, file and all."""
        self.close()
        for suffix in ("-wal", "-shm", ""):  # an old log must not be found beside a new file
            with suppress(OSError):
                self.path.with_name(self.path.name + suffix).unlink()

    def close(self) -> None:
        """End the connection; safe to call twice."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=self._busy_seconds, check_same_thread=False)
        try:
            connection.execute("PRAGMA synchronous = OFF")  # a power cut may damage the file
            for statement in self._schema:
                connection.execute(statement)
        except BaseException:
            connection.close()
            raise
        return connection
