"""Owns what this machine alone remembers about a shared library: which files aren't photos, or couldn't be read.

It is in an SQLite file in the folder of the user's own files about the library.  If that is deleted, the next run
examines those files again.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from photomap_cli.library.catalog import Catalog
from photomap_cli.library.shared import schema
from photomap_cli.library.shared.collection import PHOTOS
from photomap_cli.library.shared.expressions import both, in_spans, quoted
from photomap_cli.records import IndexNote

if TYPE_CHECKING:
    from datetime import datetime

    from photomap_cli.library.entities import FileMark, FoundFile
    from photomap_cli.library.shared.collection import Collection
    from photomap_cli.library.shared.roots import Roots

FOLDER_NAME = "this-machine"
"""Its folder, which is created on first use: the catalogue of a local library that has no photos."""


class MachineNotes:
    """This machine's notes; the file is opened on first use.  Any thread may use it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER_NAME
        self._lock = threading.Lock()
        self._opened: Catalog | None = None

    @property
    def machine(self) -> str:
        """Identifies this user on this machine, as others can't use what it notes about files."""
        return self.catalog.library_id

    @property
    def catalog(self) -> Catalog:
        """The catalogue that holds the notes."""
        with self._lock:
            if self._opened is None:
                self._opened = Catalog.open(self._folder, create=True)
            return self._opened

    def close(self) -> None:
        """Close the file; safe to call twice."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()
                self._opened = None


class SharedRuns:
    """The record of index runs: which are unfinished is shared, which files couldn't be read is this machine's."""

    def __init__(self, collection: Collection, roots: Roots, notes: MachineNotes) -> None:
        self._collection, self._roots, self._notes = collection, roots, notes

    def begin(self, roots: Iterable[str], now: datetime) -> None:
        """Record that a run over these paths has begun; it counts as unfinished until `end`."""
        self._collection.note(schema.run_properties(map(self._roots.stored, roots)))

    def end(
        self, roots: Sequence[str], refused: Iterable[FoundFile], takes: Callable[[str], bool] = lambda path: True
    ) -> None:
        """Record that a run has finished, and which files below these paths it couldn't read."""
        self._notes.catalog.runs.end(roots, refused, takes)
        below = tuple(root.rstrip(os.sep) + os.sep for root in roots)
        ended = [each for each in self.unfinished() if each in roots or each.startswith(below)]
        self._collection.note(schema.run_properties((), map(self._roots.stored, ended)))

    def unfinished(self) -> tuple[str, ...]:
        """Return the paths whose last run didn't finish, on any machine, sorted."""
        return tuple(sorted(map(self._roots.here, schema.unfinished(self._collection.properties))))

    def note_rules(self, roots: Iterable[str], exclude: Sequence[str], *, hidden: bool) -> None:
        """Record what a run over these paths left out, for later looks without options."""
        self._notes.catalog.runs.note_rules(roots, exclude, hidden=hidden)

    def rules(self, root: str) -> tuple[tuple[str, ...], bool] | None:
        """Return what the last run on this machine over this very path left out."""
        return self._notes.catalog.runs.rules(root)

    def was_refused(self, file: FoundFile) -> bool:
        """Return whether the last run on this machine couldn't read this file, which hasn't changed since."""
        return self._notes.catalog.runs.was_refused(file)


class SharedFileNotes:
    """Notes on files: which photos are damaged is shared, which files aren't photos is this machine's."""

    def __init__(self, collection: Collection, roots: Roots, notes: MachineNotes) -> None:
        self._collection, self._roots, self._notes = collection, roots, notes

    def damaged(self, root: str) -> list[IndexNote]:
        """Return the photos at or below a path whose files are damaged, and in what way, by path."""
        stored = self._roots.stored_if_any(root)
        if stored is None:
            return []
        where = f"path == {quoted(stored)} or {in_spans(self._roots.below(root))}"
        condition = both(PHOTOS, 'damage != ""', where)
        count = self._collection.count(condition)
        pages = self._collection.pages(condition, ["path", "damage"], count=count) if count else ()
        found = (IndexNote(self._roots.here(each["path"]), each["damage"]) for page in pages for each in page)
        return sorted(found, key=lambda each: each.path)

    def others(self, root: str) -> dict[str, FileMark]:
        """Return the files at or below a path that this machine examined and that aren't photos, by path."""
        return self._notes.catalog.file_notes.others(root)

    def note_others(self, learned: Mapping[str, FileMark], outdated: Iterable[str]) -> None:
        """Record files that aren't photos, and forget others."""
        self._notes.catalog.file_notes.note_others(learned, outdated)
