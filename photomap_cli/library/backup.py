"""Owns copying a snapshot of an SQLite file while other processes keep using it.  Knows no tables."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from photomap_cli import files
from photomap_cli.library import schema_check

_BYTES_AT_ONCE = 4 << 20  # how often the bar moves, and how soon Ctrl-C is heard
_NOT_SOUND = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_BUSY_SECONDS = 2.0


class BackupFailed(Exception):
    """The copy couldn't be written; the message says why."""


def back_up(connection: sqlite3.Connection, target: Path, on_bytes: Callable[[int], None] = lambda count: None) -> None:
    """Copy the database of a connection in a transaction to a new file, private to its owner.

    `on_bytes` is called with the bytes done.  Raises BackupFailed; SQLite's error for a damaged database;
    Damaged if the copy fails its check.
    """
    # From here on the transaction sees one state; otherwise each commit of another process would restart the copy.
    connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    page_bytes: int = connection.execute("PRAGMA page_size").fetchone()[0]
    try:
        files.make(target)
        with closing(sqlite3.connect(target, isolation_level=None)) as copy:
            connection.backup(
                copy,
                pages=_BYTES_AT_ONCE // page_bytes,
                progress=lambda _status, left, total: on_bytes((total - left) * page_bytes),
            )
            problem = str(copy.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _NOT_SOUND:
            raise
        raise BackupFailed("the disk is full" if code == sqlite3.SQLITE_FULL else str(error)) from error
    except OSError as error:
        raise BackupFailed(os.strerror(error.errno or 0).lower()) from error
    if problem != "ok":
        raise schema_check.Damaged(problem.splitlines()[-1])


def back_up_cache(path: Path, target: Path, on_bytes: Callable[[int], None] = lambda count: None) -> bool:
    """Copy a derived file; returns False if it can't be read.  Raises BackupFailed."""
    if path.is_symlink() or not files.is_plain(path):
        return False
    try:
        address = f"{path.absolute().as_uri()}?mode=rw"
        with closing(sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)) as connection:
            schema_check.harden(connection)
            connection.execute("BEGIN")
            back_up(connection, target, on_bytes)
    except (sqlite3.Error, schema_check.Damaged):
        with suppress(FileNotFoundError):
            target.unlink()
        return False
    return True
