"""Owns the SQLite file: its schema and version, connections, transactions, errors; knows no photos."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from photomap_cli import files
from photomap_cli.errors import LibraryUnusable
from photomap_cli.library import schema_check
from photomap_cli.library.file_lock import FileLock
from photomap_cli.library.sqlite_errors import FILE_NAME, UNREACHABLE, damaged, nothing_indexed, translated, unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

LOCK_NAME = "catalog.lock"
FIRST_SCHEMA = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID",
    "CREATE TABLE roots (path TEXT PRIMARY KEY) WITHOUT ROWID",
    """CREATE TABLE photos (
        row INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
        taken_at TEXT, dated_at TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL, camera TEXT,
        name_key TEXT NOT NULL, ext TEXT NOT NULL, camera_key TEXT)""",
    "CREATE INDEX photos_by_date ON photos (dated_at)",
    # Vectors live apart, so that reading photos does not walk over them.
    "CREATE TABLE vectors (row INTEGER PRIMARY KEY, vector BLOB NOT NULL)",
    # Every row number below next_row is in `photos` or here.
    "CREATE TABLE tombstones (row INTEGER PRIMARY KEY)",
    "INSERT INTO meta VALUES ('library_id', lower(hex(randomblob(16)))), ('next_row', 0)",
)
UPGRADES = (
    # To version 2.  What older photos say of themselves is not known until they are encoded again.
    (
        "ALTER TABLE photos ADD COLUMN lens TEXT",
        "ALTER TABLE photos ADD COLUMN latitude REAL",
        "ALTER TABLE photos ADD COLUMN longitude REAL",
        "ALTER TABLE photos ADD COLUMN orientation INTEGER",
    ),
    # To version 3: the digest of the file's bytes (file_identity.py).
    (
        "ALTER TABLE photos ADD COLUMN content_hash BLOB",
        "CREATE INDEX photos_by_content ON photos (size_bytes, content_hash) WHERE content_hash IS NOT NULL",
    ),
    # To version 4: where a date comes from, and the dates in names (filename_dates.py).  It is not known of the others:
    # they may have a day in their EXIF that was not read, as the time is none.
    (
        "ALTER TABLE photos ADD COLUMN date_source TEXT",
        "UPDATE photos SET date_source = 'exif' WHERE taken_at IS NOT NULL",
        """UPDATE photos SET date_source = source_in_name(path),
            dated_at = coalesce(date_in_name(path), dated_at) WHERE taken_at IS NULL""",
    ),
    # What is wrong with a file of which there is something to see (salvage.py).
    (
        "ALTER TABLE photos ADD COLUMN damage TEXT",
        "CREATE INDEX photos_damaged ON photos (path) WHERE damage IS NOT NULL",
    ),
    # What tells of a change that left a file's size and time as they were.  The next index run notes older photos'.
    (
        "ALTER TABLE photos ADD COLUMN ctime_ns INTEGER",
        "ALTER TABLE photos ADD COLUMN inode INTEGER",
    ),
    # Files that had to be looked into and are no photos (content_sniffing.py).
    (
        """CREATE TABLE other_files (
            path TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL) WITHOUT ROWID""",
    ),
    # What is remembered of index runs (index_runs.py).
    (
        "CREATE TABLE unfinished (path TEXT PRIMARY KEY, since TEXT NOT NULL) WITHOUT ROWID",
        """CREATE TABLE refused (
            path TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL) WITHOUT ROWID""",
    ),
)
"""What each version adds to the one before; a new library goes through all of them too."""

LATER_COLUMNS = (
    *("lens", "latitude", "longitude", "orientation", "content_hash", "date_source", "damage"),
    *("ctime_ns", "inode"),
)
LATER_TABLES = {
    "other_files": ("path", "size_bytes", "mtime_ns"),
    "unfinished": ("path", "since"),
    "refused": ("path", "size_bytes", "mtime_ns"),
}
SCHEMA_VERSION = 1 + len(UPGRADES)
BUSY_SECONDS = 10.0
_STEPS_BETWEEN_LOOKS = 1000  # of SQLite's virtual machine; some 0.05 ms, or as many patterns as there are filters
WAL_BYTES_KEPT = 64 << 20

FREE_SHARE, LEAST_FREE_BYTES = 8, 16 << 20
"""A file is shrunk when one page in so many is free, and so many bytes.  Of 200,000 photos that half are deleted leaves
35 to 49 % of the pages free and more of them half empty: 327 MB become 163 in 1.5 s."""

ChangeCounter = tuple[int, int]


class Database:
    """One connection to a library's SQLite file, shared by threads: each call takes the lock for as long as it runs.

    SQLite's errors leave `reading` and `writing` as LibraryBusy or LibraryUnusable.
    """

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        self._folder = folder
        self._connection = connection
        self._lock = threading.RLock()
        self._commits = 0

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection whose statements all see the same state of the library."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def reading_while(self, checkpoint: Callable[[], None]) -> Iterator[sqlite3.Connection]:
        """As `reading`, with `checkpoint` called now and then; what it raises ends the statement under way."""
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
        """Give a connection whose statements take effect together, or not at all if the block raises."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection
            self._commits += 1

    @contextmanager
    def writing_from(self, folder: Path) -> Iterator[sqlite3.Connection]:
        """As `writing`, with the library in another folder there to be read under the name `other`."""
        with self._lock, translated(self._folder):
            self._connection.execute("ATTACH ? AS other", (str(folder / FILE_NAME),))
            try:
                with self.writing() as connection:
                    yield connection
            finally:
                self._connection.execute("DETACH other")

    def shrink(self) -> None:
        """Give back what deletions have left of the file, if that is much and there is room for the way there.

        Other processes go on reading; should this one be killed, the file is as before.
        """
        with self._lock, translated(self._folder):
            pages, free, page = (
                int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])
                for name in ("page_count", "freelist_count", "page_size")
            )
            is_much = free * FREE_SHARE > pages and free * page >= LEAST_FREE_BYTES
            if is_much and shutil.disk_usage(self._folder).free > 2 * pages * page:
                self._connection.execute("VACUUM")
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the log is as long as the file now

    def change_counter(self) -> ChangeCounter:
        """Return a value that differs after any commit by any process; costs some microseconds."""
        with self._lock, translated(self._folder):
            version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
            return version, self._commits

    def close(self) -> None:
        """End the connection; safe to call twice."""
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


