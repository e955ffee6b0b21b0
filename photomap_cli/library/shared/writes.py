"""Owns what index runs write to a shared library.  Several machines may write at once, and repeat their writes.

A photo's row is a hash of its path, so writing it again replaces it.  A batch isn't a transaction: new and moved photos
are written first, then others are deleted.  If a run is killed in between, photos may be there twice or for too long,
until the next run over their folder; none is ever missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from photomap_cli.library.paths import shown
from photomap_cli.library.shared import photo_records, schema
from photomap_cli.library.shared.collection import PHOTOS
from photomap_cli.library.shared.expressions import among, both
from photomap_cli.library.shared.facts import SharedFacts
from photomap_cli.library.shared.machine_notes import SharedFileNotes, SharedRuns
from photomap_cli.library.shared.photo_records import SEEN_FIELDS, Record, following
from photomap_cli.library.shared.schema import ALL_NAMES, VECTOR

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from photomap_cli.library.entities import FoundAgain, FoundFile, NewPhoto, SeenFile
    from photomap_cli.library.shared.collection import Collection, State
    from photomap_cli.library.shared.machine_notes import MachineNotes
    from photomap_cli.library.shared.roots import Roots

_AT_ONCE = 500  # photos of 768 numbers and three vectors each are 5 MB


class _Key(NamedTuple):
    """Identifies an entity: its photo's stored path, and its part (0, or a side)."""

    stored: str
    part: int


