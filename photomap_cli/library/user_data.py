"""Owns `albums.sqlite`: the user's albums and saved searches.  No index run, rebuild or encoder touches it.

A photo in an album is identified by its path and its bytes' digest.  Each call opens the file, which takes a third
of a millisecond, and does one transaction; any number of processes may call it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from photomap_cli import files
from photomap_cli.errors import LibraryBusy, LibraryUnusable, UsageError
from photomap_cli.library import backup, schema_check, sqlite_file
from photomap_cli.library.paths import is_storable
from photomap_cli.pathnames import key

if TYPE_CHECKING:
    from photomap_cli.records import Counted

T = TypeVar("T")

FILE_NAME = "albums.sqlite"
VERSION = 1
LONGEST_NAME = 200
_SCHEMA = (
    "CREATE TABLE albums (key TEXT PRIMARY KEY, name TEXT NOT NULL, made_at TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE photos (album TEXT NOT NULL, path TEXT NOT NULL, size_bytes INTEGER, digest BLOB,"
    " added_at TEXT NOT NULL, PRIMARY KEY (album, path)) WITHOUT ROWID",
    "CREATE TABLE searches (key TEXT PRIMARY KEY, name TEXT NOT NULL, text TEXT NOT NULL) WITHOUT ROWID",
)
_BUSY_SECONDS = 10.0
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_UNREACHABLE = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH})


class Member(NamedTuple):
    """A photo in an album: its last path, and the size and digest of its bytes if known."""

    path: str
    size_bytes: int | None = None
    digest: bytes | None = None
    added_at: str = ""


class Album(NamedTuple):
    """An album with all its data."""

    name: str
    made_at: str
    members: tuple[Member, ...]


def valid_name(text: str) -> str:
    """Return the name of an album or saved search as stored.  Raises UsageError for one that can't be typed."""
    name = " ".join(text.split())
    if not name:
        raise UsageError("a name is needed", hint="example: Best of 2023")
    if len(name) > LONGEST_NAME or not name.isprintable() or '"' in name or not is_storable(name):
        hint = f"use letters, digits and spaces, {LONGEST_NAME} at most"
        raise UsageError("this can't be a name", hint=hint)
    return name


def path_in(library: Path) -> Path:
    """Return the file's path in a library's folder."""
    return library / FILE_NAME


def albums(library: Path) -> Counted:
    """Return the albums by name, each with its number of photos."""
    query = "SELECT name, (SELECT count(*) FROM photos WHERE album = albums.key) FROM albums ORDER BY key"
    with _reading(library) as connection:
        found = connection.execute(query).fetchall() if connection else []
        return tuple((_text(name), _of(int, count)) for name, count in found)


def album(library: Path, name: str) -> Album | None:
    """Return an album by name in any case; None if there is none."""
    with _reading(library) as connection:
        return _album(connection, key(name)) if connection else None


def every_album(library: Path) -> list[Album]:
    """Return all albums, by name."""
    with _reading(library) as connection:
        keys = connection.execute("SELECT key FROM albums ORDER BY key").fetchall() if connection else []
        found = (_album(connection, _text(each)) for (each,) in keys) if connection else ()
        return [each for each in found if each is not None]


def add(library: Path, name: str, members: Iterable[Member], *, made_at: str = "") -> int:
    """Add photos to an album, creating it if necessary; return how many weren't in it."""
    name, now = valid_name(name), _now()
    rows = [(key(name), each.path, each.size_bytes, each.digest, each.added_at or now) for each in members]
    with _writing(library) as connection:
        connection.execute("INSERT OR IGNORE INTO albums VALUES (?, ?, ?)", (key(name), name, made_at or now))
        before = connection.total_changes
        connection.executemany("INSERT OR IGNORE INTO photos VALUES (?, ?, ?, ?, ?)", rows)
        return connection.total_changes - before


