"""Owns the SQLite file: connections, transactions, errors.  Knows no photos."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from photomap_cli import files
from photomap_cli.errors import LibraryUnusable
from photomap_cli.library import backup, geography, schema, schema_check, sqlite_file
from photomap_cli.library.sqlite_errors import FILE_NAME, UNREACHABLE, nothing_indexed, translated, unreachable

BUSY_SECONDS = 10.0
_STEPS_BETWEEN_LOOKS = 1000  # steps of SQLite's virtual machine; some 0.05 ms, or as many patterns as there are filters
WAL_BYTES_KEPT = 64 << 20

_PAGE_BYTES = 16_384
"""A vector of 512 dimensions takes 1 kB: three fit in SQLite's usual page, and leave a quarter of it empty."""

FREE_SHARE, LEAST_FREE_BYTES = 8, 16 << 20
"""A file is shrunk if one page in this many is free, and this many bytes.  Deleting half of 200,000 photos leaves
35 to 49 % of the pages free and more of them half empty: 327 MB become 163 in 1.5 s."""

ChangeCounter = tuple[int, int]


class Database:
    """A connection to a library's SQLite file, shared by threads: each call holds the lock while it runs.

    `reading` and `writing` turn SQLite's errors into LibraryBusy or LibraryUnusable.
    """

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        self._folder = folder
        self._connection = connection
        self._file = _identity(folder)
        self._lock = threading.RLock()
        self._commits = 0

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection whose statements all see the same state of the library."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def reading_while(self, checkpoint: Callable[[], None]) -> Iterator[sqlite3.Connection]:
        """As `reading`, with `checkpoint` called repeatedly; an exception from it ends the running statement."""
        raised: list[BaseException] = []

        def stops() -> bool:
            try:
                checkpoint()
            except BaseException as error:
                raised.append(error)
            return bool(raised)

        with self.reading() as connection:
            connection.set_progress_handler(stops, _STEPS_BETWEEN_LOOKS)
            try:
                yield connection
            except sqlite3.OperationalError:
                if raised:
                    raise raised[0] from None
                raise
            finally:
                connection.set_progress_handler(None, 0)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection whose statements take effect together, or not at all if the block raises."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection
            self._commits += 1

    @contextmanager
    def writing_from(self, folder: Path) -> Iterator[sqlite3.Connection]:
        """As `writing`, with the library in another folder attached as `other`."""
        with self._lock, translated(self._folder):
            self._connection.execute("ATTACH ? AS other", (str(folder / FILE_NAME),))
            try:
                with self.writing() as connection:
                    yield connection
            finally:
                self._connection.execute("DETACH other")

    def back_up(self, target: Path, on_bytes: Callable[[int], None] = lambda count: None) -> None:
        """Copy a snapshot of the file to a new one, see `backup.back_up`; others keep reading and writing."""
        with self.reading() as connection:
            backup.back_up(connection, target, on_bytes)

    def shrink(self) -> None:
        """Shrink the file after deletions, if that gains much and there is room for doing it.

        Other processes keep reading; if this one is killed, the file is as before.
        """
        with self._lock, translated(self._folder):
            pages, free, page = (
                int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])
                for name in ("page_count", "freelist_count", "page_size")
            )
            is_much = free * FREE_SHARE > pages and free * page >= LEAST_FREE_BYTES
            if is_much and shutil.disk_usage(self._folder).free > 2 * pages * page:
                self._connection.execute("VACUUM")
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the log is now as long as the file

    def change_counter(self) -> ChangeCounter:
        """Return a value that differs after any commit by any process; costs some microseconds.

        Raises LibraryUnusable when the file is no longer the library's: it was removed, or another took its place.
        """
        with self._lock, translated(self._folder):
            if None not in (now := _identity(self._folder), self._file) and now != self._file:
                raise LibraryUnusable(
                    f"the library {self._folder} was removed or replaced while it was open",
                    hint="run the command again; a session has to be restarted first: `photomap stop`, or :quit",
                )
            version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
            return version, self._commits

    def close(self) -> None:
        """Close the connection; safe to call twice."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._lock, translated(self._folder):
            try:
                self._connection.execute(begin)
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                # Also after a KeyboardInterrupt between any two of these lines.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")


def connect(folder: Path, *, create: bool, any_format: bool = False) -> Database:
    """Open the SQLite file in a library's folder, creating it if `create`.

    With `any_format` nothing is checked: the caller must check each value.

    Raises EmptyLibrary if there is none, LibraryUnusable for a damaged one, LibraryFormat for one in another format.
    """
    with translated(folder):
        if create:
            _make_folder(folder)
        _require_plain(folder)
        if not library_exists(folder):
            if not create:
                raise nothing_indexed(folder)
            _create(folder)
        sqlite_file.require_content(folder / FILE_NAME)
        connection = _opened(folder, create=create, any_format=any_format)
        if not any_format:
            connection.row_factory = schema_check.reader()
        return Database(folder, connection)


def _identity(folder: Path) -> tuple[int, ...] | None:
    """Return which file a library is in, () if there is none, None if that can't be found out now."""
    try:
        info = (folder / FILE_NAME).stat()
    except FileNotFoundError:
        return ()
    except OSError:  # a network disk that does not answer
        return None
    return info.st_dev, info.st_ino


