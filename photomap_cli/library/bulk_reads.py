"""Owns checked bulk reads of the catalogue: vectors, row numbers, records of many rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from photomap_cli.library import schema_check
from photomap_cli.library.entities import SIDES, STORED, LibraryEncoder
from photomap_cli.library.stats import read_meta

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from photomap_cli.library.sql_filters import Value

_CHUNK = 500  # below SQLite's oldest limit of 999 parameters
_FP16_EXPONENT = 0x7C00  # all ones if a number isn't finite


def encoder_of(meta: dict[str, str | int]) -> LibraryEncoder | None:
    """Return the encoder that made the vectors, from a library's meta facts; None if there is none yet."""
    if "spec" not in meta:
        return None
    return LibraryEncoder(str(meta["spec"]), int(meta["dim"]), str(meta["precision"]), str(meta["fingerprint"]))


def in_pieces(connection: sqlite3.Connection, query: str, values: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    """Yield a query's results for any number of values in place of its `...`."""
    for start in range(0, len(values), _CHUNK):
        piece = values[start : start + _CHUNK]
        yield from connection.execute(query.replace("...", ", ".join("?" * len(piece))), piece)


def vectors(connection: sqlite3.Connection, records: Sequence[tuple[int, bytes]]) -> dict[int, np.ndarray]:
    """Return stored vectors by row.  Raises Damaged unless all have the encoder's dimension and are finite."""
    encoder = encoder_of(read_meta(connection))
    if encoder is not None:
        schema_check.require_vectors(records, encoder.dim * STORED.itemsize)
    _require_finite(b"".join(blob for _, blob in records))
    return {row: np.frombuffer(blob, STORED) for row, blob in records}


def sides(connection: sqlite3.Connection, dim: int, rows: Sequence[int] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return the panoramas (of these rows; None: all), sorted, and the vectors of their sides, (n, 2, dim) as stored.

    Raises Damaged unless all are as long as they should be, and finite.
    """
    query = "SELECT row, sides FROM side_vectors"
    if rows is None:
        records = connection.execute(f"{query} ORDER BY row").fetchall()
    else:
        records = sorted(in_pieces(connection, f"{query} WHERE row IN (...)", rows))
    schema_check.require_vectors(records, SIDES * dim * STORED.itemsize)
    joined = b"".join(blob for _, blob in records)
    _require_finite(joined)
    found = np.frombuffer(joined, STORED).reshape(len(records), SIDES, dim)
    return np.array([row for row, _ in records], np.int64), found


def _require_finite(vectors: bytes) -> None:
    exponents = np.frombuffer(vectors, "<u2") & _FP16_EXPONENT
    if (exponents == _FP16_EXPONENT).any():
        raise schema_check.Damaged("a vector is not finite")


def row_numbers(connection: sqlite3.Connection, source: str, values: Sequence[Value] = ()) -> np.ndarray:
    """Return the column `row`, int64, sorted.  Read as one text, 100,000 rows take 28 ms; as Python integers 66."""
    (text,) = connection.execute(f"SELECT group_concat(row) FROM {source}", values).fetchone()
    return np.sort(np.fromstring(text, np.int64, sep=",")) if text else np.empty(0, np.int64)
