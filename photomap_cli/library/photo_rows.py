"""Owns writing, moving and removing photos in the catalogue's tables, in the caller's transaction."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from photomap_cli.library import bulk_reads
from photomap_cli.library.entities import STORED, NewPhoto
from photomap_cli.library.file_types import RAW_EXTENSIONS, VIDEO_EXTENSIONS, has_photo_name
from photomap_cli.library.photo_date import date_of, date_of_file
from photomap_cli.pathnames import extensions_like, key
from photomap_cli.records import DateSource

if TYPE_CHECKING:
    import sqlite3

    from photomap_cli.library.entities import FoundAgain

_FIELDS = (
    *("path", "size_bytes", "mtime_ns", "ctime_ns", "inode", "content_hash", "damage"),
    *("taken_at", "width", "height", "orientation", "camera", "lens", "latitude", "longitude"),
    *("rating", "kind", "seconds"),
)
"""The columns that are a NewPhoto's fields."""

_OF_FILE = ("size_bytes", "mtime_ns", "ctime_ns", "inode")

_OF_CONTENT = (
    *("taken_at", "width", "height", "orientation", "camera", "lens", "latitude", "longitude", "rating", "kind"),
    *("seconds", "content_hash", "damage"),
)
"""The columns that photos of the same bytes share."""


def remove(connection: sqlite3.Connection, rows: Iterable[int]) -> None:
    """Remove photos; their row numbers aren't reused."""
    for row in rows:
        if connection.execute("DELETE FROM photos WHERE row = ?", (int(row),)).rowcount:
            for table in ("vectors", "side_vectors"):
                connection.execute(f"DELETE FROM {table} WHERE row = ?", (int(row),))
            connection.execute("INSERT INTO tombstones VALUES (?)", (int(row),))


def rename(connection: sqlite3.Connection, again: FoundAgain) -> None:
    """Record a photo file's new path, replacing what was there."""
    remove(connection, (row for row in _rows_at(connection, again.path) if row != again.row))
    known = connection.execute("SELECT ext, kind FROM photos WHERE row = ?", (again.row,)).fetchone()
    if known is None:
        return
    (extension, kind), (name, named) = known, name_and_extension(again.path)
    dated_at, source = date_of_file(again.path, again.mtime_ns)
    connection.execute(
        """UPDATE photos SET path = ?, mtime_ns = ?, name_key = ?, ext = ?,
        dated_at = coalesce(taken_at, ?), date_source = iif(taken_at IS NULL, ?, date_source) WHERE row = ?""",
        (again.path, again.mtime_ns, name, extension_of(named, extension, kind), dated_at, source, again.row),
    )
    note_signs(connection, [again])


def note_signs(connection: sqlite3.Connection, files: Iterable[FoundAgain]) -> None:
    """Record the ctime and inode of unchanged files."""
    signs = ((each.ctime_ns, each.inode, each.row) for each in files)
    connection.executemany("UPDATE photos SET ctime_ns = ?, inode = ? WHERE row = ?", signs)


def add(connection: sqlite3.Connection, row: int, photo: NewPhoto) -> None:
    """Write a photo into a new row, replacing what was at its path."""
    remove(connection, _rows_at(connection, photo.path))
    dated_at, source = date_of(photo)
    name, named = name_and_extension(photo.path)
    values = {
        "row": row,
        **{field: getattr(photo, field) for field in _FIELDS},
        "dated_at": dated_at,
        "date_source": source,
        "name_key": name,
        "ext": extension_of(named, photo.extension, photo.kind),
        "camera_key": key(photo.camera) if photo.camera else None,
        "lens_key": key(photo.lens) if photo.lens else None,
    }
    connection.execute(
        f"INSERT INTO photos ({', '.join(values)}) VALUES ({', '.join(f':{name}' for name in values)})", values
    )
    connection.execute("INSERT INTO vectors VALUES (?, ?)", (row, photo.vector.astype(STORED).tobytes()))
    if photo.sides is not None:
        connection.execute("INSERT INTO side_vectors VALUES (?, ?)", (row, photo.sides.astype(STORED).tobytes()))


def whole(connection: sqlite3.Connection, rows: Sequence[int]) -> dict[int, NewPhoto]:
    """Return photos with all that is known about them, ready to be added again, by row, if they exist."""
    columns = ", ".join(("row", "vector", "path", "date_source", "ext", *_OF_FILE, *_OF_CONTENT))
    query = f"SELECT {columns} FROM photos JOIN vectors USING (row) WHERE row IN (...)"
    records = list(bulk_reads.in_pieces(connection, query, rows))
    vectors = bulk_reads.vectors(connection, [(record[0], record[1]) for record in records])
    dim = len(next(iter(vectors.values()))) if vectors else 0
    sides = dict(zip(*bulk_reads.sides(connection, dim, list(vectors)), strict=True))
    found = {}
    for row, _, path, source, extension, *values in records:
        facts = dict(zip((*_OF_FILE, *_OF_CONTENT), values, strict=True), is_day=source == DateSource.EXIF_DAY)
        found[row] = NewPhoto(path=path, vector=vectors[row], sides=sides.get(row), extension=extension, **facts)
    return found


def _rows_at(connection: sqlite3.Connection, path: str) -> list[int]:
    return [record[0] for record in connection.execute("SELECT row FROM photos WHERE path = ?", (path,))]


def name_and_extension(path: str) -> tuple[str, str]:
    """Return a file's name as filters compare it, and its extension; empty if it isn't a photo's."""
    name = os.path.basename(path)  # noqa: PTH119 - Path would cost more than the insert
    return key(name), name.rpartition(".")[2].lower() if has_photo_name(name) else ""


def extension_of(named: str, of_content: str, kind: str) -> str:
    """Return a photo's extension for filters: its name's, unless its content is of another kind."""
    of_kind = {"raw": RAW_EXTENSIONS, "video": VIDEO_EXTENSIONS}.get(kind)
    is_right = named in of_kind if of_kind else extensions_like(named) == extensions_like(of_content)
    return named if named and (is_right or not of_content) else of_content
