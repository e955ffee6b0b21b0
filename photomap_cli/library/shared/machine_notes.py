"""Owns what this machine alone remembers of a shared library: which files are no photos, which could not be read.

It is kept in a file of SQLite's in the folder of the user's own files about the library; whoever removes that loses
some time in the next run.
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
"""The folder that keeps it: one of a library without photos, made by whoever asks first."""


class MachineNotes:
    """This machine's notes; the file is opened when it is needed.  Any thread may use it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER_NAME
        self._lock = threading.Lock()
        self._opened: Catalog | None = None

    @property
    def machine(self) -> str:
        """The name of this machine, and user: what it notes of files means nothing to others."""
        return self.catalog.library_id

    @property
    def catalog(self) -> Catalog:
        """The library without photos that has the notes."""
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
    """What is remembered of index runs: by all which are not finished, by this machine what it could not read."""

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
        """Return the paths whose last run has not come to its end, on whatever machine, sorted."""
        return tuple(sorted(map(self._roots.here, schema.unfinished(self._collection.properties))))

    def note_rules(self, roots: Iterable[str], exclude: Sequence[str], *, hidden: bool) -> None:
        """Record what a run over these paths left out, for later looks without options."""
        self._notes.catalog.runs.note_rules(roots, exclude, hidden=hidden)

    def rules(self, root: str) -> tuple[tuple[str, ...], bool] | None:
        """Return what the last run on this machine over this very path has left out."""
        return self._notes.catalog.runs.rules(root)

    def was_refused(self, file: FoundFile) -> bool:
        """Whether the last run on this machine could not read a file, which is as it was then."""
        return self._notes.catalog.runs.was_refused(file)


class SharedFileNotes:
    """What is said of files: by all which photos are damaged, by this machine which files are no photos."""

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
        """Return the files at or below a path that were looked into here and are no photos, by path."""
        return self._notes.catalog.file_notes.others(root)

    def note_others(self, learned: Mapping[str, FileMark], outdated: Iterable[str]) -> None:
        """Record files that aren't photos, and forget others."""
        self._notes.catalog.file_notes.note_others(learned, outdated)
