"""Owns recording moved photos in a library: they keep their vectors, and nothing is encoded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from photomap_cli.errors import PhotomapError
from photomap_cli.images.thumbnail_cache import ThumbnailCache
from photomap_cli.indexing.roots import covers, merged
from photomap_cli.library import user_data
from photomap_cli.library.entities import FoundAgain, FoundFile
from photomap_cli.pathnames import real

if TYPE_CHECKING:
    from photomap_cli.library.entities import FileState
    from photomap_cli.library.store import Library
    from photomap_cli.records.export import Exported

NOT_NOTED = "not every move was recorded in the library; `photomap index` finds the photos without encoding them again"
_AT_ONCE = 64


class Relocation:
    """Records moves of photos in an open library; a context manager.

    A killed process may have moved up to 64 photos that the library still has at their old paths; the next index run
    finds them by their content.

    Attributes:
        has_failed: whether some move couldn't be recorded.
    """

    def __init__(self, library: Library) -> None:
        self._catalog = library.writes
        self._thumbnails = ThumbnailCache(self._catalog.folder, max_bytes=0)
        self._waiting: list[Exported] = []
        self.has_failed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        try:
            self._write_down()
        finally:
            self._thumbnails.close()

    def adopt(self, folder: str) -> tuple[str, bool]:
        """Add an absolute folder to the library; return how the library writes it, and whether it is new."""
        roots = {*self._catalog.roots()}
        if any(covers(root, folder) for root in roots):
            return folder, False
        folder = real(folder)
        if any(covers(root, folder) for root in roots):
            return folder, False
        enough = {*merged({*roots, folder})}
        self._catalog.change_roots(enough - roots, roots - enough)
        return folder, True

    def note(self, moved: Exported) -> None:
        """Record a move, together with others; never fails."""
        self._waiting.append(moved)
        if len(self._waiting) >= _AT_ONCE:
            self._write_down()

    def _write_down(self) -> None:
        moves, self._waiting = self._waiting, []
        try:
            found = [(known, again) for each in moves for known, again in self._found(each)]
            self._catalog.commit_batch((), (), [again for _, again in found])
        except PhotomapError:
            self.has_failed = True
            return
        with suppress(PhotomapError):  # an album also finds its photos by their bytes
            user_data.move(self._catalog.folder, [(known[0], again.path) for known, again in found])
        self._thumbnails.rename((known, (again.path, again.mtime_ns)) for known, again in found)

    def _found(self, move: Exported) -> Iterator[tuple[FileState, FoundAgain]]:
        """Yield the library's entry of a moved photo, and its file's new path."""
        photo = self._catalog.photo_at(move.source)
        if photo is None or os.path.lexists(move.source):
            return
        file = FoundFile.of(move.target, os.stat(move.target))  # noqa: PTH116 - paths are text here
        if (file.size_bytes, file.mtime_ns) == (photo.size_bytes, photo.mtime_ns):
            again = file.again(photo.row)
        else:  # it changed since it was encoded, which the next index run should notice
            again = FoundAgain(photo.row, move.target, photo.mtime_ns)
        yield (photo.path, photo.mtime_ns), again
