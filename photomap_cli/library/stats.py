"""Owns facts of a library as a whole: how much is in it and what made it.  Light: imports no numpy."""

from __future__ import annotations

import os
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photomap_cli.errors import EmptyLibrary, LibraryFormat
from photomap_cli.library import database, schema_check
from photomap_cli.library.index_runs import read_unfinished

if TYPE_CHECKING:
    import sqlite3

    from photomap_cli.records import LibraryStatus


def facts(folder: Path) -> dict[str, Any]:
    """Return where the library in `folder` is, how much is in it, and the size of its files; a missing one is empty.

    These are the fields of a `LibraryStatus`, as in `status --json`, which is run all day and avoids
    the classes in records/, whose import takes 30 ms.

    Raises:
        LibraryUnusable: it cannot be read.
    """
    try:
        return _facts_in(folder)
    except EmptyLibrary:
        return _nothing_in(folder)


def facts_of_any_format(folder: Path) -> dict[str, Any]:
    """Return the facts even of a library in another format, as far as they can be read, with the reason in `error`.

    Raises:
        LibraryUnusable: it is damaged, or not a library.
    """
    try:
        return facts(folder)
    except LibraryFormat as error:
        from photomap_cli.library.other_format import OtherFormatLibrary

        with closing(OtherFormatLibrary.open(folder)) as other:
            known = {"photos": other.photo_count, "encoder": other.spec, "roots": other.roots()}
        return {**_nothing_in(folder), **known, "bytes": _bytes_in(folder), "error": error.to_json()}


def _nothing_in(folder: Path) -> dict[str, Any]:
    empty = dict.fromkeys(("path", "photos", "encoder", "dim", "bytes", "last_indexed_at", "roots"))
    return {**empty, "path": str(folder), "photos": 0, "bytes": 0, "roots": ()}


def _facts_in(folder: Path) -> dict[str, Any]:
    opened = database.connect(folder, create=False)
    try:
        return _facts_of(opened, folder)
    finally:
        opened.close()


def summary_of(opened: database.Database, folder: Path) -> LibraryStatus:
    """Return the summary of an open library."""
    from photomap_cli.records import LibraryStatus

    return LibraryStatus(**_facts_of(opened, folder))


def _facts_of(opened: database.Database, folder: Path) -> dict[str, Any]:
    with opened.reading() as connection:
        meta, roots, unfinished = read_meta(connection), read_roots(connection), read_unfinished(connection)
        gone: int = connection.execute("SELECT count(*) FROM tombstones").fetchone()[0]
    return {
        "path": str(folder),
        "photos": max(0, int(meta["next_row"]) - gone),
        "encoder": str(meta["spec"]) if "spec" in meta else None,
        "dim": int(meta["dim"]) if "dim" in meta else None,
        "bytes": _bytes_in(folder),
        "last_indexed_at": str(meta["last_indexed_at"]) if "last_indexed_at" in meta else None,
        "roots": roots,
        **({"unfinished": unfinished} if unfinished else {}),
    }


def read_meta(connection: sqlite3.Connection) -> dict[str, str | int]:
    """Return the library's meta facts by name."""
    return schema_check.meta(connection)


def read_roots(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Return the absolute paths that were indexed, sorted."""
    return tuple(record[0] for record in connection.execute("SELECT path FROM roots ORDER BY path"))


def _bytes_in(folder: Path) -> int:
    total = 0
    with suppress(PermissionError), os.scandir(folder) as files:  # a user without permission to list can still search
        for file in files:
            with suppress(FileNotFoundError):  # SQLite removes its log when the last process leaves
                total += file.stat(follow_symlinks=False).st_size if file.is_file(follow_symlinks=False) else 0
    return total
