"""Owns validating a catalogue: its version and tables, the types of values, its meta facts.

SQLite opens anything in its format, and may return a text for a number if a byte was flipped.  Light.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from photomap_cli.library import schema

if TYPE_CHECKING:
    from enum import StrEnum

MOST_DIMENSIONS = 1 << 16
_OF_TYPE: Mapping[str, tuple[type, ...]] = {"INTEGER": (int,), "REAL": (float, int), "TEXT": (str,), "BLOB": (bytes,)}
_NEVER_NEGATIVE = frozenset({"row", "size_bytes", "width", "height"})
_OF_META = {
    **{"library_id": str, "next_row": int, "spec": str, "dim": int, "precision": str, "fingerprint": str},
    "last_indexed_at": str,
}
_ENDS = """SELECT (SELECT min(row) FROM photos), (SELECT max(row) FROM photos),
    (SELECT min(row) FROM tombstones), (SELECT max(row) FROM tombstones)"""

_Value = TypeVar("_Value", bound="StrEnum")
Columns = tuple[tuple[object, ...], ...]


class Damaged(Exception):
    """The catalogue holds something that photomap never wrote; the message says what."""


class OtherFormat(Exception):
    """The catalogue is of another version of photomap, or has another schema; the message says how."""


_REFUSED = {"DEFENSIVE": True, "ENABLE_TRIGGER": False, "ENABLE_VIEW": False}


def harden(connection: sqlite3.Connection) -> None:
    """Make SQLite check pages before using them, and run no code from the file."""
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    if hasattr(connection, "setconfig"):  # from Python 3.12 on; doesn't affect this connection's own views
        for name, value in _REFUSED.items():
            connection.setconfig(getattr(sqlite3, f"SQLITE_DBCONFIG_{name}"), value)


class Schema(NamedTuple):
    """A catalogue's structure: tables with columns, indexes, and the types of columns."""

    parts: Mapping[tuple[str, str], Columns]
    kinds: Mapping[str, tuple[type, ...]]


@cache
def expected() -> Schema:
    """Return the structure of a valid catalogue."""
    with closing(sqlite3.connect(":memory:")) as connection:
        schema.create(connection)
        parts = _parts(connection)
    kinds: dict[str, tuple[type, ...]] = {}
    for (what, _), columns in parts.items():
        for name, declared, is_required, place_in_key, _ in columns if what == "table" else ():
            if of_type := _OF_TYPE.get(str(declared)):
                nothing = () if is_required or place_in_key else (type(None),)
                kinds[str(name)] = (*kinds.get(str(name), ()), *of_type, *nothing)
    return Schema(parts, kinds)


def version(connection: sqlite3.Connection) -> int:
    """Return the schema version in a file; 0 if it was never set."""
    found: int = connection.execute("PRAGMA main.user_version").fetchone()[0]
    return found


def require(connection: sqlite3.Connection) -> None:
    """Raise OtherFormat unless the file has exactly the schema's tables and indexes: no triggers, no views.

    Raises Damaged if it isn't photomap's at all.
    """
    connection.execute("BEGIN")  # another process may be changing all of it
    try:
        if difference := _difference(connection):
            raise OtherFormat(difference) if library_id(connection) else Damaged("it isn't photomap's")
    finally:
        connection.execute("ROLLBACK")


def library_id(connection: sqlite3.Connection) -> str | None:
    """Return the id of the library in a file of any format; None if it isn't photomap's."""
    if [str(each[0]) for each in _columns(connection, "meta")] != ["key", "value"]:
        return None
    found = connection.execute("SELECT value FROM main.meta WHERE key = 'library_id'").fetchone()
    return found[0] if found and type(found[0]) is str else None


def _difference(connection: sqlite3.Connection) -> str:
    """Return how the structure differs from the expected one; empty if it doesn't."""
    if (said := version(connection)) != schema.VERSION:
        return f"version {said}, not {schema.VERSION}"
    wanted, found = expected().parts, _parts(connection)
    for what, name in sorted(wanted.keys() - found.keys()):
        return f"it has no {what} {name}"
    for what, name in sorted(found.keys() - wanted.keys()):
        return f"its {what} {name} is not photomap's"
    for part, content in wanted.items():
        if found[part] != content:
            return f"its {part[0]} {part[1]} is another"
    return ""


