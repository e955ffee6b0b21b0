"""Owns an open library that many share: its three sides as one; see `library.store.Library`."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from photomap_cli import files
from photomap_cli.library.entities import LibraryEncoder
from photomap_cli.library.shared import address as addresses
from photomap_cli.library.shared import schema
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
    from photomap_cli.records import EncoderInfo
    from photomap_cli.settings import Settings

log = logging.getLogger(__name__)


class SharedLibrary:
    """A library that many share, open; a context manager.  Any thread may use it.

    What is written waits for a server that has gone, what is searched does not, so each has a connection of its own.
    """

    is_shared = True

    def __init__(self, folder: Path, address: Address, who: Credentials, roots: Roots) -> None:
        self.address, self._folder, self._who, self._roots = address, folder, who, roots
        self._pending: dict[str, str] = {}
        self._notes = MachineNotes(folder)
        self._hears: Callable[[str], None] | None = None
        self._deleted: dict[str, float] = {}
        self._collection = Collection(Client(address, who, deleted=self._deleted), self._pending)
        self.facts = SharedFacts(folder, self._collection, roots, self._notes)
        self.searches = SharedSearches(self.facts, self._collection)

    @classmethod
    def open(cls, folder: Path, address: str, settings: Settings, *, create: bool = False) -> Self:
        """Open the library at an address; `folder` is for this user's own files about it, and is made.

        Raises BadSetting for an address that is none and for what would send a secret in the open; EmptyLibrary where
        there is no library yet, unless `create` says to make it, which `begin` does; LibraryUnreachable where no
        server answers; LibraryFormat for a collection that is no library.
        """
        where = addresses.parse(address)
        opened = cls(folder, where, credentials(where, settings), Roots.of_settings(settings.roots))
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
        """What the server calls itself."""
        return self._collection.client.abilities.version

    @property
    def user(self) -> str:
        """Who photomap is there; nothing without a password."""
        return self._who.user

    def index(self) -> schema.IndexState:
        """Return how the vectors are searched, and how far the server is with that."""
        return schema.IndexState.of(self._collection.client.index(self._collection.require().name))

    def only_writer(self) -> AbstractContextManager[None]:
        """Keep nobody out: several machines may write, and each photo is written by its own number."""
        return nullcontext()

    def begin(self, info: EncoderInfo) -> None:
        """Record the loaded encoder as the one that makes the vectors, or check that it is.

        The first of several machines makes the library; nothing is ever removed.  Raises EncoderMismatch.
        """
        self._writing.make(LibraryEncoder.of(info)).own.encoder.require(info)
        self._told()

    def start_over(self) -> None:
        """Remove every photo and the encoder; the roots stay.  For the draft of a rebuild."""
        self._writing.remove()
        self._told()

    def take_place_of(self, address: Address) -> None:
        """Have another address mean this library from now on, in one step; what it meant is removed."""
        self._writing.take_place_of(address.name)
        self._told()

    def shrink(self) -> None:
        """Do nothing: the server gives back what deleted photos took."""

    def upkeep(self) -> Iterator[tuple[int, int]]:
        """Have vectors compressed once there are a million; yields (0, photos) before and (photos, photos) after.

        Nobody can search until that is done, which takes the server minutes.
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
        """Have `tell` hear at once that what is written waits for the server; else that is among the notices."""
        self._hears = tell

    def close(self) -> None:
        """Let go of the server and of this machine's notes; safe to call twice."""
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
        """The library as it is written to: patiently."""
        client = Client(self.address, self._who, retry=Retry(self._tell), deleted=self._deleted)
        return Collection(client, self._pending)

    def _told(self) -> None:
        """Have what is known of the library looked up again, for it was changed."""
        self._collection.forget()
        self._writing.forget()

    def _tell(self, text: str) -> None:
        log.info("%s: %s", self.address, text)
        (self._hears or self.searches.tell)(text)
