"""Owns reading the catalogue: photos, their facts and their vectors.  Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from photomap_cli import pathnames
from photomap_cli.library import bulk_reads, database, newest, schema_check
from photomap_cli.library.contents import Contents
from photomap_cli.library.entities import STORED, LibraryEncoder, SeenFile, Snapshot
from photomap_cli.library.filtered_rows import FilteredRows
from photomap_cli.library.paths import shown
from photomap_cli.library.sql_filters import below
from photomap_cli.library.stats import read_meta, read_roots, summary_of
from photomap_cli.records import DateSource, Photo, PhotoDetails

if TYPE_CHECKING:
    from photomap_cli.library.entities import FoundFile
    from photomap_cli.records import Facets, LibraryStatus, PhotoFilter

_NAMED_OTHERWISE = {
    "taken_at": "CASE WHEN date_source LIKE 'name%' THEN dated_at ELSE taken_at END AS taken_at",
    "extension": "ext",
}


def _columns(names: Iterable[str]) -> str:
    """Return the columns to select for a value's fields, in order."""
    return ", ".join(_NAMED_OTHERWISE.get(name, name) for name in names)


_PHOTO = _columns(field.name for field in fields(Photo))
_DETAILS = [field.name for field in fields(PhotoDetails)]
FILE_COLUMNS = _columns(SeenFile._fields)
_VECTOR = "SELECT row, vector FROM vectors"
_VECTORS_AT_ONCE = _FILES_AT_ONCE = 4096

_T = TypeVar("_T")


