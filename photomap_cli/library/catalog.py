"""Owns the truth: which photos there are, their facts and their vectors.  Searches no vectors, opens no photos."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

import numpy as np

from photomap_cli.errors import PhotomapError
from photomap_cli.library import bulk_reads, compaction, database, newest, photo_rows, schema, schema_check
from photomap_cli.library.contents import Contents
from photomap_cli.library.entities import LibraryEncoder, NewPhoto, SeenFile, Snapshot
from photomap_cli.library.file_notes import FileNotes
from photomap_cli.library.index_runs import IndexRuns
from photomap_cli.library.paths import shown
from photomap_cli.library.sql_filters import below, where
from photomap_cli.library.stats import read_meta, read_roots, summary_of
from photomap_cli.records import DateSource, Photo, PhotoDetails

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from photomap_cli.library.entities import FoundAgain, FoundFile
    from photomap_cli.records import LibraryStatus, PhotoFilter

_NAMED_OTHERWISE = {
    "taken_at": "CASE WHEN date_source LIKE 'name%' THEN dated_at ELSE taken_at END AS taken_at",
    "extension": "ext",
}


def _columns(names: Iterable[str]) -> str:
    """Return what to select for a value's fields, in their order."""
    return ", ".join(_NAMED_OTHERWISE.get(name, name) for name in names)


_PHOTO = _columns(field.name for field in fields(Photo))
_DETAILS = [field.name for field in fields(PhotoDetails)]
_FILE = _columns(SeenFile._fields)
_VECTOR = "SELECT row, vector FROM vectors"
_VECTORS_AT_ONCE = 4096
_FILTERS_KEPT = 4  # a million rows are 8 MB

_T = TypeVar("_T")

log = logging.getLogger(__name__)


