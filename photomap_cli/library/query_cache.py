"""Owns `queries.sqlite`: the vectors of past queries.  Derived: lost ones are encoded again.

It stores no query texts: a vector's key is the digest of everything it depends on.  Safe for any number of processes.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from photomap_cli.library.sqlite_cache import SqliteCache

if TYPE_CHECKING:
    import sqlite3

    from numpy.typing import NDArray

T = TypeVar("T")

FILE_NAME = "queries.sqlite"
_SCHEMA = (
    "PRAGMA journal_mode = WAL",
    # The higher the number, the later the last use.
    "CREATE TABLE IF NOT EXISTS vectors (number INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, sealed BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS encoder_keys (settings_key TEXT PRIMARY KEY, encoder_key TEXT NOT NULL) WITHOUT ROWID",
)
_BUSY_SECONDS = 0.02  # nobody waits for a cache
_SEAL_BYTES = 4
_MOST_KEYS = 64
_VECTOR = np.dtype("<f4")  # full precision, so that scores are the same to the bit as without the cache


def key(encoder_key: str, kind: str, content: bytes) -> bytes:
    """Return the key of a vector.

    Args:
        encoder_key: identifies the encoder, its precision and hardware.
        kind: "text" or "image".
        content: the text, or a digest of the picture's bytes.
    """
    digest = blake2b(digest_size=16)
    for part in (encoder_key.encode(), kind.encode(), content):
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.digest()


class QueryCache:
    """The vectors of at most `most` past queries; the least recently used are dropped first.  0 keeps none.

    Never fails and hardly ever waits: a file that is damaged, locked or read-only counts as empty.  One
    thread at a time.
    """

    def __init__(self, folder: Path, *, most: int) -> None:
        self._file, self._most = SqliteCache(folder / FILE_NAME, _SCHEMA, busy_seconds=_BUSY_SECONDS), most

    def get(self, keys: Iterable[bytes]) -> dict[bytes, NDArray[np.float32]]:
        """Return the cached vectors, (dim,) float32 of unit length, and note their use."""
        wanted = list(dict.fromkeys(keys))
        found = self._try(lambda connection: _read(connection, wanted)) or {}
        if found:
            self._try(lambda connection: _note_use(connection, found))
        return found

    def put(self, vectors: Mapping[bytes, NDArray[np.float32]]) -> None:
        """Store these, and drop the least recently used if there are too many."""
        self._try(lambda connection: _write(connection, vectors, self._most), create=True)

    def encoder_key(self, settings_key: str) -> str | None:
        """Return the encoder key stored for these settings, without loading anything."""
        query = "SELECT encoder_key FROM encoder_keys WHERE settings_key = ?"
        record = self._try(lambda connection: connection.execute(query, (settings_key,)).fetchone())
        return record[0] if record and isinstance(record[0], str) else None

    def set_encoder_key(self, settings_key: str, encoder_key: str) -> None:
        """Store the encoder key that these settings led to."""
        self._try(lambda connection: _write_encoder_key(connection, settings_key, encoder_key), create=True)

    def clear(self) -> None:
        """Delete all of them with the file."""
        self._file.clear()

    def close(self) -> None:
        """Close the connection; safe to call twice."""
        self._file.close()

    def _try(self, work: Callable[[sqlite3.Connection], T], *, create: bool = False) -> T | None:
        """Do something with the cache, if it exists or `create`."""
        if not self._most and self._file.is_there:  # it was allowed once
            self.clear()
        return self._file.attempt(work) if self._most and (create or self._file.is_there) else None


def _read(connection: sqlite3.Connection, keys: list[bytes]) -> dict[bytes, NDArray[np.float32]]:
    found = {}
    for each in keys:
        record = connection.execute("SELECT sealed FROM vectors WHERE key = ?", (each,)).fetchone()
        vector = _opened(each, record[0]) if record else None
        if vector is not None:
            found[each] = vector
    return found


def _note_use(connection: sqlite3.Connection, keys: Iterable[bytes]) -> None:
    newest = "(SELECT max(number) + 1 FROM vectors)"
    connection.executemany(f"UPDATE vectors SET number = {newest} WHERE key = ?", [(each,) for each in keys])


def _write(connection: sqlite3.Connection, vectors: Mapping[bytes, NDArray[np.float32]], most: int) -> None:
    rows = [(each, _sealed(each, vector)) for each, vector in vectors.items()]
    connection.executemany("INSERT OR REPLACE INTO vectors (key, sealed) VALUES (?, ?)", rows)
    first_too_many = "SELECT number FROM vectors ORDER BY number DESC LIMIT 1 OFFSET ?"
    connection.execute(f"DELETE FROM vectors WHERE number <= ({first_too_many})", (most,))


def _write_encoder_key(connection: sqlite3.Connection, settings_key: str, encoder_key: str) -> None:
    if connection.execute("SELECT count(*) FROM encoder_keys").fetchone()[0] >= _MOST_KEYS:
        connection.execute("DELETE FROM encoder_keys")
    connection.execute("INSERT OR REPLACE INTO encoder_keys VALUES (?, ?)", (settings_key, encoder_key))


def _sealed(key_: bytes, vector: NDArray[np.float32]) -> bytes:
    """Return a vector's bytes followed by a checksum that includes its key.

    SQLite doesn't check blobs: a flipped byte, or another vector's page, would rank photos wrongly.
    """
    blob = np.ascontiguousarray(vector, _VECTOR).tobytes()
    return blob + zlib.crc32(key_ + blob).to_bytes(_SEAL_BYTES, "little")


def _opened(key_: bytes, sealed: bytes) -> NDArray[np.float32] | None:
    blob, seal = sealed[:-_SEAL_BYTES], sealed[-_SEAL_BYTES:]
    if zlib.crc32(key_ + blob).to_bytes(_SEAL_BYTES, "little") != seal or not blob:
        return None
    return np.frombuffer(blob, _VECTOR).astype(np.float32)