class CatalogFacts:
    """Reads a library in one SQLite file.  Any thread may use it.

    Rows start at 0 and increase; an edited photo gets a new one.  Under one library id a row is never reused:
    `Catalog.shrink` may give photos new rows and the library a new id, so code that keeps rows uses
    `of_one_numbering`.
    Every method raises LibraryBusy or LibraryUnusable if the file can't be used.
    """

    def __init__(self, folder: Path, connection: database.Database) -> None:
        self.folder = folder
        self._database = connection
        self.contents = Contents(connection)
        self._filtered = FilteredRows(self, connection)

    @property
    def library_id(self) -> str:
        """Identifies this numbering of rows: files derived from another one are useless here."""
        with self._database.reading() as connection:
            return str(read_meta(connection)["library_id"])

    @property
    def vectors_id(self) -> str:
        """The same, as a row is never reused, nor its vector changed."""
        return self.library_id

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
        """The spec of the encoder that made the vectors; None if there are none."""
        made_with = self.encoder
        return made_with.spec if made_with else None

    @property
    def encoder(self) -> LibraryEncoder | None:
        """The encoder that made the vectors; None if there are none."""
        with self._database.reading() as connection:
            return bulk_reads.encoder_of(read_meta(connection))

    def change_counter(self) -> database.ChangeCounter:
        """Return a value that differs after any commit by any process; costs some microseconds."""
        return self._database.change_counter()

    def of_one_numbering(self, work: Callable[[], _T]) -> _T:
        """Return the result of some work, which is repeated if rows were renumbered meanwhile."""
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
        """Return the snapshot that the vector file must agree with."""
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

    def photos(self, rows: Sequence[int] | np.ndarray) -> list[Photo]:
        """Return the photos of these rows, in order; rows that are gone are left out."""
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
        """Return all that is known about the photo at this absolute path, if the library has it."""
        with self._database.reading() as connection:
            query = f"SELECT {_columns(_DETAILS)} FROM photos WHERE path = ?"
            record = connection.execute(query, (shown(path),)).fetchone()
            if record is None:
                return None
            found = dict(zip(_DETAILS, record, strict=True))
            return PhotoDetails(**{**found, "date_source": schema_check.one_of(DateSource, found["date_source"])})

    def has_photos(self, path: str) -> bool:
        """Return whether there is a photo at or below an absolute path."""
        condition, values = below(path)
        with self._database.reading() as connection:
            query = f"SELECT 1 FROM photos WHERE path = ? OR {condition} LIMIT 1"
            return connection.execute(query, [shown(each) for each in (path, *values)]).fetchone() is not None

    def spelled(self, path: str) -> str:
        """Return how the library's paths spell this one, which needn't be on a disk now; itself if none does.

        Looks at every path.
        """
        return pathnames.within(path, self.paths())

    def paths(self) -> list[str]:
        """Return the path of every photo: 0.1 s for 200,000."""
        with self._database.reading() as connection:
            return [record[0] for record in connection.execute("SELECT path FROM photos")]

    def vectors(self, rows: Sequence[int]) -> dict[int, np.ndarray]:
        """Return the vectors of these rows, each (dim,) float32 of unit length; rows that are gone are left out."""
        with self._database.reading() as connection:
            records = list(bulk_reads.in_pieces(connection, f"{_VECTOR} WHERE row IN (...)", list(map(int, rows))))
            found = bulk_reads.vectors(connection, records)
        return {row: vector.astype(np.float32) for row, vector in found.items()}

    def sides(self, rows: Sequence[int]) -> dict[int, np.ndarray]:
        """Return the side vectors of those of these photos that are panoramas, each (2, dim)."""
        with self._database.reading() as connection:
            encoder = bulk_reads.encoder_of(read_meta(connection))
            found, sides = bulk_reads.sides(connection, encoder.dim if encoder else 0, rows)
        return dict(zip(found.tolist(), sides.astype(np.float32), strict=True))

    def stored_vectors(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return those of these rows that still exist, int64, sorted, and their vectors as stored, (n, dim)."""
        last = int(rows[-1]) if len(rows) else -1
        with self._database.reading() as connection:
            encoder = bulk_reads.encoder_of(read_meta(connection))
            if encoder is None:
                schema_check.require_no_vectors(connection)
        vectors = np.empty((len(rows), encoder.dim if encoder else 0), STORED)
        places = dict(zip(rows.tolist(), range(len(rows)), strict=True))
        is_there = np.zeros(len(rows), bool)
        for row, blob in self.vectors_from(int(rows[0])) if places else ():
            if row > last:
                break
            if (place := places.get(row)) is not None:
                vectors[place], is_there[place] = np.frombuffer(blob, STORED), True
        return (rows, vectors) if is_there.all() else (rows[is_there], vectors[is_there])

    def vectors_from(self, row: int, *, as_stored: bool = False) -> Iterator[tuple[int, bytes]]:
        """Yield (row, vector as little-endian fp16) from this row on, in order; rows that are gone are left out.

        Reads in pieces, each with its own snapshot; other calls may come in between.  Each vector has the right length
        and is finite, unless `as_stored`.
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

    def count(self, within: Sequence[PhotoFilter] = (), checkpoint: Callable[[], None] = lambda: None) -> int:
        """Return how many photos meet all filters.  An exception from `checkpoint` ends the call."""
        return len(self.rows(within, checkpoint=checkpoint)) if within else self.photo_count

    def rows(self, within: Sequence[PhotoFilter] = (), *, checkpoint: Callable[[], None] = lambda: None) -> np.ndarray:
        """Return the rows of the photos that meet all filters, int64, sorted, read-only.

        An exception from `checkpoint` ends the call.  Raises BadQuery for an unknown album.
        """
        return self._filtered.rows(within, checkpoint)

    def spread(
        self, within: Sequence[PhotoFilter] = (), *, checkpoint: Callable[[], None] = lambda: None
    ) -> tuple[np.ndarray, int]:
        """Return the rows of the photos that meet all filters, sorted, and their number."""
        rows = self.rows(within, checkpoint=checkpoint)
        return rows, len(rows)

    def newest(
        self,
        within: Sequence[PhotoFilter] = (),
        *,
        limit: int,
        behind: tuple[str, int] | None = None,
        checkpoint: Callable[[], None] = lambda: None,
    ) -> list[Photo]:
        """Return up to `limit` photos that meet all filters, latest `dated_at` first, then higher rows first.

        `behind` is `dated_at` and row of the photo before them.  An exception from `checkpoint` ends the call.
        """
        filters = self._filtered.looked_up(within)
        with self._database.reading_while(checkpoint) as connection:
            return [Photo(*record) for record in newest.page(connection, _PHOTO, filters, limit=limit, behind=behind)]

    def files_of(self, rows: Sequence[int]) -> dict[int, SeenFile]:
        """Return the files of these photos, by row; rows that are gone are left out."""
        with self._database.reading() as connection:
            records = bulk_reads.in_pieces(connection, f"SELECT {FILE_COLUMNS} FROM photos WHERE row IN (...)", rows)
            return {record[0]: SeenFile(*record) for record in records}

    def files_in_pieces(self) -> Iterator[dict[str, SeenFile]]:
        """Yield the files of all photos, by path, a few thousand at a time; each piece is its own snapshot."""
        query = f"SELECT path, {FILE_COLUMNS} FROM photos WHERE row > ? ORDER BY row LIMIT ?"
        last = -1
        while True:
            with self._database.reading() as connection:
                found = connection.execute(query, (last, _FILES_AT_ONCE)).fetchall()
            if not found:
                return
            last = found[-1][1]
            yield {path: SeenFile(*record) for path, *record in found}

    def rows_like(self, file: FoundFile) -> list[int]:
        """Return the rows of photos whose files have this size and time of change."""
        query = "SELECT row FROM photos WHERE size_bytes = ? AND mtime_ns = ?"
        with self._database.reading() as connection:
            return [record[0] for record in connection.execute(query, (file.size_bytes, file.mtime_ns))]

    def facets(self) -> Facets:
        """Return the values that filters can have: 0.6 s for 200,000 photos, nearly all of it inside SQLite."""
        from photomap_cli.library import facets  # not needed for a search

        return facets.facets_of(self._database)

    def status(self) -> LibraryStatus:
        """Return where the library is, how much is in it, and the size of its files."""
        return summary_of(self._database, self.folder)
