"""Owns the library of one computer: the catalogue, and search over its vectors, as one."""

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
    """A library in a folder, open; see `library.store.Library`.

    Args:
        catalog: open; closed with the library.
        vectors: search over it, likewise; None to open it once it is asked for.
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
        from photomap_cli.vectors.store import VectorStore  # not for a list

        return VectorStore(self.facts.folder, self.facts)

    def only_writer(self) -> AbstractContextManager[None]:
        """Keep other index runs out in the block; raises LibraryBusy."""
        return file_lock.only_writer(self.facts.folder)

    def begin(self, info: EncoderInfo) -> None:
        """Have the loaded encoder be the one that makes the vectors, or make sure that it is; within `only_writer`.

        What is left in a library without photos goes.  Raises EncoderMismatch.
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
        """Give back what deleted photos took, within `only_writer`."""
        self.writes.shrink()

    def upkeep(self) -> Iterator[tuple[int, int]]:
        """Leave the files that searches read as the catalogue is, and a large library quick to search.

        Yields (rows done, rows in all) while it compresses.
        """
        self.searches.refresh()
        yield from self.searches.compress()

    def while_waiting(self, tell: Callable[[str], None]) -> None:
        """Do nothing: a file is there, or an error."""

    def close(self) -> None:
        """Let go of it; safe to call twice."""
        if "searches" in vars(self):
            self.searches.close()
        self.facts.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()
