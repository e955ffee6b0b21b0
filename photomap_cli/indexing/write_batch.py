"""Owns the changes that an index run hasn't committed yet, and the counts of what it has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from photomap_cli.library.entities import FoundAgain
from photomap_cli.records import IndexReport

if TYPE_CHECKING:
    from photomap_cli.images.thumbnail_cache import ThumbnailCache
    from photomap_cli.indexing.plan import Todo
    from photomap_cli.indexing.rename_detection import Match
    from photomap_cli.library.entities import FileState, NewPhoto
    from photomap_cli.library.store import Writes


class WriteBatch:
    """Collects photos to add, rename and remove; `commit` applies them to the library in one transaction."""

    def __init__(self, catalog: Writes, thumbnails: ThumbnailCache) -> None:
        self._catalog, self._thumbnails = catalog, thumbnails
        self.counts = IndexReport(roots=())
        self._forget()

    def _forget(self) -> None:
        self._added: list[tuple[Todo, NewPhoto]] = []
        self._again: list[tuple[Todo, FoundAgain]] = []
        self._lost: list[int] = []
        self._thumbnails_made: list[tuple[str, int, bytes]] = []
        self._thumbnails_like: list[tuple[FileState, FileState]] = []

    def __bool__(self) -> bool:
        return bool(self._added or self._again or self._lost)

    @property
    def waiting(self) -> int:
        """How many settled files aren't committed yet."""
        return len(self._added) + len(self._again)

    def add(self, todo: Todo, photo: NewPhoto, thumbnail: bytes) -> None:
        """Add an encoded photo."""
        self._added.append((todo, photo))
        self._thumbnails_made.append((todo.file.path, todo.file.mtime_ns, thumbnail))

    def add_match(self, todo: Todo, match: Match) -> None:
        """Apply the decision for a file whose content the library has."""
        if isinstance(match.settled, FoundAgain):
            self._again.append((todo, match.settled))
        else:
            self._added.append((todo, match.settled))
        self._thumbnails_like.append((match.like, (todo.file.path, todo.file.mtime_ns)))

    def lose(self, rows: Iterable[int]) -> None:
        """Remove photos."""
        self._lost += rows

    def commit(self) -> None:
        """Commit to the library, and update the counts."""
        self._catalog.commit_batch([photo for _, photo in self._added], self._lost, [again for _, again in self._again])
        made, like = self._thumbnails_made, self._thumbnails_like
        self.count()
        self._forget()  # in one step: whatever an interruption leaves here is committed again
        self._thumbnails.copy(like)
        self._thumbnails.put(made)

    def count(self) -> None:
        """Update the counts."""
        updated = sum(todo.old_row is not None for todo, _ in self._added)
        touched = sum(todo.old_row == again.row for todo, again in self._again)
        counts = self.counts
        self.counts = replace(
            counts,
            added=counts.added + len(self._added) - updated,
            updated=counts.updated + updated,
            moved=counts.moved + len(self._again) - touched,
            unchanged=counts.unchanged + touched,
            removed=counts.removed + len(self._lost),
        )
