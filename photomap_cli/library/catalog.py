"""Owns the source of truth: adding photos and vectors to the catalogue, and removing them.  Opens no photos."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Self

from photomap_cli.errors import PhotomapError
from photomap_cli.library import bulk_reads, compaction, database, photo_rows, schema
from photomap_cli.library.catalog_facts import FILE_COLUMNS, CatalogFacts
from photomap_cli.library.entities import LibraryEncoder, NewPhoto, SeenFile
from photomap_cli.library.file_notes import FileNotes
from photomap_cli.library.index_runs import IndexRuns
from photomap_cli.library.sql_filters import below
from photomap_cli.library.stats import read_meta

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from photomap_cli.library.entities import FoundAgain, FoundFile

log = logging.getLogger(__name__)


class Catalog(CatalogFacts):
    """A library's photos and vectors in one SQLite file.  Any thread may use it; a context manager."""

    def __init__(self, folder: Path, connection: database.Database) -> None:
        super().__init__(folder, connection)
        self.file_notes = FileNotes(connection)
        self.runs = IndexRuns(connection)

    @classmethod
    def open(cls, folder: Path, *, create: bool = False) -> Self:
        """Open the library in `folder`, creating it if `create`.

        Raises EmptyLibrary if there is none; LibraryUnusable for a damaged file or an unwritable folder;
        LibraryFormat for one in another format.
        """
        return cls(folder, database.connect(folder, create=create))

    def close(self) -> None:
        """Close the connection; safe to call twice."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def set_encoder(self, encoder: LibraryEncoder) -> None:
        """Record the encoder that makes the vectors."""
        with self._database.writing() as connection:
            _set_meta(connection, **asdict(encoder))

    def require_roots(self, paths: Iterable[str]) -> None:
        """Do nothing: photos may be anywhere."""

    def change_roots(self, added: Iterable[str], forgotten: Iterable[str] = ()) -> None:
        """Record some paths as indexed, and others as no longer indexed."""
        with self._database.writing() as connection:
            connection.executemany("DELETE FROM roots WHERE path = ?", [(root,) for root in forgotten])
            connection.executemany("INSERT OR IGNORE INTO roots VALUES (?)", [(root,) for root in added])

    def seen_files(self, root: str) -> dict[str, SeenFile]:
        """Return the files of the photos at or below an absolute path, by path."""
        condition, values = below(root)
        query = f"SELECT path, {FILE_COLUMNS} FROM photos WHERE path = ? OR {condition}"
        with self._database.reading() as connection:
            return {record[0]: SeenFile(*record[1:]) for record in connection.execute(query, (root, *values))}

    def count_below(self, folder: str) -> int:
        """Return how many photos are at or below an absolute path."""
        condition, values = below(folder)
        with self._database.reading() as connection:
            query = f"SELECT count(*) FROM photos WHERE path = ? OR {condition}"
            count: int = connection.execute(query, (folder, *values)).fetchone()[0]
            return count

    def known_sizes(self, sizes: Iterable[int]) -> set[int]:
        """Return those of these sizes in bytes that some photo has."""
        query = "SELECT DISTINCT size_bytes FROM photos WHERE size_bytes IN (...)"
        with self._database.reading() as connection:
            return {record[0] for record in bulk_reads.in_pieces(connection, query, list(sizes))}

    def copy(self, row: int, file: FoundFile) -> NewPhoto:
        """Return the photo to add for a file with the same bytes as another.  Raises KeyError if the row is gone."""
        with self._database.reading() as connection:
            return photo_rows.whole(connection, [row])[row].at(file)

    def whole_photos(self, rows: Sequence[int]) -> list[NewPhoto]:
        """Return photos with all that is known about them, including vectors; rows that are gone are left out."""
        with self._database.reading() as connection:
            return list(photo_rows.whole(connection, rows).values())

    def commit_batch(
        self,
        added: Sequence[NewPhoto],
        removed_rows: Iterable[int] = (),
        found_again: Iterable[FoundAgain] = (),
    ) -> range:
        """Add, remove and rename photos in one transaction; return the new rows, in the order of `added`.

        A path that is already in the library is replaced: its old row is dropped.
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
        """Record the ctime and inode of unchanged files."""
        with self._database.writing() as connection:
            photo_rows.note_signs(connection, files)

    def clear(self) -> None:
        """Remove every photo and the encoder; the roots stay.  Rows start over, under a new library id."""
        with self._database.writing() as connection:
            for table in ("photos", "vectors", "side_vectors", "tombstones"):
                connection.execute(f"DELETE FROM {table}")
            connection.execute("DELETE FROM meta WHERE key IN ('spec', 'dim', 'precision', 'fingerprint')")
            connection.execute("UPDATE meta SET value = lower(hex(randomblob(16))) WHERE key = 'library_id'")
            _set_meta(connection, next_row=0)

    def replace_by(self, folder: Path) -> None:
        """Replace everything by the library in another folder, including its id, in one transaction."""
        with self._database.writing_from(folder) as connection:
            schema.copy_from_other(connection)

    def touch_indexed(self, now: datetime) -> None:
        """Record when the library was last brought up to date; `now` has a time zone."""
        with self._database.writing() as connection:
            _set_meta(connection, last_indexed_at=now.isoformat(timespec="seconds"))

    def shrink(self) -> None:
        """Reclaim rows and disk space of deleted photos, if that is much; skip it if that can't be done now.

        Other processes keep reading; if this one is killed, all is as before, or done.
        """
        try:
            with self._database.writing() as connection:
                compaction.renumber_if_due(connection)
            self._database.shrink()
        except PhotomapError as error:  # another process writes, or the disk is full after all
            log.info("the library file keeps its free space: %s", error)


def _set_meta(connection: sqlite3.Connection, **values: str | int) -> None:
    connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", values.items())
