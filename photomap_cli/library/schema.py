"""Owns the catalogue's schema: a script and its version.  A catalogue with another one is never migrated."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

VERSION = 1
TABLES = (
    *("photos", "vectors", "side_vectors", "tombstones", "roots", "meta", "other_files"),
    *("unfinished", "refused", "scan_rules"),
)
SCRIPT = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
INSERT INTO meta VALUES ('library_id', lower(hex(randomblob(16)))), ('next_row', 0);

-- The paths that were indexed.
CREATE TABLE roots (path TEXT PRIMARY KEY) WITHOUT ROWID;

CREATE TABLE photos (
    row INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    -- The file as it was: ctime and inode tell of a change that left its size and time as they were.
    size_bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    ctime_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    content_hash BLOB NOT NULL,
    damage TEXT,
    -- What is in it: taken_at is EXIF's, dated_at the date that counts (photo_date.py).
    taken_at TEXT,
    dated_at TEXT NOT NULL,
    date_source TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    orientation INTEGER NOT NULL,
    camera TEXT,
    lens TEXT,
    latitude REAL,
    longitude REAL,
    rating INTEGER,
    kind TEXT NOT NULL,
    seconds REAL,
    -- What filters compare.
    name_key TEXT NOT NULL,
    ext TEXT NOT NULL,
    camera_key TEXT,
    lens_key TEXT
);
CREATE INDEX photos_by_date ON photos (dated_at);
CREATE INDEX photos_by_content ON photos (size_bytes, content_hash);
CREATE INDEX photos_damaged ON photos (path) WHERE damage IS NOT NULL;

-- Vectors live apart, so that reading photos does not walk over them.
CREATE TABLE vectors (row INTEGER PRIMARY KEY, vector BLOB NOT NULL);

-- What else is seen of a panorama, whose middle is its vector: the vectors of its two sides, one behind the other.
CREATE TABLE side_vectors (row INTEGER PRIMARY KEY, sides BLOB NOT NULL);

-- Every row below next_row is in photos or here.
CREATE TABLE tombstones (row INTEGER PRIMARY KEY);

-- Files that had to be looked into and are no photos (content_sniffing.py).
CREATE TABLE other_files (
    path TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL
) WITHOUT ROWID;

-- Index runs (index_runs.py): over which paths one has not finished, which files could not be read, and what the last
-- one over a path left out, one pattern a line.
CREATE TABLE unfinished (path TEXT PRIMARY KEY, since TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE refused (
    path TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE scan_rules (
    path TEXT PRIMARY KEY, hidden INTEGER NOT NULL, exclude TEXT NOT NULL
) WITHOUT ROWID;
"""


def create(connection: sqlite3.Connection) -> None:
    """Create the tables of an empty library, in the caller's transaction."""
    for statement in SCRIPT.split(";\n"):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION}")


def drop_everything(connection: sqlite3.Connection) -> None:
    """Drop all tables and views, in the caller's transaction."""
    there = connection.execute("SELECT type, name FROM main.sqlite_schema WHERE type IN ('table', 'view')").fetchall()
    for what, name in there:
        if not name.startswith("sqlite_"):
            quoted = name.replace('"', '""')
            connection.execute(f'DROP {what} main."{quoted}"')


def copy_from_other(connection: sqlite3.Connection) -> None:
    """Replace the tables' content by that of the database attached as `other`, in the caller's transaction."""
    for table in TABLES:
        connection.execute(f"DELETE FROM main.{table}")
        connection.execute(f"INSERT INTO main.{table} SELECT * FROM other.{table}")
