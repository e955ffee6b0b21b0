"""Owns telling that the library has a file's content already: the photo moved, was only touched, or is a copy."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from photomap_cli.pathnames import composed

if TYPE_CHECKING:
    from photomap_cli.indexing.plan import Todo
    from photomap_cli.library.catalog import Catalog
    from photomap_cli.library.entities import FileState, FoundAgain, NewPhoto


class Match(NamedTuple):
    """What to do for a file whose content the library has, and where the photo is, or was, that has it."""

    settled: FoundAgain | NewPhoto
    like: FileState


class RenameDetector:
    """Settles files by their digests, without decoding or encoding anything.

    A photo whose own file is gone has moved to where its content turns up first; `moved` are the rows of such photos.

    Args:
        catalog: the library's.
        is_gone: whether the file that was at a path is gone, and not only out of sight.
    """

    def __init__(self, catalog: Catalog, is_gone: Callable[[str], bool]) -> None:
        self._catalog, self._is_gone = catalog, is_gone
        self.moved: set[int] = set()

    def match(self, todo: Todo, digest: bytes) -> Match | None:
        """Return what to do for a file with this digest; None where its content is new."""
        like = self._catalog.photos_like(todo.file.size_bytes, digest)
        if not like:
            return None
        row = todo.old_row if todo.old_row in like else self._moved_to(todo.file.path, like)
        if row is not None:
            return Match(todo.file.again(row), like[row])
        first = min(like)
        return Match(self._catalog.copy(first, todo.file), like[first])

    def _moved_to(self, path: str, like: dict[int, FileState]) -> int | None:
        """Return the photo that was moved to a path, if one was; of several the one that kept its name."""
        gone = [row for row, (old, _) in like.items() if row not in self.moved and self._is_gone(old)]
        if not gone:
            return None
        name = composed(os.path.basename(path))  # noqa: PTH119 - paths are text here
        row = next((row for row in gone if composed(os.path.basename(like[row][0])) == name), gone[0])  # noqa: PTH119
        self.moved.add(row)
        return row
