"""Owns translating errors of SQLite and of invalid catalogues into a library's errors, with hints."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from photomap_cli import directories
from photomap_cli.errors import EmptyLibrary, LibraryBusy, LibraryFormat, LibraryUnusable, PhotomapError
from photomap_cli.library import schema_check

FILE_NAME = "catalog.sqlite"

_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_DAMAGED = frozenset(
    {
        *(sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_INTERNAL),
        *(sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_FORMAT),
    }
)
"""SQLite's errors for a damaged file.  The statements are ours, so one that can't run, or breaks a
constraint, is the file's fault too."""
_LOG_INDEX_BYTES = 65_536
UNREACHABLE = frozenset(
    {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_IOERR}
)


def nothing_indexed(folder: Path) -> EmptyLibrary:
    """Return the error for a library that doesn't exist yet."""
    return EmptyLibrary(f"there is no library in {folder} yet", hint="`photomap index FOLDER` creates one")


def _rebuild(folder: Path) -> str:
    """Return the command that rebuilds a library, naming it if it isn't the default one."""
    from shlex import quote

    is_own = folder == directories.library_directory()
    return "photomap index --rebuild" + ("" if is_own else f" --library {quote(str(folder))}")


@contextmanager
def translated(folder: Path) -> Iterator[None]:
    """Turn SQLite's and the file system's errors into photomap's."""
    try:
        yield
    except schema_check.Damaged as error:
        raise damaged(folder, str(error)) from error
    except schema_check.OtherFormat as error:
        raise LibraryFormat(
            f"the library {folder} has another format: {error}",
            hint=f"`{_rebuild(folder)}` encodes its photos again for this version of photomap",
        ) from error
    except UnicodeDecodeError as error:  # SQLite's message quotes the text
        raise damaged(folder, "it contains invalid text") from error
    except MemoryError as error:  # SQLite reports an impossible length in a damaged file this way too
        hint = f"free some; if that doesn't help, {FILE_NAME} there is damaged"
        raise LibraryUnusable(f"reading the library {folder} needs more memory than there is", hint=hint) from error
    except sqlite3.Error as error:
        known = _translation(error, folder)
        if known is None:
            raise
        raise known from error


def _translation(error: sqlite3.Error, folder: Path) -> PhotomapError | None:
    whole = getattr(error, "sqlite_errorcode", 0)
    if whole == sqlite3.SQLITE_CONSTRAINT_NOTNULL:  # the value to be written is wrong, not the file
        return None
    code = whole & 0xFF  # the primary code; the rest is detail
    if code in _BUSY:
        return LibraryBusy(f"another process is writing to the library {folder}", hint="try again when it is done")
    has_no_code = type(error) is sqlite3.OperationalError and not code  # Python's own: a text that isn't UTF-8
    if code in _DAMAGED or has_no_code:
        return damaged(folder, str(error))
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _is_full(folder)):
        return LibraryUnusable(f"the disk is full: nothing can be written to {folder}", hint="free some space")
    if code == sqlite3.SQLITE_IOERR:
        return LibraryUnusable(
            f"the library {folder} cannot be read or written: {error}", hint="see whether the disk is full or failing"
        )
    if code in UNREACHABLE:
        return unreachable(folder, str(error))
    return None


def _is_full(folder: Path) -> bool:
    """Return whether a disk has no room for a log's index, which SQLite only reports as unwritable."""
    try:
        return shutil.disk_usage(folder).free < _LOG_INDEX_BYTES
    except OSError:
        return False


def unreachable(folder: Path, detail: str) -> LibraryUnusable:
    """Return the error for a library that can't be accessed."""
    return LibraryUnusable(
        f"the library {folder} cannot be read or written: {detail}",
        hint="check the folder's permissions, or choose another with --library",
    )


def damaged(folder: Path, detail: str) -> LibraryUnusable:
    """Return the error for a damaged catalogue, with a hint."""
    return LibraryUnusable(
        f"the library file {folder / FILE_NAME} is damaged: {detail}",
        hint=f"move {FILE_NAME} away and run `photomap index FOLDER` again",
    )
