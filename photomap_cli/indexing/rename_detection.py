"""Owns recognising content the library already has: a photo that moved, was only touched, or is a copy."""

from __future__ import annotations

import os
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from photomap_cli.pathnames import composed

if TYPE_CHECKING:
    from photomap_cli.indexing.plan import Todo
    from photomap_cli.library.entities import FileState, FoundAgain, NewPhoto
    from photomap_cli.library.store import Writes


class Match(NamedTuple):
    """What to do for a file whose content the library has, and the path of the photo with it."""

    settled: FoundAgain | NewPhoto
    like: FileState


class RenameDetector:
    """Settles files by their digests, without decoding or encoding.

    A photo whose file is gone has moved to where its content turns up first; `moved` are the rows of such photos.
    The time per file doesn't depend on how many photos have its content.

    Args:
        catalog: the library's.
        is_gone: returns whether the file at a path is really gone, not just out of reach; called once per photo.
    """

    def __init__(self, catalog: Writes, is_gone: Callable[[str], bool]) -> None:
        self._catalog, self._is_gone = catalog, is_gone
        self._gone: dict[tuple[int, bytes], _Gone] = {}
        self.moved: set[int] = set()

    def match(self, todo: Todo, digest: bytes) -> Match | None:
        """Return what to do for a file with this digest; None if its content is new."""
        size = todo.file.size_bytes
        like = self._catalog.contents.photo(size, digest)
        if like is None:
            return None
        own = None if todo.old_row is None else self._catalog.contents.photo(size, digest, todo.old_row)
        if again := own or self._moved_to(todo.file.path, size, digest):
            return Match(todo.file.again(again[0]), again[1])
        return Match(self._catalog.copy(like[0], todo.file), like[1])

    def _moved_to(self, path: str, size: int, digest: bytes) -> tuple[int, FileState] | None:
        """Return the photo that was moved to a path, if any; of several the one that kept its name."""
        if (size, digest) not in self._gone:
            photos = self._catalog.contents.photos(size, digest)
            self._gone[size, digest] = _Gone({row: old for row, (old, _) in photos.items() if self._is_gone(old)})
        gone = self._gone[size, digest]
        while (row := gone.take(path)) is not None:
            if found := self._catalog.contents.photo(size, digest, row):  # it may have left the library meanwhile
                self.moved.add(row)
                return found
        return None


class _Gone:
    """The photos with the same content whose files are gone, by row; each is taken once."""

    def __init__(self, paths: dict[int, str]) -> None:
        self._left = OrderedDict.fromkeys(paths)
        self._named: dict[str, deque[int]] = defaultdict(deque)
        for row, path in paths.items():
            self._named[_name(path)].append(row)

    def take(self, path: str) -> int | None:
        """Return the first photo with a path's name, else the first one; None once none is left."""
        alike = self._named[_name(path)] if self._left else ()
        while alike:
            if (row := alike.popleft()) in self._left:
                del self._left[row]
                return row
        return self._left.popitem(last=False)[0] if self._left else None


def _name(path: str) -> str:
    return composed(os.path.basename(path))  # noqa: PTH119 - paths are text here
