"""Owns which collection a shared library's address stands for now, and reading it page by page.  Knows no photos.

An address names an alias, so that a rebuilt library can replace the old one in one step.  The alias is resolved again
every two seconds, and when the collection turns out to be gone.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from photomap_cli.errors import EmptyLibrary, LibraryReplaced, LibraryUnusable
from photomap_cli.library.shared import photo_records, schema
from photomap_cli.library.shared.client import MOST_AT_ONCE
from photomap_cli.library.shared.expressions import among, both, one_of
from photomap_cli.library.shared.photo_records import HIGHEST, LOWEST, following
from photomap_cli.library.shared.schema import Mark

if TYPE_CHECKING:
    from collections.abc import Iterable

    from photomap_cli.library.entities import LibraryEncoder
    from photomap_cli.library.shared.client import Client
    from photomap_cli.library.shared.responses import Hit, Record

FRESH_SECONDS = 2.0
PHOTOS = "part == 0"
"""A condition that exactly one entity of each photo meets."""

_PER_PAGE = 8192  # aimed at; half of the most a page can hold, as rows are spread only roughly evenly
NUMBERS_AT_ONCE = 2000

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class State:
    """A library's collection as it was last seen.

    Attributes:
        name: the collection's own, not its alias.
        own: the properties that never change.
        properties: all properties.
        index: the index of the vectors.
        is_half: whether vectors are stored in half precision.
        photos: how many photos it has.
    """

    name: str
    own: schema.Own
    properties: Mapping[str, str]
    index: schema.Index
    is_half: bool
    photos: int


class Collection:
    """The current collection of a library.  Any thread may use it.

    Args:
        client: its address has the alias.
        pending: properties to set once the library is created; several instances may share it.
        clock: in seconds.
    """

    def __init__(
        self, client: Client, pending: dict[str, str] | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.client, self.alias = client, client.address.name
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: tuple[float, State | None] | None = None
        self._pending = {} if pending is None else pending

    @property
    def state(self) -> State | None:
        """The collection, as seen at most two seconds ago; None if there is no library yet.

        Raises LibraryUnusable if building the index of the vectors was interrupted.
        """
        seen = self._seen
        state = seen[1] if seen and self._clock() - seen[0] < FRESH_SECONDS else self.look()
        if state is not None and not state.index.kind:
            raise LibraryUnusable(
                f"the vectors of {self.client.address} have no index", hint="`photomap index` makes one"
            )
        return state

    def look(self) -> State | None:
        """Return the collection as it is now.  Raises LibraryFormat, LibraryUnusable if this version can't use it."""
        with self._lock:
            state = self._look()
            self._seen = self._clock(), state
            return state

    def forget(self) -> None:
        """Drop what was seen, so that the next use looks again."""
        self._seen = None

    def require(self) -> State:
        """Return the collection.  Raises EmptyLibrary if there is no library yet."""
        state = self.state
        if state is None:
            raise EmptyLibrary(f"there is no library {self.client.address} yet", hint="`photomap index` makes one")
        return state

    @property
    def properties(self) -> Mapping[str, str]:
        """The library's properties; before it is created, those it will have."""
        state = self.state
        return state.properties if state else self._pending

    def note(self, properties: Mapping[str, str]) -> None:
        """Set some of the library's properties; the others stay, even if another machine is changing them."""
        state = self.state
        if state is None:
            self._pending.update(properties)
        else:
            self.client.set_properties(state.name, properties)
            self.look()

    def make(self, encoder: LibraryEncoder) -> State:
        """Return the collection, created if there is none; if several machines try at once, the first one wins."""
        state = self.look() or self._first(encoder)
        if Mark.of(state.properties):
            self.note(Mark.NONE.properties)
        if not state.index.kind:
            self.client.make_index(state.name, schema.Index.wanted(state.photos))
            state = self.look() or state
        return state

    def _first(self, encoder: LibraryEncoder) -> State:
        """Return the collection, which didn't exist a moment ago."""
        try:
            is_first = self._made(encoder)
        except LibraryReplaced:  # another machine was first, and dropped the one made here
            is_first = False
        state = self.look()
        if state is None:
            raise LibraryReplaced(f"the library {self.client.address} was removed as it was made", hint="try again")
        if not is_first and self._pending:
            self.note(self._pending)
        self._pending.clear()
        return state

    def _made(self, encoder: LibraryEncoder) -> bool:
        """Create a collection and its alias; return False if another machine was first."""
        name = f"{self.alias}_{secrets.token_hex(4)}"
        is_half = self.client.abilities.has_half
        properties = {**schema.new_properties(secrets.token_hex(16), encoder), **Mark.BEGUN.properties, **self._pending}
        self.client.create(name, schema.fields(encoder.dim, is_half=is_half), schema.Index.wanted(0), properties)
        is_first = self.client.name_first(self.alias, name)
        if not is_first:
            self.client.drop(name)
        return is_first

    def remove(self) -> None:
        """Remove the library; its roots are kept for the next one."""
        state = self.look()
        if state is not None:
            self._pending.update(schema.root_properties(schema.roots(state.properties)))
            self.client.set_properties(state.name, Mark.REPLACED.properties)
            self.client.unname(self.alias)
            self.client.drop(state.name)
            self.look()

    def take_place_of(self, alias: str) -> None:
        """Give this library another alias as its only one; the collection that had it is dropped."""
        state, old = self.require(), self.client.describe(alias)
        if old is not None and old.name != state.name:
            self.client.set_properties(old.name, Mark.REPLACED.properties)
        self.client.point(alias, state.name)
        self.client.unname(self.alias)
        if old is not None and old.name != state.name:
            self.client.drop(old.name)
        self.look()

    def unname(self) -> None:
        """Drop the alias; the collection stays, for its other alias."""
        self.client.unname(self.alias)
        self.look()

    def query(self, condition: str, fields: Sequence[str], *, limit: int = MOST_AT_ONCE) -> list[Record]:
        """Return some fields of the entities that meet a condition; empty if there is no library."""
        nothing: list[Record] = []
        return self._asked(lambda name: self.client.query(name, condition, fields, limit=limit), nothing)

    def count(self, condition: str, *, is_strong: bool = False) -> int:
        """Return how many entities meet a condition."""
        return self._asked(lambda name: self.client.count(name, condition, is_strong=is_strong), 0)

    def search(
        self, vector: Any, condition: str, fields: Sequence[str], *, limit: int, params: dict[str, int]
    ) -> list[Hit]:
        """Return the best hits for a vector; see `Client.search`."""
        nothing: list[Hit] = []
        return self._asked(
            lambda name: self.client.search(name, vector, condition, fields, limit=limit, params=params), nothing
        )

    def numbered(
        self,
        field: str,
        numbers: Iterable[int],
        fields: Sequence[str],
        *,
        also: str = "",
        at_once: int = NUMBERS_AT_ONCE,
    ) -> Iterator[Record]:
        """Yield some fields of the entities whose `field` is one of `numbers`, and that meet the condition `also`."""
        wanted = [int(each) for each in numbers]
        for start in range(0, len(wanted), at_once):
            yield from self.query(both(among(field, wanted[start : start + at_once]), also), fields)

    def kept_at(self, stored: Iterable[str], fields: Sequence[str]) -> dict[str, Record]:
        """Return some fields of the photos at some stored paths, by path; paths without a photo are left out.

        A photo's row is a hash of its path, or the next number if two hashes collide, so rows are queried.  Photos are
        queried by path only after a collision, as that may make the server scan the whole collection.
        """
        numbers = {each: photo_records.number(each) for each in stored}
        asked = {each for first in numbers.values() for each in (first, following(first))}
        fields, taken = [*fields, "row", "path"], set[int]()
        found: dict[str, Record] = {}
        for record in self.numbered("row", asked, fields, also=PHOTOS):
            taken.add(record["row"])
            found[record["path"]] = record
        left = [each for each in numbers if each not in found and numbers[each] in taken]
        for start in range(0, len(left), NUMBERS_AT_ONCE):
            piece = one_of("path", left[start : start + NUMBERS_AT_ONCE])
            found |= {record["path"]: record for record in self.query(both(PHOTOS, piece), fields)}
        return {path: record for path, record in found.items() if path in numbers}

    def pages(
        self,
        condition: str,
        fields: Sequence[str],
        *,
        count: int,
        checkpoint: Callable[[], None] = lambda: None,
        per_page: int = _PER_PAGE,
    ) -> Iterator[list[Record]]:
        """Yield some fields of all entities that meet a condition, about `count` of them, page by page.

        A page is a range of rows, which are hashes and so spread evenly.  A range with too many entities for one page
        is split in halves.  `checkpoint` is called before each page, and may raise.
        """
        pieces = count // per_page + 1
        width = (HIGHEST - LOWEST) // pieces + 1
        waiting = [(low, min(low + width - 1, HIGHEST)) for low in range(LOWEST, HIGHEST + 1, width)][::-1]
        while waiting:
            checkpoint()
            low, high = waiting.pop()
            span = f"row >= {low} and row <= {high}"
            found = self.query(both(condition, span), fields)
            if len(found) < MOST_AT_ONCE:
                yield found
            else:
                middle = (low + high) // 2
                waiting += [(middle + 1, high), (low, middle)]

    def _asked(self, ask: Callable[[str], _T], nothing: _T) -> _T:
        state = self.state
        if state is None:
            return nothing
        try:
            return ask(state.name)
        except LibraryReplaced:
            now = self.look()
            if now is None or now.name == state.name:
                raise
            return ask(now.name)

    def _look(self) -> State | None:
        found = self.client.describe(self.alias)
        if found is None:
            return None
        own, index = schema.Own.of(found.properties), schema.Index.of(self.client.index(found.name))
        photos = self.client.count(found.name, PHOTOS) if index.kind else 0
        return State(found.name, own, found.properties, index, schema.is_half(found.fields), photos)
