"""Owns whether a catalogue says what photomap writes: its tables, the types of what is in them, its own facts.

SQLite opens whatever has its form, and gives a text where a number was stored if a byte was flipped.  Light.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

MOST_DIMENSIONS = 1 << 16
_OF_TYPE: Mapping[str, tuple[type, ...]] = {"INTEGER": (int,), "REAL": (float, int), "TEXT": (str,), "BLOB": (bytes,)}
_NEVER_NEGATIVE = frozenset({"row", "size_bytes", "width", "height"})
_OF_META = {
    **{"library_id": str, "next_row": int, "spec": str, "dim": int, "precision": str, "fingerprint": str},
    "last_indexed_at": str,
}
_ENDS = """SELECT (SELECT min(row) FROM photos), (SELECT max(row) FROM photos),
    (SELECT min(row) FROM tombstones), (SELECT max(row) FROM tombstones)"""

Columns = tuple[tuple[object, ...], ...]


class Damaged(Exception):
    """The catalogue says something that photomap never wrote; the message says what."""


_REFUSED = {"DEFENSIVE": True, "ENABLE_TRIGGER": False, "ENABLE_VIEW": False}


def distrust(connection: sqlite3.Connection) -> None:
    """Have SQLite look at pages before it uses them, and run nothing that a file asks for."""
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    if hasattr(connection, "setconfig"):  # from Python 3.12 on; views of this connection's own are not meant
        for name, value in _REFUSED.items():
            connection.setconfig(getattr(sqlite3, f"SQLITE_DBCONFIG_{name}"), value)


class Schema(NamedTuple):
    """What a catalogue is made of: its tables with their columns, its indexes, and which types a column holds."""

    parts: Mapping[tuple[str, str], Columns]
    kinds: Mapping[str, tuple[type, ...]]


@cache
def made_by(statements: tuple[str, ...]) -> Schema:
    """Return the schema that these statements make; those that only change what is in the tables are left out."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in statements:
            if statement.lstrip().startswith(("CREATE", "ALTER", "DROP")):
                connection.execute(statement)
        parts = _parts(connection)
    kinds: dict[str, tuple[type, ...]] = {}
    for columns in parts.values():
        for name, declared, is_required, place_in_key, _ in columns:
            if of_type := _OF_TYPE.get(str(declared)):
                nothing = () if is_required or place_in_key else (type(None),)
                kinds[str(name)] = (*kinds.get(str(name), ()), *of_type, *nothing)
    return Schema(parts, kinds)


def require(connection: sqlite3.Connection, schema: Schema) -> None:
    """Raise Damaged unless the file has just these tables and indexes: no trigger, no view in a table's place."""
    found = _parts(connection)
    for what, name in schema.parts.keys() - found.keys():
        raise Damaged(f"it has no {what} {name}")
    for what, name in found.keys() - schema.parts.keys():
        raise Damaged(f"its {what} {name} is not photomap's")
    for part, columns in schema.parts.items():
        if found[part] != columns:
            raise Damaged(f"its table {part[1]} has other columns")


def _parts(connection: sqlite3.Connection) -> dict[tuple[str, str], Columns]:
    there = connection.execute("SELECT type, name FROM main.sqlite_schema").fetchall()
    return {
        (str(what), str(name)): _columns(connection, str(name)) if what == "table" else ()
        for what, name in there
        if not str(name).startswith("sqlite_stat")  # what ANALYZE leaves
    }


def _columns(connection: sqlite3.Connection, table: str) -> Columns:
    quoted = table.replace('"', '""')
    found = connection.execute(f'PRAGMA main.table_xinfo("{quoted}")').fetchall()
    return tuple((name, kind, required, key, hidden) for _, name, kind, required, _, key, hidden in found)


def reader(schema: Schema) -> Callable[[sqlite3.Cursor, tuple[Any, ...]], tuple[Any, ...]]:
    """Return a row factory that raises Damaged for a value that its column cannot have.  One thread at a time."""
    described: object = None
    columns: list[tuple[int, str, tuple[type, ...]]] = []

    def checked(cursor: sqlite3.Cursor, record: tuple[Any, ...]) -> tuple[Any, ...]:
        nonlocal described, columns
        if cursor.description is not described:
            described = cursor.description
            names = [each[0] for each in cursor.description]
            columns = [(place, name, schema.kinds[name]) for place, name in enumerate(names) if name in schema.kinds]
        for place, name, kinds in columns:
            value = record[place]
            if type(value) not in kinds or (name in _NEVER_NEGATIVE and value is not None and value < 0):
                raise Damaged(f"a photo's {name} is {_told(value)}")
        return record

    return checked


def meta(connection: sqlite3.Connection) -> dict[str, Any]:
    """Return the library's own facts by name, after a look whether they are true.  Takes some microseconds."""
    found = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    for name in ("library_id", "next_row", *(("dim", "precision") if "spec" in found else ())):
        if name not in found:
            raise Damaged(f"its {name} is gone")
    for name, value in found.items():
        if type(value) is not _OF_META.get(name, type(value)):
            raise Damaged(f"its {name} is {_told(value)}")
    if not 0 < found.get("dim", 1) <= MOST_DIMENSIONS:
        raise Damaged(f"its dim is {found['dim']}")
    _require_time(found.get("last_indexed_at"))
    _require_rows(connection, found["next_row"])
    return found


def _require_time(indexed_at: str | None) -> None:
    try:
        datetime.fromisoformat(indexed_at or "2026-01-01")
    except ValueError as error:
        raise Damaged(f"its last_indexed_at is {_told(indexed_at)}") from error


def _require_rows(connection: sqlite3.Connection, next_row: int) -> None:
    """Raise Damaged unless the last row below `next_row` is a photo, or one that is gone."""
    ends = [row for row in connection.execute(_ENDS).fetchone() if row is not None]
    if min(ends, default=0) < 0:
        raise Damaged(f"a row is {min(ends)}")
    if next_row != max(ends, default=-1) + 1:
        raise Damaged(f"its next_row is {next_row}, its last row {max(ends, default=-1)}")
    pages, page_bytes = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    if next_row > pages * page_bytes:  # each row takes more than a byte
        raise Damaged(f"its next_row is {next_row}")


def require_vectors(rows: Iterable[tuple[int, bytes]], vector_bytes: int) -> None:
    """Raise Damaged unless every vector has this length."""
    for row, vector in rows:
        if len(vector) != vector_bytes:
            raise Damaged(f"the vector of row {row} has {len(vector)} bytes, not {vector_bytes}")


def require_no_vectors(connection: sqlite3.Connection) -> None:
    """Raise Damaged where there are vectors, of which nothing says what made them."""
    if connection.execute("SELECT 1 FROM vectors LIMIT 1").fetchone():
        raise Damaged("its encoder is gone")


def require_rising(rows: Iterable[int]) -> None:
    """Raise Damaged unless rows come in their order, each once: whoever goes on behind the last would never end."""
    last = -1
    for row in rows:
        if row <= last:
            raise Damaged(f"row {row} comes behind row {last}")
        last = row


def _told(value: object) -> str:
    return f"{value!r:.40}"