def remove(library: Path, name: str, paths: Iterable[str]) -> int:
    """Remove photos from an album; return how many were in it."""
    with _writing(library) as connection:
        before = connection.total_changes
        command = "DELETE FROM photos WHERE album = ? AND path = ?"
        connection.executemany(command, [(key(name), path) for path in paths])
        return connection.total_changes - before


def delete(library: Path, name: str) -> bool:
    """Delete an album, not its photos; returns whether there was one."""
    with _writing(library) as connection:
        connection.execute("DELETE FROM photos WHERE album = ?", (key(name),))
        return connection.execute("DELETE FROM albums WHERE key = ?", (key(name),)).rowcount > 0


def follow(library: Path, places: Sequence[tuple[str, Member]]) -> None:
    """Update moved photos in every album: from old paths to the new members."""
    if not files.is_plain(path_in(library)) or not places:
        return
    command = "UPDATE OR REPLACE photos SET path = ?, size_bytes = ?, digest = ? WHERE path = ?"
    with _writing(library) as connection:
        connection.executemany(command, [(new.path, new.size_bytes, new.digest, old) for old, new in places])


def move(library: Path, places: Sequence[tuple[str, str]]) -> None:
    """Update moved photos in every album: from old paths to new ones."""
    if files.is_plain(path_in(library)) and places:
        with _writing(library) as connection:
            command = "UPDATE OR REPLACE photos SET path = ? WHERE path = ?"
            connection.executemany(command, [(new, old) for old, new in places])


def searches(library: Path) -> dict[str, str]:
    """Return the saved searches, by name."""
    with _reading(library) as connection:
        found = connection.execute("SELECT name, text FROM searches ORDER BY key").fetchall() if connection else []
        return {_text(name): _text(text) for name, text in found}


def search(library: Path, name: str) -> str | None:
    """Return the text of a saved search by name in any case; None if there is none."""
    with _reading(library) as connection:
        query = "SELECT text FROM searches WHERE key = ?"
        found = connection.execute(query, (key(name),)).fetchone() if connection else None
        return _text(found[0]) if found else None


def save_search(library: Path, name: str, text: str) -> bool:
    """Save a search under a name, replacing another of this name; returns whether there was one."""
    name = valid_name(name)
    with _writing(library) as connection:
        query = "SELECT 1 FROM searches WHERE key = ?"
        was_there = connection.execute(query, (key(name),)).fetchone() is not None
        connection.execute("INSERT OR REPLACE INTO searches VALUES (?, ?, ?)", (key(name), name, text))
        return was_there


def delete_search(library: Path, name: str) -> bool:
    """Delete a saved search; returns whether there was one."""
    with _writing(library) as connection:
        return connection.execute("DELETE FROM searches WHERE key = ?", (key(name),)).rowcount > 0


def back_up(library: Path, target: Path) -> None:
    """Copy the file, if it exists, to a new one in another library's folder.  Raises backup.BackupFailed."""
    with _reading(library) as connection:
        if connection:
            backup.back_up(connection, path_in(target))


def is_same_as(library: Path, other: Path) -> bool:
    """Return whether two libraries have the same albums and saved searches."""
    return (every_album(library), searches(library)) == (every_album(other), searches(other))


def faults(library: Path) -> list[str]:
    """Return what is wrong inside the file, in SQLite's words.  Raises LibraryUnusable if it can't be opened."""
    with _reading(library) as connection:
        found = connection.execute("PRAGMA integrity_check(10)").fetchall() if connection else []
    every_album(library), searches(library)
    return [str(problem) for (problem,) in found if problem != "ok"]


# -- the file --------------------------------------------------------------------------------------------------------


@contextmanager
def _reading(library: Path) -> Iterator[sqlite3.Connection | None]:
    """Yield a connection in a transaction; None if there is no file yet."""
    with _translated(path_in(library)):
        _require_plain(path_in(library))
        if not path_in(library).exists():
            yield None
            return
        with closing(_opened(path_in(library))) as connection:
            connection.execute("BEGIN")
            _require_ours(connection)
            yield connection


