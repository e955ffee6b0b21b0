"""Owns compacting rows after deletions: every photo gets a new row, under a new library id."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

SHARE, LEAST = 5, 1000
"""Due when more than one row in this many is of a deleted photo: searches and files have at most a quarter more than
they need.  Fewer than `LEAST` rows cost next to nothing: 0.05 ms and 1 MB."""

_NUMBERED = """INSERT INTO temp.numbers
    SELECT row, (SELECT min(row) FROM main.tombstones) - 1 + row_number() OVER (ORDER BY row)
    FROM main.photos WHERE row > (SELECT min(row) FROM main.tombstones)"""
_RENUMBERED = "UPDATE main.{} SET row = (SELECT new FROM temp.numbers WHERE old = row) WHERE row > ?"


def renumber_if_due(connection: sqlite3.Connection) -> bool:
    """Close the gaps between rows if there are many, in the caller's transaction; return whether that was done.

    Photos keep their order.  Files derived from the old rows no longer belong to any library.
    """
    first, gone = connection.execute("SELECT min(row), count(*) FROM tombstones").fetchone()
    (next_row,) = connection.execute("SELECT value FROM meta WHERE key = 'next_row'").fetchone()
    if gone < LEAST or gone * SHARE <= next_row:
        return False
    connection.execute("CREATE TEMP TABLE numbers (old INTEGER PRIMARY KEY, new INTEGER)")
    connection.execute(_NUMBERED)
    for table in (
        "photos",
        "vectors",
        "side_vectors",
    ):  # SQLite updates rows in ascending order, so each new number is free
        connection.execute(_RENUMBERED.format(table), (first,))
    connection.execute("DROP TABLE temp.numbers")
    connection.execute("DELETE FROM tombstones")
    connection.execute("UPDATE meta SET value = (SELECT count(*) FROM photos) WHERE key = 'next_row'")
    connection.execute("UPDATE meta SET value = lower(hex(randomblob(16))) WHERE key = 'library_id'")
    return True