def connect(folder: Path, *, create: bool) -> Database:
    """Open the SQLite file in a library's folder, made first if `create` says so.

    Raises EmptyLibrary when there is none, LibraryUnusable for a damaged or newer one.
    """
    with translated(folder):
        if create:
            _make_folder(folder)
        _require_plain(folder, create=create)
        if not create and not library_exists(folder):
            raise nothing_indexed(folder)
        connection = _opened(folder, create=create)
        try:
            _check(connection, folder)
        except BaseException:
            connection.close()
            raise
        connection.row_factory = schema_check.reader(schema(SCHEMA_VERSION))
        return Database(folder, connection)


def library_exists(folder: Path) -> bool:
    """Say whether there is a library in `folder`; LibraryUnusable where nobody may look."""
    try:
        return (folder / FILE_NAME).is_file()
    except OSError as error:
        raise unreachable(folder, os.strerror(error.errno or 0).lower()) from error


def _require_plain(folder: Path, *, create: bool) -> None:
    """Make the file if `create` says so, for its owner alone: SQLite's others take after it.

    Raises LibraryUnusable where a pipe, a folder or a link has one of the names: SQLite would wait for it, or follow.
    """
    path = folder / FILE_NAME
    try:
        if create:
            files.make(path)
        wrong = [path] if files.is_other(path) else []
    except files.NotPlain:
        wrong = [path]
    except OSError as error:
        raise unreachable(folder, os.strerror(error.errno or 0).lower()) from error
    beside = (path.with_name(f"{FILE_NAME}{suffix}") for suffix in ("-wal", "-shm", "-journal"))
    for each in (*wrong, *(one for one in beside if one.is_symlink() or files.is_other(one))):
        raise LibraryUnusable(f"{each} is not a plain file", hint="move it away, or choose another with --library")


def _make_folder(folder: Path) -> None:
    try:
        files.make_folder(folder)
    except OSError as error:
        raise LibraryUnusable(
            f"the library's folder {folder} cannot be made: {error.strerror}", hint="choose another with --library"
        ) from error


def _opened(folder: Path, *, create: bool) -> sqlite3.Connection:
    try:
        return _connection(folder, "mode=rwc" if create else "mode=rw", create=create)
    except sqlite3.OperationalError as error:
        if create or not _may_be_read_only(error, folder):
            raise
    # A write-ahead log needs a writable folder even for reading; with nothing in the log the file alone will do.
    return _connection(folder, "mode=ro&immutable=1", create=False)


