"""Owns creating an SQLite file that can't be made again: under its name it is complete, so an empty one is damaged."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from photomap_cli import files
from photomap_cli.library.schema_check import Damaged


def create(path: Path, build: Callable[[sqlite3.Connection], None]) -> None:
    """Create a file, private to its owner, with what `build` writes; one that another process has made stays.

    Raises OSError; what `build` does.
    """
    from photomap_cli import no_replace  # loads ctypes, which no search needs

    number, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".new", dir=path.parent)
    os.close(number)
    try:
        with closing(sqlite3.connect(name, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = FULL")  # it is on the disk before it has its name
            build(connection)
        with suppress(FileExistsError):
            no_replace.rename(name, str(path))
        files.sync_folder(path.parent)
    finally:
        for suffix in ("-wal", "-shm", "-journal", ""):
            Path(f"{name}{suffix}").unlink(missing_ok=True)


def require_content(path: Path) -> None:
    """Raise Damaged for an empty file, before SQLite is asked: it deletes the log of one, which may be all there is."""
    if not path.stat().st_size:
        raise Damaged("it is empty")