def _parts(connection: sqlite3.Connection) -> dict[tuple[str, str], Columns]:
    """Return the structure by type and name: a table's columns, an index's statement."""
    there = connection.execute("SELECT type, name, sql FROM main.sqlite_schema").fetchall()
    return {
        (str(what), str(name)): _columns(connection, str(name)) if what == "table" else ((sql,),)
        for what, name, sql in there
        if not str(name).startswith("sqlite_stat")  # left by ANALYZE
    }


def _columns(connection: sqlite3.Connection, table: str) -> Columns:
    quoted = table.replace('"', '""')
    found = connection.execute(f'PRAGMA main.table_xinfo("{quoted}")').fetchall()
    return tuple((name, kind, required, key, hidden) for _, name, kind, required, _, key, hidden in found)


def reader() -> Callable[[sqlite3.Cursor, tuple[Any, ...]], tuple[Any, ...]]:
    """Return a row factory that raises Damaged for an invalid value of a column.  One thread at a time."""
    kinds_of, described = expected().kinds, cast("object", None)
    columns: list[tuple[int, str, tuple[type, ...]]] = []

    def checked(cursor: sqlite3.Cursor, record: tuple[Any, ...]) -> tuple[Any, ...]:
        nonlocal described, columns
        if cursor.description is not described:
            described = cursor.description
            names = [each[0] for each in cursor.description]
            columns = [(place, name, kinds_of[name]) for place, name in enumerate(names) if name in kinds_of]
        for place, name, kinds in columns:
            value = record[place]
            if type(value) not in kinds or (name in _NEVER_NEGATIVE and value is not None and value < 0):
                raise Damaged(f"a photo's {name} is {_told(value)}")
        return record

    return checked


def meta(connection: sqlite3.Connection) -> dict[str, Any]:
    """Return the library's meta facts by name, validated.  Takes some microseconds."""
    found = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    for name in ("library_id", "next_row", *(("dim", "precision", "fingerprint") if "spec" in found else ())):
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
    """Raise Damaged unless the last row below `next_row` is a photo or a tombstone."""
    ends = [row for row in connection.execute(_ENDS).fetchone() if row is not None]
    if min(ends, default=0) < 0:
        raise Damaged(f"a row is {min(ends)}")
    if next_row != max(ends, default=-1) + 1:
        raise Damaged(f"its next_row is {next_row}, its last row {max(ends, default=-1)}")
    pages, page_bytes = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    if next_row > pages * page_bytes:  # each row takes more than a byte
        raise Damaged(f"its next_row is {next_row}")


def one_of(kind: type[_Value], text: str) -> _Value:
    """Return a column's value as an enumeration member.  Raises Damaged if there is no such member."""
    try:
        return kind(text)
    except ValueError as error:
        raise Damaged(f"there is no {kind.__name__} {_told(text)}") from error


def require_vectors(rows: Iterable[tuple[int, bytes]], vector_bytes: int) -> None:
    """Raise Damaged unless every vector has this length."""
    for row, vector in rows:
        if len(vector) != vector_bytes:
            raise Damaged(f"the vector of row {row} has {len(vector)} bytes, not {vector_bytes}")


def require_no_vectors(connection: sqlite3.Connection) -> None:
    """Raise Damaged if there are vectors but no encoder."""
    if connection.execute("SELECT 1 FROM vectors LIMIT 1").fetchone():
        raise Damaged("its encoder is gone")


def require_rising(rows: Iterable[int]) -> None:
    """Raise Damaged unless rows are strictly increasing; otherwise reading on after the last would never end."""
    last = -1
    for row in rows:
        if row <= last:
            raise Damaged(f"row {row} comes behind row {last}")
        last = row


def _told(value: object) -> str:
    return f"{value!r:.40}"
