"""Damages a library's files as a disk, or somebody, may: bytes, tables, values; the same for the same seed."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing, suppress

SAID = (  # statements that leave SQLite content, and a catalogue that photomap never wrote
    "DELETE FROM meta WHERE key = 'next_row'",
    "DELETE FROM meta",
    "DELETE FROM meta WHERE key = 'dim'",
    "DELETE FROM meta WHERE key = 'spec'",
    "UPDATE meta SET value = 'seven' WHERE key = 'next_row'",
    "UPDATE meta SET value = -3 WHERE key = 'next_row'",
    "UPDATE meta SET value = 1000000000000000 WHERE key = 'next_row'",
    "UPDATE meta SET value = value - 1 WHERE key = 'next_row'",
    "UPDATE meta SET value = NULL WHERE key = 'library_id'",
    "UPDATE meta SET value = 'short' WHERE key = 'library_id'",
    "UPDATE meta SET value = x'ff00' WHERE key = 'spec'",
    "UPDATE meta SET value = CAST(x'ff00' AS TEXT) WHERE key = 'spec'",
    "UPDATE meta SET value = 0 WHERE key = 'dim'",
    "UPDATE meta SET value = 7 WHERE key = 'dim'",
    "UPDATE meta SET value = 2000000000 WHERE key = 'dim'",
    "UPDATE meta SET value = 1.5 WHERE key = 'dim'",
    "INSERT OR REPLACE INTO meta VALUES ('last_indexed_at', 'yesterday')",
    "UPDATE photos SET row = -5 WHERE row = 1",
    "UPDATE photos SET row = 1000000000000 WHERE row = 1",
    "UPDATE photos SET path = x'00ff' WHERE row = 1",
    "UPDATE photos SET path = CAST(x'2fff' AS TEXT) WHERE row = 1",
    "UPDATE photos SET path = '/a' || char(0) || 'b' WHERE row = 1",
    "UPDATE photos SET width = 'wide'",
    "UPDATE photos SET width = -1, height = 0",
    "UPDATE photos SET size_bytes = 'many'",
    "UPDATE photos SET mtime_ns = 1e300",
    "UPDATE photos SET dated_at = x'01', taken_at = 5",
    "UPDATE photos SET taken_at = 'tomorrow', dated_at = 'never'",
    "UPDATE photos SET camera = zeroblob(9), content_hash = 'text'",
    "DELETE FROM photos WHERE row = 1",
    "DELETE FROM photos",
    "DELETE FROM vectors WHERE row = 1",
    "DELETE FROM vectors",
    "UPDATE vectors SET vector = x'00' WHERE row = 1",
    "UPDATE vectors SET vector = 'text'",
    "UPDATE vectors SET vector = zeroblob(3000000) WHERE row = 2",
    "UPDATE vectors SET vector = zeroblob(length(vector))",
    "UPDATE vectors SET vector = CAST(replace(hex(zeroblob(64)), '00', x'007e') AS BLOB)",
    "INSERT INTO tombstones VALUES (1)",
    "INSERT INTO tombstones VALUES (-1)",
    "INSERT INTO tombstones VALUES (99999)",
    "UPDATE roots SET path = x'ff'",
    "UPDATE roots SET path = 'relative'",
    "DROP TABLE roots",
    "DROP TABLE meta",
    "DROP TABLE photos",
    "DROP TABLE tombstones",
    "DROP INDEX photos_by_date",
    "ALTER TABLE photos DROP COLUMN lens",
    "ALTER TABLE photos ADD COLUMN more TEXT",
    "CREATE TRIGGER planted BEFORE INSERT ON photos BEGIN DELETE FROM photos; END",
    "CREATE VIEW planted AS SELECT * FROM photos",
    "CREATE TABLE planted (a)",
    "ALTER TABLE photos RENAME TO p; CREATE VIEW photos AS SELECT * FROM p",
    "PRAGMA user_version = 0",
    "PRAGMA user_version = -7",
    "PRAGMA user_version = 1",
    "PRAGMA user_version = 99",
)


def say(path, statement):
    """Have SQLite say it to a catalogue, without the checks that it would make."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.executescript(statement)


def damage(path, seed):
    """Change a file's bytes in one of the ways a disk does."""
    chance = random.Random(seed)
    content = bytearray(path.read_bytes())
    way = chance.randrange(6)
    if way == 0:
        for _ in range(chance.choice((1, 3, 30, 300))):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    elif way == 1:  # a page of zeros, or of noise
        start = chance.randrange(0, len(content), 4096)
        content[start : start + 4096] = chance.choice((bytes, chance.randbytes))(len(content[start : start + 4096]))
    elif way == 2:
        del content[chance.randrange(len(content)) :]
    elif way == 3:  # pages that change places
        first, second = (4096 * chance.randrange(max(1, len(content) // 4096)) for _ in range(2))
        one, other = content[first : first + 4096], content[second : second + 4096]
        content[first : first + 4096], content[second : second + 4096] = other, one
    elif way == 4:  # in the first page: the header, the schema
        for _ in range(chance.choice((1, 5, 20))):
            content[chance.randrange(min(4096, len(content)))] = chance.randrange(256)
    else:
        content += chance.randbytes(chance.randrange(10_000))
    path.write_bytes(content)


def settle(folder):
    """Have all that is in the catalogue's log in its file, and no log beside it."""
    path = folder / "catalog.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for suffix in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).unlink()