@contextmanager
def _writing(library: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection whose statements take effect together, or not at all if the block raises."""
    path = path_in(library)
    with _translated(path):
        files.make_folder(library)
        _require_plain(path)
        if not path.exists():
            sqlite_file.create(path, _build)
        with closing(_opened(path)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            _require_ours(connection)
            yield connection
            connection.execute("COMMIT")


def _build(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for statement in _SCHEMA:
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def _opened(path: Path) -> sqlite3.Connection:
    sqlite_file.require_content(path)
    try:
        return _connection(path, "rw")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in _UNREACHABLE:
            raise
    return _connection(path, "ro")  # a read-only disk


def _connection(path: Path, mode: str) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = FULL")  # commits survive a power cut
        schema_check.harden(connection)
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _require_ours(connection: sqlite3.Connection) -> None:
    if (version := _version(connection)) > VERSION:
        raise schema_check.Damaged(f"it has version {version}, of a newer photomap")
    found = connection.execute("SELECT sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'").fetchall()
    if not found:
        raise schema_check.Damaged("it has no tables")
    if sorted(str(sql) for (sql,) in found) != sorted(_SCHEMA):
        raise schema_check.Damaged("it has other tables")


def _require_plain(path: Path) -> None:
    """Raise LibraryUnusable if a pipe, a folder or a link has one of the names, as SQLite would wait or follow."""
    for name in (path, *(path.with_name(f"{path.name}{suffix}") for suffix in ("-journal", "-wal", "-shm"))):
        if name.is_symlink() or files.is_other(name):
            hint = "move it away, or choose another with --library"
            raise LibraryUnusable(f"{name} is not a regular file", hint=hint)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turn SQLite's and the file system's errors into photomap's.  The file is never deleted."""
    try:
        yield
    except (schema_check.Damaged, UnicodeDecodeError, MemoryError) as error:
        raise _damaged(path, str(error) or "it needs more memory than there is") from error
    except OSError as error:
        raise _unusable(path, os.strerror(error.errno or 0).lower()) from error
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        if code in _BUSY:
            hint = "try again when it is done"
            raise LibraryBusy(f"another process is writing to {path}", hint=hint) from error
        if code == sqlite3.SQLITE_FULL:
            raise LibraryUnusable(
                f"the disk is full: nothing can be written to {path}", hint="free some space"
            ) from error
        if code in _UNREACHABLE or code == sqlite3.SQLITE_IOERR:
            raise _unusable(path, str(error)) from error
        raise _damaged(path, str(error)) from error


def _unusable(path: Path, detail: str) -> LibraryUnusable:
    return LibraryUnusable(f"{path} cannot be read or written: {detail}", hint="check the permissions of its folder")


def _damaged(path: Path, detail: str) -> LibraryUnusable:
    hint = "put a backup of it in its place, or move it away to begin with no albums and import an export"
    return LibraryUnusable(f"the albums in {path} are damaged: {detail}", hint=hint)


def _album(connection: sqlite3.Connection, wanted: str) -> Album | None:
    record = connection.execute("SELECT name, made_at FROM albums WHERE key = ?", (wanted,)).fetchone()
    if record is None:
        return None
    query = "SELECT path, size_bytes, digest, added_at FROM photos WHERE album = ? ORDER BY added_at, path"
    members = tuple(_member(*each) for each in connection.execute(query, (wanted,)))
    return Album(_text(record[0]), _text(record[1]), members)


def _member(path: object, size_bytes: object, digest: object, added_at: object) -> Member:
    size = None if size_bytes is None else _of(int, size_bytes)
    return Member(_text(path), size, None if digest is None else _of(bytes, digest), _text(added_at))


def _text(value: object) -> str:
    return _of(str, value)


def _of(kind: type[T], value: object) -> T:
    """Return a value if it has the expected type.  Raises Damaged, as SQLite doesn't check types."""
    if type(value) is not kind:
        raise schema_check.Damaged(f"a value is {value!r:.40}")
    return value


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
