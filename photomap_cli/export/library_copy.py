"""Owns copying a whole library to another folder, which becomes a library only once all of it is there.

It is filled in a draft inside that folder.  What makes a folder a library, the catalogue, leaves the draft last, in one
step; until then a killed copy has left nothing that any command takes for one, and the next one begins again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from itertools import zip_longest
from pathlib import Path

from photomap_cli import files
from photomap_cli.errors import BadPath, PhotomapError
from photomap_cli.export.library_draft import draft_in, folder, put_in_place, require_empty, taken, written
from photomap_cli.library import backup, database, schema, user_data
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.sqlite_errors import FILE_NAME
from photomap_cli.records.copies import CopyReport

_COMPARED = tuple(table for table in schema.TABLES if table != "vectors")  # a row's vector never changes
_PIECE_BYTES = 4 << 20


def copy_library(
    source: Path,
    target: Path,
    *,
    derived: Sequence[str] = (),
    caches: Sequence[str] = (),
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    clock: Callable[[], float] = time.monotonic,
) -> CopyReport:
    """Copy a library as of this moment; it can be used meanwhile.

    Whatever ends it, even `kill -9`, the target is a complete library or none, and the same call starts again.

    Args:
        source, target: absolute folders; `target` is created, empty, or already this very library.
        derived: names of files that are slow to make again; they are copied if they can be read.
        caches: names of such files that are SQLite databases.
        on_progress: called with (done, total) bytes.
        clock: in seconds.

    Raises:
        EmptyLibrary, LibraryUnusable: there is no library in `source`, or it cannot be read.
        BadPath: the target isn't fit for a copy, or can't be written to.
        LibraryBusy: another process copies to it.
    """
    began = clock()
    with closing(database.connect(source, create=False)) as catalogue:
        _require_apart(source, target)
        with written(target), folder(target), draft_in(target) as draft:
            _require_place(source, target, (*derived, *caches))
            was_there = database.library_exists(target)
            copied = 0 if was_there else _Copy(source, target, draft, on_progress).run(catalogue, derived, caches)
            return CopyReport(
                source=str(source),
                target=str(target),
                photos=_photos_in(target),
                albums=len(user_data.albums(target)),
                searches=len(user_data.searches(target)),
                bytes=copied,
                was_there=was_there,
                elapsed_ms=(clock() - began) * 1000,
            )


class _Copy:
    """A copy: files into the draft, and from there into place."""

    def __init__(self, source: Path, target: Path, draft: Path, on_progress: Callable[[int, int], None]) -> None:
        self._source, self._target, self._draft, self._tell = source, target, draft, on_progress
        self._done = self._total = 0

    def run(self, catalogue: database.Database, derived: Sequence[str], caches: Sequence[str]) -> int:
        """Copy everything; return the number of bytes."""
        names = (*derived, FILE_NAME, user_data.FILE_NAME, *caches)
        self._total = sum(map(self._size, names))
        for name in derived:  # before the catalogue: missing rows are added later, but extra rows would be thrown away
            self._copied(name)
        catalogue.back_up(self._draft / FILE_NAME, self._told(FILE_NAME))
        user_data.back_up(self._source, self._draft)
        for name in caches:
            backup.back_up_cache(self._source / name, self._draft / name, self._told(name))
        _photos_in(self._draft)  # check that it can be opened
        written = sum((self._draft / name).stat().st_size for name in names if (self._draft / name).exists())
        put_in_place(self._draft, self._target, [*derived, *caches, user_data.FILE_NAME])
        return written

    def _size(self, name: str) -> int:
        with suppress(OSError):
            return (self._source / name).stat().st_size
        return 0

    def _told(self, name: str) -> Callable[[int], None]:
        """Return a callback for the bytes of a file that are done."""
        before, size = self._done, self._size(name)
        self._done += size
        return lambda count: self._tell(min(before + count, self._total), self._total)

    def _copied(self, name: str) -> None:
        """Copy a derived file; one that can't be read counts as missing."""
        told, path = self._told(name), self._draft / name
        try:
            source = files.reading(self._source / name)
        except OSError:
            return
        with source, files.open_new(path) as target:
            for piece in _pieces(source.read):
                target.write(piece)
                told(target.tell())
            target.flush()
            os.fsync(target.fileno())


def _pieces(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """Yield a file's bytes as far as they can be read."""
    with suppress(OSError):
        while piece := read(_PIECE_BYTES):
            yield piece


def _require_apart(source: Path, target: Path) -> None:
    """Raise BadPath for a target that is the library's folder, or inside it."""
    for each in (target, *target.parents):
        if os.path.realpath(each) == os.path.realpath(source) or _is_same_file(each, source):
            where = "the library's own folder" if each == target else "inside the library's folder"
            raise BadPath(f"{target} is {where}", hint="name another folder")


def _is_same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _require_place(source: Path, target: Path, names: Sequence[str]) -> None:
    """Raise BadPath unless the target is empty, holds only leftovers of a killed copy, or is already the library."""
    if database.library_exists(target):
        if not _is_same(source, target):
            raise taken(target)
        return
    require_empty(target, but_for=(user_data.FILE_NAME, *names))
    if user_data.path_in(target).exists() and not user_data.is_same_as(source, target):
        path = user_data.path_in(target)
        raise BadPath(f"{path} holds other albums or saved searches", hint="name a new folder, or move it away")


def _is_same(source: Path, target: Path) -> bool:
    """Return whether the target is a copy of the library as it is now."""
    try:
        return user_data.is_same_as(source, target) and _has_same_rows(source, target)
    except PhotomapError:
        return False


def _has_same_rows(source: Path, target: Path) -> bool:
    with (
        closing(database.connect(source, create=False)) as one,
        closing(database.connect(target, create=False)) as other,
        one.reading() as ours,
        other.reading() as theirs,
    ):
        queries = [f"SELECT * FROM {table} ORDER BY 1" for table in _COMPARED]
        pairs = (zip_longest(ours.execute(query), theirs.execute(query)) for query in queries)
        return all(row == same for rows in pairs for row, same in rows)


def _photos_in(folder: Path) -> int:
    with Catalog.open(folder) as catalog:
        return catalog.photo_count
