"""Owns an open shared library: its facts, searches and writes as one; see `library.store.Library`."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from photomap_cli import files
from photomap_cli.library.entities import LibraryEncoder
from photomap_cli.library.shared import address as addresses
from photomap_cli.library.shared import leftovers, schema
from photomap_cli.library.shared.client import Client
from photomap_cli.library.shared.collection import Collection
from photomap_cli.library.shared.credentials import credentials
from photomap_cli.library.shared.facts import SharedFacts
from photomap_cli.library.shared.machine_notes import MachineNotes
from photomap_cli.library.shared.retry import Retry
from photomap_cli.library.shared.roots import Roots
from photomap_cli.library.shared.searches import SharedSearches
from photomap_cli.library.shared.writes import SharedWrites

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from photomap_cli.library.shared.address import Address
    from photomap_cli.library.shared.credentials import Credentials
    from photomap_cli.library.shared.leftovers import Leftover
    from photomap_cli.records import EncoderInfo
    from photomap_cli.settings import Settings

log = logging.getLogger(__name__)


class SharedLibrary:
    """An open shared library; a context manager.  Any thread may use it.

    Writes wait for a server that is unreachable and searches don't, so each side has its own connection.
    """

    is_shared = True

    def __init__(self, folder: Path, address: Address, who: Credentials, roots: Roots, *, share: float = 1.0) -> None:
        self.address, self._folder, self._who, self._roots = address, folder, who, roots
        self._pending: dict[str, str] = {}
        self._notes = MachineNotes(folder)
        self._hears: Callable[[str], None] | None = None
        self._deleted: dict[str, float] = {}
        self._collection = Collection(Client(address, who, deleted=self._deleted), self._pending)
        self.facts = SharedFacts(folder, self._collection, roots, self._notes)
        self.searches = SharedSearches(self.facts, self._collection, share=share)

    @classmethod
    def open(cls, folder: Path, address: str, settings: Settings, *, create: bool = False) -> Self:
        """Open the library at an address.

        Args:
            folder: for this user's own files about the library; created if missing.
            address: as users write it.
            settings: say where roots are, how to log in, and how thoroughly to search.
            create: whether the library needn't exist; `begin` creates it.

        Raises:
            BadSetting: the address isn't valid, or a secret would be sent unencrypted.
            EmptyLibrary: there is no library, and `create` is false.
            LibraryUnreachable: the server doesn't answer.
            LibraryFormat: the collection isn't a library of this version.
        """
        where = addresses.parse(address)
        who, roots = credentials(where, settings), Roots.of_settings(settings.roots)
        opened = cls(folder, where, who, roots, share=settings.shared_probe)
        try:
            files.make_folder(folder)
            if create:
                opened._collection.look()
            else:
                opened._collection.require()
        except BaseException:
            opened.close()
            raise
        return opened

    @cached_property
    def writes(self) -> SharedWrites:
        """The interface for index runs."""
        return SharedWrites(self._folder, self._writing, self._roots, self._notes, told=self._told)

    @property
    def version(self) -> str:
        """The server's version."""
        return self._collection.client.abilities.version

    @property
    def user(self) -> str:
        """The name of the user who is logged in; empty if nobody is."""
        return self._who.user

    def index(self) -> schema.IndexState:
        """Return the index of the vectors, and how many aren't in it yet."""
        return schema.IndexState.of(self._collection.client.index(self._collection.require().name))

    def leftovers(self) -> list[Leftover]:
        """Return the collections of this library on the server that have no alias."""
        return leftovers.found(self._collection.client)

    def only_writer(self) -> AbstractContextManager[None]:
        """Do nothing: several machines may write, as each photo has a row of its own."""
        return nullcontext()

    def begin(self, info: EncoderInfo) -> None:
        """Record the loaded encoder as the one that makes the vectors, or check that it is.

        Creates the library if there is none.  Removes no photo.  Raises EncoderMismatch.
        """
        self._writing.make(LibraryEncoder.of(info)).own.encoder.require(info)
        for name in leftovers.drop(self._writing.client):
            self._tell(f"dropped the collection {name}, which an interrupted run had left")
        self._told()

    def start_over(self) -> None:
        """Remove every photo and the encoder; the roots stay.  For a rebuild's draft."""
        self._writing.remove()
        self._told()

    def unname(self) -> None:
        """Drop this address; the library stays at its other one."""
        self._writing.unname()
        self._told()

    def take_place_of(self, address: Address) -> None:
        """Move this library to another address in one step; the library there is removed."""
        self._writing.take_place_of(address.name)
        self._told()

    def shrink(self) -> None:
        """Do nothing: the server reclaims the space of deleted photos."""

    def upkeep(self) -> Iterator[tuple[int, int]]:
        """Compress the vectors once there are a million; yields (0, photos) before and (photos, photos) after.

        Nobody can search meanwhile, which takes minutes.
        """
        state = self._writing.look()
        if state is None:
            return
        wanted = schema.Index.wanted(state.photos)
        if state.index.kind != wanted.kind and wanted.lists:
            yield 0, state.photos
            self._writing.client.make_index(state.name, wanted, schema.SORTED)
            yield state.photos, state.photos
        self._told()

    def while_waiting(self, tell: Callable[[str], None]) -> None:
        """Call `tell` at once when writes wait for the server; by default it becomes a notice."""
        self._hears = tell

    def close(self) -> None:
        """Close the connections and this machine's notes; safe to call twice."""
        self._collection.client.close()
        if "_writing" in vars(self):
            self._writing.client.close()
        self._notes.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    @cached_property
    def _writing(self) -> Collection:
        """The collection for writes, whose requests are repeated while the server is unreachable."""
        client = Client(self.address, self._who, retry=Retry(self._tell), deleted=self._deleted)
        return Collection(client, self._pending)

    def _told(self) -> None:
        """Drop what both sides have seen of the collection, as it has changed."""
        self._collection.forget()
        self._writing.forget()

    def _tell(self, text: str) -> None:
        log.info("%s: %s", self.address, text)
        (self._hears or self.searches.tell)(text)