class SharedWrites(SharedFacts):
    """What an index run reads from and writes to a shared library; see `library.store.Writes`.

    Any thread may use it.  `told` is called after each change, so that caches can be dropped.
    """

    def __init__(
        self,
        folder: Path,
        collection: Collection,
        roots: Roots,
        notes: MachineNotes,
        *,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(folder, collection, roots, notes)
        self.runs = SharedRuns(collection, roots, notes)
        self.file_notes = SharedFileNotes(collection, roots, notes)
        self._told = told
        self._moving: dict[FoundAgain, list[Record]] = {}  # as they were when the unfinished batch began

    def require_roots(self, paths: Iterable[str]) -> None:
        """Raise BadPath for an absolute path below none of this machine's roots."""
        for path in paths:
            self._roots.stored(path)

    def change_roots(self, added: Iterable[str], forgotten: Iterable[str] = ()) -> None:
        """Record some paths as indexed, and others as no longer indexed; the rest stay."""
        there = [self._roots.stored(each) for each in added]
        gone = [stored for each in forgotten if (stored := self._roots.stored_if_any(each)) is not None]
        self._collection.note(schema.root_properties(there, gone))
        self._told()

    def seen_files(self, root: str) -> dict[str, SeenFile]:
        """Return the files of the photos at or below a path, by path, whichever machine added them."""
        condition = self._at_or_below(root)
        if not condition:
            return {}
        # A strong count takes 0.2 s more, as the server waits until it has all earlier writes.
        count, machine = self._collection.count(condition, is_strong=True), self._notes.machine
        pages = self._collection.pages(condition, SEEN_FIELDS, count=count)
        return {
            self._roots.here(each["path"]): photo_records.seen_file(each, machine) for page in pages for each in page
        }

    def count_below(self, folder: str) -> int:
        """Return how many photos are at or below a path."""
        condition = self._at_or_below(folder)
        return self._collection.count(condition) if condition else 0

    def known_sizes(self, sizes: Iterable[int]) -> set[int]:
        """Return those of these sizes in bytes that some photo has."""
        found: set[int] = set()
        wanted = list(sizes)
        for start in range(0, len(wanted), _AT_ONCE):
            condition = both(PHOTOS, among("size_bytes", wanted[start : start + _AT_ONCE]))
            for page in self._collection.pages(condition, ["size_bytes"], count=_AT_ONCE):
                found |= {each["size_bytes"] for each in page}
        return found

    def copy(self, row: int, file: FoundFile) -> NewPhoto:
        """Return the photo to add for a file with the same bytes as another.  Raises KeyError if the row is gone."""
        return photo_records.copy(self._entities([row])[row], file)

    def whole_photos(self, rows: Sequence[int]) -> list[NewPhoto]:
        """Return photos with all that is known about them, including vectors; rows that are gone are left out."""
        found = self._entities(rows)
        return [photo_records.whole(found[int(row)], self._roots.here) for row in rows if int(row) in found]

    def commit_batch(
        self, added: Sequence[NewPhoto], removed_rows: Iterable[int] = (), found_again: Iterable[FoundAgain] = ()
    ) -> None:
        """Add, remove and rename photos.  A path that is already in the library is replaced.

        Once it returns, the server has it.  If it raises, the same call may be repeated: the photos to rename are
        remembered as they were, as their paths may have other photos by then.
        """
        state, again = self._collection.require(), list(found_again)
        moving = self._as_they_were(again)
        changed = {**self._renamed(moving), **self._added(added)}
        written = set[int]()
        stored = list(changed)
        for start in range(0, len(stored), _AT_ONCE):
            written |= self._write(state, {each: changed[each] for each in stored[start : start + _AT_ONCE]})
        self._remove(state, {*(each.row for each in again), *map(int, removed_rows)}, written)
        self._moving.clear()
        self._told()

    def note_signs(self, files: Iterable[FoundAgain]) -> None:
        """Record the ctime and inode of unchanged files."""
        self.commit_batch((), (), files)

    def touch_indexed(self, now: datetime) -> None:
        """Record when the library was last brought up to date; `now` has a time zone."""
        self._collection.note(schema.indexed_property(now.isoformat(timespec="seconds")))
        self._told()

    def _entities(self, photos: Iterable[int]) -> dict[int, list[Record]]:
        """Return all entities of some photos, by row: each one's own, then those of its sides."""
        found: dict[int, list[Record]] = {}
        for record in self._collection.numbered("photo", photos, ALL_NAMES, at_once=_AT_ONCE):
            found.setdefault(record["photo"], []).append(record)
        ordered = {photo: sorted(records, key=lambda each: int(each["part"])) for photo, records in found.items()}
        return {photo: records for photo, records in ordered.items() if records[0]["part"] == 0}

    def _as_they_were(self, again: Sequence[FoundAgain]) -> dict[FoundAgain, list[Record]]:
        """Return the entities of photos to rename, as before the batch; those that are gone are left out."""
        new = [each for each in again if each not in self._moving]
        found = self._entities({each.row for each in new})
        self._moving |= {each: found[each.row] for each in new if each.row in found}
        return {each: self._moving[each] for each in again if each in self._moving}

    def _renamed(self, moving: dict[FoundAgain, list[Record]]) -> dict[str, list[Record]]:
        """Return the new entities of renamed photos, by their new stored paths."""
        machine = self._notes.machine
        places = {each: self._roots.stored(shown(each.path)) for each in moving}
        return {
            places[each]: photo_records.moved(records, each, places[each], machine) for each, records in moving.items()
        }

    def _added(self, photos: Sequence[NewPhoto]) -> dict[str, list[Record]]:
        """Return the entities of new photos, by their stored paths."""
        machine = self._notes.machine
        places = [self._roots.stored(shown(each.path)) for each in photos]
        return {place: photo_records.of_photo(each, place, machine) for place, each in zip(places, photos, strict=True)}

    def _write(self, state: State, photos: dict[str, list[Record]]) -> set[int]:
        """Write photos, replacing those at their paths; return the rows of their entities."""
        keys = [_Key(stored, part) for stored, records in photos.items() for part in range(len(records))]
        numbers, outdated = self._numbers(keys)
        records = [
            {
                **record,
                "row": numbers[_Key(stored, part)],
                "photo": numbers[_Key(stored, 0)],
                "part": part,
                VECTOR: photo_records.stored_vector(record[VECTOR], is_half=state.is_half),
            }
            for stored, entities in photos.items()
            for part, record in enumerate(entities)
        ]
        self._collection.client.upsert(state.name, records)
        written = set(numbers.values())
        sides = self._collection.numbered("photo", {numbers[key] for key in keys}, ["row"], also="part > 0")
        self._collection.client.delete(state.name, sorted(({each["row"] for each in sides} | outdated) - written))
        return written

    def _numbers(self, keys: Sequence[_Key]) -> tuple[dict[_Key, int], set[int]]:
        """Return the row of each entity, and outdated rows from when another entity had theirs.

        An entity whose row is taken gets the next one.  Among 200 million paths, two hashes collide in one library of a
        thousand.
        """
        numbers: dict[_Key, int] = {}
        outdated, waiting = set[int](), {key: photo_records.number(*key) for key in keys}
        while waiting:
            asked = {each for number in waiting.values() for each in (number, following(number))}
            found = self._collection.numbered("row", asked, ["row", "path", "part"])
            taken = {each["row"]: _Key(each["path"], each["part"]) for each in found}
            given, left = set(numbers.values()), {}
            for key, number in waiting.items():
                if number in given or taken.get(number, key) != key:
                    left[key] = following(number)
                    continue
                numbers[key] = number
                given.add(number)
                outdated |= {following(number)} if taken.get(following(number)) == key else set()
            waiting = left
        return numbers, outdated

    def _remove(self, state: State, photos: set[int], written: set[int]) -> None:
        """Delete photos with their sides, except for entities that were just written."""
        there = [each["row"] for each in self._collection.numbered("photo", photos, ["row"])]
        gone = [row for row in there if row not in written]
        for start in range(0, len(gone), _AT_ONCE):
            self._collection.client.delete(state.name, gone[start : start + _AT_ONCE])
