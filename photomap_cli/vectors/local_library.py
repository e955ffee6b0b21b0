"""Owns an open library in a folder: the catalogue and the search over its vectors as one."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from photomap_cli.library import file_lock
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.entities import LibraryEncoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from photomap_cli.records import EncoderInfo
    from photomap_cli.vectors.store import VectorStore


class LocalLibrary:
    """An open library in a folder; see `library.store.Library`.

    Args:
        catalog: is closed with the library.
        vectors: the search over it, closed too; None to open it when it is first needed.
    """

    is_shared = False

    def __init__(self, catalog: Catalog, vectors: VectorStore | None = None) -> None:
        self.facts = self.writes = catalog
        if vectors is not None:
            self.searches = vectors

    @classmethod
    def open(cls, folder: Path, *, create: bool = False) -> Self:
        """Open the library in `folder`; arguments and errors are those of `Catalog.open`."""
        return cls(Catalog.open(folder, create=create))

    @cached_property
    def searches(self) -> VectorStore:
        """Search over it."""
        from photomap_cli.vectors.store import VectorStore  # not needed for a list

        return VectorStore(self.facts.folder, self.facts)

    def only_writer(self) -> AbstractContextManager[None]:
        """Keep other index runs out in the block; raises LibraryBusy."""
        return file_lock.only_writer(self.facts.folder)

    def begin(self, info: EncoderInfo) -> None:
        """Record the loaded encoder as the one that makes the vectors, or check that it is; within `only_writer`.

        A library without photos is cleared first.  Raises EncoderMismatch.
        """
        if not self.facts.photo_count:
            self.start_over()
        library = self.facts.encoder
        if library is None:
            self.writes.set_encoder(LibraryEncoder.of(info))
        else:
            library.require(info)

    def start_over(self) -> None:
        """Remove every photo and the encoder; the roots stay."""
        self.writes.clear()
        self.searches.reset()

    def shrink(self) -> None:
        """Reclaim the space of deleted photos, within `only_writer`."""
        self.writes.shrink()

    def upkeep(self) -> Iterator[tuple[int, int]]:
        """Bring the vector file up to date, and compress the vectors of a large library.

        Yields (rows done, rows in all) while compressing.
        """
        self.searches.refresh()
        yield from self.searches.compress()

    def while_waiting(self, tell: Callable[[str], None]) -> None:
        """Do nothing: there is no server to wait for."""

    def close(self) -> None:
        """Close it; safe to call twice."""
        if "searches" in vars(self):
            self.searches.close()
        self.facts.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()