class Catalog:
    """A library's photos and vectors, in one SQLite file.  Any thread may use it; a context manager.

    Rows start at 0 and rise; an edited photo gets a new one.  Under one library id no row is used for a second photo:
    `shrink` may give the photos new rows and the library a new id, so whoever keeps rows asks `of_one_numbering`.
    Every method raises LibraryBusy or LibraryUnusable when the file cannot be used.
    """

    def __init__(self, folder: Path, connection: database.Database) -> None:
        self.folder = folder
        self._database = connection
        self.file_notes = FileNotes(connection)
        self.runs = IndexRuns(connection)
        self.contents = Contents(connection)
        self._rows_of: dict[tuple[database.ChangeCounter, tuple[PhotoFilter, ...]], np.ndarray] = {}

    @classmethod
    def open(cls, folder: Path, *, create: bool = False) -> Self:
        """Open the library in `folder`, made first if `create` says so.

        Raises EmptyLibrary when there is none; LibraryUnusable for a damaged file or an unwritable folder;
        LibraryFormat for one in another format.
        """
        return cls(folder, database.connect(folder, create=create))

    def close(self) -> None:
        """End the connection; safe to call twice."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    @property
    def library_id(self) -> str:
        """The name of this set of rows: files derived from another one are of no use here."""
        with self._database.reading() as connection:
            return str(read_meta(connection)["library_id"])

    @property
    def next_row(self) -> int:
        """The row that the next photo gets."""
        return self.snapshot().next_row

    @property
    def photo_count(self) -> int:
        """How many photos there are."""
        with self._database.reading() as connection:
            gone: int = connection.execute("SELECT count(*) FROM tombstones").fetchone()[0]
            return max(0, int(read_meta(connection)["next_row"]) - gone)

    @property
    def spec(self) -> str | None:
        """The encoder that made the vectors, by its spec; None before the first."""
        made_with = self.encoder
        return made_with.spec if made_with else None

    @property
    def encoder(self) -> LibraryEncoder | None:
        """The encoder that made the vectors; None before the first."""
        with self._database.reading() as connection:
            return bulk_reads.encoder_of(read_meta(connection))

    def set_encoder(self, encoder: LibraryEncoder) -> None:
        """Record which encoder makes the vectors."""
        with self._database.writing() as connection:
            _set_meta(connection, **asdict(encoder))

    def change_counter(self) -> database.ChangeCounter:
        """Return a value that differs after any commit by any process; costs some microseconds."""
        return self._database.change_counter()

    def of_one_numbering(self, work: Callable[[], _T]) -> _T:
        """Return what some work finds: it is done again where rows have become other photos' meanwhile."""
        while True:
            before = self.library_id
            try:
                done = work()
            except LookupError:
                if self.library_id == before:
                    raise
                continue
            if self.library_id == before:
                return done

    def snapshot(self) -> Snapshot:
        """Return what the vector file has to agree with."""
        with self._database.reading() as connection:
            meta = read_meta(connection)
            encoder = bulk_reads.encoder_of(meta)
            if encoder is None and meta["next_row"]:
                schema_check.require_no_vectors(connection)
            dim = encoder.dim if encoder else 0
            panoramas, sides = bulk_reads.sides(connection, dim)
            return Snapshot(
                library_id=str(meta["library_id"]),
                dim=dim,
                next_row=int(meta["next_row"]),
                tombstones=bulk_reads.row_numbers(connection, "tombstones"),
                panoramas=panoramas,
                sides=sides,
            )

    def roots(self) -> tuple[str, ...]:
        """Return the absolute paths that were indexed, sorted."""
        with self._database.reading() as connection:
            return read_roots(connection)

    def set_roots(self, roots: Iterable[str]) -> None:
        """Record these paths, and no others, as indexed."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM roots")
            connection.executemany("INSERT INTO roots VALUES (?)", [(root,) for root in set(roots)])

    def photos(self, rows: Sequence[int] | np.ndarray) -> list[Photo]:
        """Return the photos of these rows in their order; rows that are gone are left out."""
        wanted = [int(row) for row in rows]
        with self._database.reading() as connection:
            records = bulk_reads.in_pieces(connection, f"SELECT {_PHOTO} FROM photos WHERE row IN (...)", wanted)
            found = {record[0]: Photo(*record) for record in records}
        return [found[row] for row in wanted if row in found]

    def photo_at(self, path: str) -> Photo | None:
        """Return the photo at this absolute path, if the library has it."""
        with self._database.reading() as connection:
            record = connection.execute(f"SELECT {_PHOTO} FROM photos WHERE path = ?", (shown(path),)).fetchone()
            return Photo(*record) if record else None

    def details(self, path: str) -> PhotoDetails | None:
        """Return all there is to say of the photo at this absolute path, if the library has it."""
        with self._database.reading() as connection:
            query = f"SELECT {_columns(_DETAILS)} FROM photos WHERE path = ?"
            record = connection.execute(query, (shown(path),)).fetchone()
            if record is None:
                return None
            found = dict(zip(_DETAILS, record, strict=True))
            return PhotoDetails(**{**found, "date_source": schema_check.one_of(DateSource, found["date_source"])})

    def vector(self, row: int) -> np.ndarray:
        """Return a photo's vector, (dim,) float32 of unit length.  Raises KeyError if the row is gone."""
        with self._database.reading() as connection:
            found = bulk_reads.vectors(
                connection, connection.execute(f"{_VECTOR} WHERE row = ?", (int(row),)).fetchall()
            )
        return found[int(row)].astype(np.float32)

    def vectors(self, rows: Sequence[int]) -> dict[int, np.ndarray]:
        """Return the vectors of these rows, each (dim,) float32 of unit length; rows that are gone are left out."""
        with self._database.reading() as connection:
            records = list(bulk_reads.in_pieces(connection, f"{_VECTOR} WHERE row IN (...)", list(map(int, rows))))
            found = bulk_reads.vectors(connection, records)
        return {row: vector.astype(np.float32) for row, vector in found.items()}

    def rows(self, filters: Sequence[PhotoFilter] = (), checkpoint: Callable[[], None] = lambda: None) -> np.ndarray:
        """Return the rows of the photos that meet all filters, int64, sorted, read-only.

        The last few answers are kept until anything is committed: in a library of 200,000 photos the folder that one is
        in takes 40 ms, for each search from there.  What `checkpoint` raises ends the reading.
        """
        asked = self.change_counter(), tuple(filters)  # read before, so that an answer may only be newer
        rows = self._rows_of.get(asked)
        if rows is None:
            rows = self._read_rows(filters, checkpoint)
            if len(self._rows_of) >= _FILTERS_KEPT:
                self._rows_of.clear()
            self._rows_of[asked] = rows
        return rows

    def _read_rows(self, filters: Sequence[PhotoFilter], checkpoint: Callable[[], None]) -> np.ndarray:
        condition, values = where(filters)
        with self._database.reading_while(checkpoint) as connection:
            rows = bulk_reads.row_numbers(connection, f"photos WHERE {condition}", values)
        rows.flags.writeable = False
        return rows

    def newest(
        self,
        filters: Sequence[PhotoFilter] = (),
        *,
        limit: int,
        behind: tuple[str, int] | None = None,
        checkpoint: Callable[[], None] = lambda: None,
    ) -> list[Photo]:
        """Return the photos that meet all filters, the latest `dated_at` first, then the higher row; `limit` or fewer.

        `behind` is `dated_at` and row of the last one before them.  What `checkpoint` raises ends the reading.
        """
        with self._database.reading_while(checkpoint) as connection:
            return [Photo(*record) for record in newest.page(connection, _PHOTO, filters, limit=limit, behind=behind)]

    def seen_files(self, root: str) -> dict[str, SeenFile]:
        """Return the files of the photos at or below an absolute path, by path."""
        condition, values = below(root)
        query = f"SELECT path, {_FILE} FROM photos WHERE path = ? OR {condition}"
        with self._database.reading() as connection:
            return {record[0]: SeenFile(*record[1:]) for record in connection.execute(query, (root, *values))}

    def files_of(self, rows: Sequence[int]) -> dict[int, SeenFile]:
        """Return the files of these photos, by row; rows that are gone are left out."""
        with self._database.reading() as connection:
            records = bulk_reads.in_pieces(connection, f"SELECT {_FILE} FROM photos WHERE row IN (...)", rows)
            return {record[0]: SeenFile(*record) for record in records}

    def count_below(self, folder: str) -> int:
        """Return how many photos are at or below an absolute path."""
        condition, values = below(folder)
        with self._database.reading() as connection:
            query = f"SELECT count(*) FROM photos WHERE path = ? OR {condition}"
            count: int = connection.execute(query, (folder, *values)).fetchone()[0]
            return count

    def has_photos(self, path: str) -> bool:
        """Whether there is a photo at or below an absolute path."""
        condition, values = below(path)
        with self._database.reading() as connection:
            query = f"SELECT 1 FROM photos WHERE path = ? OR {condition} LIMIT 1"
            return connection.execute(query, [shown(each) for each in (path, *values)]).fetchone() is not None

    def paths(self) -> list[str]:
        """Return the path of every photo: 0.1 s for 200,000."""
        with self._database.reading() as connection:
            return [record[0] for record in connection.execute("SELECT path FROM photos")]

    def known_sizes(self, sizes: Iterable[int]) -> set[int]:
        """Return those of some sizes in bytes of which there is a photo."""
        query = "SELECT DISTINCT size_bytes FROM photos WHERE size_bytes IN (...)"
        with self._database.reading() as connection:
            return {record[0] for record in bulk_reads.in_pieces(connection, query, list(sizes))}

    def rows_like(self, file: FoundFile) -> list[int]:
        """Return the rows of the photos whose files have a file's size and time of change."""
        query = "SELECT row FROM photos WHERE size_bytes = ? AND mtime_ns = ?"
        with self._database.reading() as connection:
            return [record[0] for record in connection.execute(query, (file.size_bytes, file.mtime_ns))]

    def contents_of_same_size(self) -> dict[int, bytes]:
        """Return the content's digest of the photos that share their size in bytes."""
        query = (
            "SELECT row, content_hash FROM photos WHERE size_bytes IN "
            "(SELECT size_bytes FROM photos GROUP BY size_bytes HAVING count(*) > 1)"
        )
        with self._database.reading() as connection:
            return dict(connection.execute(query).fetchall())

    def copy(self, row: int, file: FoundFile) -> NewPhoto:
        """Return what to add for a file with the same bytes as a photo's.  Raises KeyError if the row is gone."""
        with self._database.reading() as connection:
            return photo_rows.copy(connection, row, file)

    def sides(self, rows: Sequence[int]) -> dict[int, np.ndarray]:
        """Return the vectors of the sides of those of these photos that are panoramas, each (2, dim)."""
        with self._database.reading() as connection:
            encoder = bulk_reads.encoder_of(read_meta(connection))
            found, sides = bulk_reads.sides(connection, encoder.dim if encoder else 0, rows)
        return dict(zip(found.tolist(), sides.astype(np.float32), strict=True))

    def vectors_from(self, row: int, *, as_stored: bool = False) -> Iterator[tuple[int, bytes]]:
        """Yield (row, vector as fp16 little endian) from this row on, in order; rows that are gone are left out.

        Reads in pieces, each with the state of its moment; other calls may come between.  Each is as long as it should
        be and finite, unless they are wanted `as_stored`.
        """
        query = f"{_VECTOR} WHERE row >= ? ORDER BY row LIMIT ?"
        while True:
            with self._database.reading() as connection:
                piece = connection.execute(query, (row, _VECTORS_AT_ONCE)).fetchall()
                schema_check.require_rising(each[0] for each in piece)
                if not as_stored:
                    bulk_reads.vectors(connection, piece)
            yield from piece
            if len(piece) < _VECTORS_AT_ONCE:
                return
            row = piece[-1][0] + 1

    def commit_batch(
        self,
        added: Sequence[NewPhoto],
        removed_rows: Iterable[int] = (),
        found_again: Iterable[FoundAgain] = (),
    ) -> range:
        """Add, remove and rename photos in one transaction; return the new rows, in the order of `added`.

        A path that is in the library already is replaced: its old row goes.
        """
        with self._database.writing() as connection:
            first = int(read_meta(connection)["next_row"])
            photo_rows.remove(connection, removed_rows)
            for each in found_again:
                photo_rows.rename(connection, each)
            for row, photo in enumerate(added, start=first):
                photo_rows.add(connection, row, photo)
            _set_meta(connection, next_row=first + len(added))
        return range(first, first + len(added))

    def note_signs(self, files: Iterable[FoundAgain]) -> None:
        """Note the ctime and the inode of files that are as they were."""
        with self._database.writing() as connection:
            photo_rows.note_signs(connection, files)

    def clear(self) -> None:
        """Remove every photo and forget the encoder; the roots stay.  Rows start again, under a new library id."""
        with self._database.writing() as connection:
            for table in ("photos", "vectors", "side_vectors", "tombstones"):
                connection.execute(f"DELETE FROM {table}")
            connection.execute("DELETE FROM meta WHERE key IN ('spec', 'dim', 'precision', 'fingerprint')")
            connection.execute("UPDATE meta SET value = lower(hex(randomblob(16))) WHERE key = 'library_id'")
            _set_meta(connection, next_row=0)

    def replace_by(self, folder: Path) -> None:
        """Have everything be as in the library in another folder, its id included, in one transaction."""
        with self._database.writing_from(folder) as connection:
            schema.copy_from_other(connection)

    def touch_indexed(self, now: datetime) -> None:
        """Record when the library was last brought up to date; `now` has a time zone."""
        with self._database.writing() as connection:
            _set_meta(connection, last_indexed_at=now.isoformat(timespec="seconds"))

    def shrink(self) -> None:
        """Give back what deleted photos took, rows and disk, if that is much; leave it where that cannot be done now.

        Other processes go on reading; should this one be killed, all is as before, or done.
        """
        try:
            with self._database.writing() as connection:
                compaction.renumber_if_due(connection)
            self._database.shrink()
        except PhotomapError as error:  # another process writes, or the disk is full after all
            log.info("the library file keeps its free space: %s", error)

    def status(self) -> LibraryStatus:
        """Return where the library is, how much is in it and how many bytes its files take."""
        return summary_of(self._database, self.folder)


def _set_meta(connection: sqlite3.Connection, **values: str | int) -> None:
    connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", values.items())