def _may_be_read_only(error: sqlite3.Error, folder: Path) -> bool:
    log = folder / f"{FILE_NAME}-wal"
    return error.sqlite_errorcode & 0xFF in UNREACHABLE and not (log.exists() and log.stat().st_size)


def _connection(folder: Path, mode: str, *, create: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{(folder / FILE_NAME).absolute().as_uri()}?{mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        # FULL: what was committed outlives a power cut.  It costs 3.5 ms a batch, NORMAL only a healthy catalogue.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES_KEPT}")
        schema_check.distrust(connection)
        if _is_empty(connection) and create:
            _create_alone(connection, folder)
        version = _checked_version(connection)
        if 0 < version < SCHEMA_VERSION:
            (_seem_upgraded if mode.startswith("mode=ro") else _upgrade)(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _checked_version(connection: sqlite3.Connection) -> int:
    """Return the version, with the tables being those of this version; another process may be upgrading."""
    connection.execute("BEGIN")
    try:
        version = _version(connection)
        if 0 < version <= SCHEMA_VERSION:
            schema_check.require(connection, schema(version))
    finally:
        connection.execute("ROLLBACK")
    return version


def schema(version: int) -> schema_check.Schema:
    """Return what a catalogue of this version is made of."""
    later = (statement for step in UPGRADES[: version - 1] for statement in step)
    return schema_check.made_by((*FIRST_SCHEMA, *later))


def _create_alone(connection: sqlite3.Connection, folder: Path) -> None:
    """Make the schema, with no other process doing so: of two that change to a write-ahead log, one is refused."""
    try:
        with FileLock(folder / LOCK_NAME):
            _create(connection)
    except OSError as error:
        raise LibraryUnusable(
            f"the library {folder} cannot be written: {error.strerror or error}",
            hint="check the folder's permissions, or choose another with --library",
        ) from error


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    with _all_or_nothing(connection):
        if _is_empty(connection):
            _apply(connection, FIRST_SCHEMA, version=1)
            _apply_upgrades(connection)


def _upgrade(connection: sqlite3.Connection) -> None:
    """Bring an older library up to date; its photos stay.  Another process may be doing the same."""
    with _all_or_nothing(connection):
        _apply_upgrades(connection)


def _seem_upgraded(connection: sqlite3.Connection) -> None:
    """Have an older library that cannot be changed read as if it were up to date, with nothing known that is new."""
    there = {record[1] for record in connection.execute("PRAGMA table_info(photos)")}
    new = "".join(f", NULL AS {column}" for column in LATER_COLUMNS if column not in there)
    connection.execute(f"CREATE TEMP VIEW photos AS SELECT *{new} FROM main.photos")
    tables = {record[0] for record in connection.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'")}
    for table, columns in LATER_TABLES.items():
        if table not in tables:
            connection.execute(f"CREATE TEMP TABLE {table} ({', '.join(columns)})")


def _apply_upgrades(connection: sqlite3.Connection) -> None:
    from photomap_cli.library.dating import date_in_name, source_in_name  # not for every status

    for function in (date_in_name, source_in_name):
        connection.create_function(function.__name__, 1, function)
    for version in range(_version(connection), SCHEMA_VERSION):
        _apply(connection, UPGRADES[version - 1], version=version + 1)


def _apply(connection: sqlite3.Connection, statements: Iterable[str], *, version: int) -> None:
    for statement in statements:
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {version}")


@contextmanager
def _all_or_nothing(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _is_empty(connection: sqlite3.Connection) -> bool:
    return not _table_count(connection) and _version(connection) == 0


def _check(connection: sqlite3.Connection, folder: Path) -> None:
    # In this order, as another process may be making both.
    has_tables, version = _table_count(connection) > 0, _version(connection)
    if version > SCHEMA_VERSION:
        raise LibraryUnusable(
            f"the library {folder} was made by a newer photomap",
            hint="upgrade photomap, or choose another folder with --library",
        )
    if version < 0 or (version == 0 and has_tables):
        raise damaged(folder, "it is not photomap's")
    if version == 0:
        raise nothing_indexed(folder)


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _table_count(connection: sqlite3.Connection) -> int:
    count: int = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    return count