def library_exists(folder: Path) -> bool:
    """Return whether there is a library in `folder`; raises LibraryUnusable if that can't be checked."""
    try:
        return (folder / FILE_NAME).is_file()
    except OSError as error:
        raise unreachable(folder, os.strerror(error.errno or 0).lower()) from error


def _require_plain(folder: Path) -> None:
    """Raise LibraryUnusable if a pipe, a folder or a link has one of the names, as SQLite would wait or follow."""
    path = folder / FILE_NAME
    try:
        beside = (path.with_name(f"{FILE_NAME}{suffix}") for suffix in ("-wal", "-shm", "-journal"))
        wrong = path if files.is_other(path) else next((each for each in beside if _is_wrong(each)), None)
    except OSError as error:
        raise unreachable(folder, os.strerror(error.errno or 0).lower()) from error
    if wrong is not None:
        raise LibraryUnusable(f"{wrong} is not a regular file", hint="move it away, or choose another with --library")


def _is_wrong(path: Path) -> bool:
    return path.is_symlink() or files.is_other(path)


def _make_folder(folder: Path) -> None:
    try:
        files.make_folder(folder)
    except OSError as error:
        raise LibraryUnusable(
            f"the library's folder {folder} cannot be made: {error.strerror}", hint="choose another with --library"
        ) from error


def _opened(folder: Path, *, create: bool, any_format: bool) -> sqlite3.Connection:
    try:
        return _connection(folder, "mode=rw", any_format=any_format)
    except sqlite3.OperationalError as error:
        if create or not _may_be_read_only(error, folder):
            raise
    # A write-ahead log needs a writable folder even for reading; if the log is empty, the file alone is enough.
    return _connection(folder, "mode=ro&immutable=1", any_format=any_format)


def _may_be_read_only(error: sqlite3.Error, folder: Path) -> bool:
    log = folder / f"{FILE_NAME}-wal"
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in UNREACHABLE and not (log.exists() and log.stat().st_size)


def _connection(folder: Path, mode: str, *, any_format: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{(folder / FILE_NAME).absolute().as_uri()}?{mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        # FULL: commits survive a power cut, for 3.5 ms per batch; NORMAL would only keep the catalogue consistent.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES_KEPT}")
        schema_check.harden(connection)
        connection.create_function(geography.DISTANCE, 4, geography.metres_between, deterministic=True)
        if not any_format:
            schema_check.require(connection)
        elif not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            raise schema_check.Damaged("it has no tables")
    except BaseException:
        connection.close()
        raise
    return connection


def _create(folder: Path) -> None:
    """Create the file; SQLite's other files are as private."""
    try:
        sqlite_file.create(folder / FILE_NAME, _build)
    except OSError as error:
        raise unreachable(folder, os.strerror(error.errno or 0).lower()) from error


def _build(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    schema.create(connection)
    connection.execute("COMMIT")
