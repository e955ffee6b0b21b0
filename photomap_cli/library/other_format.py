"""Owns a library in another format: what can still be read of it, to rebuild it."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from photomap_cli.errors import LibraryUnusable
from photomap_cli.library import database, schema, schema_check
from photomap_cli.library.sqlite_errors import damaged


class OtherFormatLibrary:
    """A library of another version; what can't be read of it counts as missing."""

    def __init__(self, connection: database.Database, library_id: str) -> None:
        self._database, self.library_id = connection, library_id

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the library in `folder`.  Raises LibraryUnusable if it isn't a library at all."""
        opened = database.connect(folder, create=False, any_format=True)
        try:
            with opened.reading() as connection:
                library_id = schema_check.library_id(connection)
            if library_id is None:
                raise damaged(folder, "it isn't photomap's")
            return cls(opened, library_id)
        except BaseException:
            opened.close()
            raise

    def close(self) -> None:
        """Close the connection; safe to call twice."""
        self._database.close()

    @property
    def spec(self) -> str | None:
        """The encoder that made the vectors."""
        return next(iter(self._texts("SELECT value FROM meta WHERE key = 'spec'")), None)

    def roots(self) -> tuple[str, ...]:
        """Return the absolute paths that were indexed, sorted."""
        return tuple(sorted(path for path in self._texts("SELECT path FROM roots") if Path(path).is_absolute()))

    @property
    def photo_count(self) -> int:
        """How many photos it has."""
        return len(self.paths())

    def paths(self) -> list[str]:
        """Return the path of every photo."""
        return self._texts("SELECT path FROM photos")

    def replace_by(self, folder: Path) -> None:
        """Replace this library by the one in another folder, in one transaction."""
        with self._database.writing_from(folder) as connection:
            schema.drop_everything(connection)
            schema.create(connection)
            schema.copy_from_other(connection)

    def _texts(self, query: str) -> list[str]:
        try:
            with self._database.reading() as connection:
                return [value for (value,) in connection.execute(query) if isinstance(value, str)]
        except LibraryUnusable:  # the table is missing or damaged
            return []
