"""Owns reading a shared library: photos, their facts and vectors, as they are now.  Changes nothing."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from photomap_cli.errors import BadQuery, TooManyPhotos
from photomap_cli.library.albums import AlbumRows
from photomap_cli.library.entities import SIDES, STORED
from photomap_cli.library.paths import shown
from photomap_cli.library.shared import photo_records, schema
from photomap_cli.library.shared.client import MOST_AT_ONCE
from photomap_cli.library.shared.collection import PHOTOS
from photomap_cli.library.shared.contents import SharedContents
from photomap_cli.library.shared.expressions import Server, both, in_spans, quoted, where
from photomap_cli.library.shared.near_filter import NearFilter
from photomap_cli.library.shared.newest import newest
from photomap_cli.library.shared.photo_records import PHOTO_FIELDS, SEEN_FIELDS, last_of
from photomap_cli.library.shared.schema import FACT_NAMES, VECTOR
from photomap_cli.records import LibraryStatus

if TYPE_CHECKING:
    from photomap_cli.library.entities import FoundFile, LibraryEncoder, SeenFile
    from photomap_cli.library.shared.collection import Collection, State
    from photomap_cli.library.shared.machine_notes import MachineNotes
    from photomap_cli.library.shared.responses import Record
    from photomap_cli.library.shared.roots import Roots
    from photomap_cli.records import Facets, Photo, PhotoDetails, PhotoFilter

MOST_LISTED = 1_000_000
"""Most rows that `rows` returns, and so the most photos that duplicates are looked for in."""

MOST_SPREAD = 200_000
"""Most photos of a map."""

_SPREAD_MORE = 1.02  # rows are hashes, and spread only roughly evenly
_VECTORS_AT_ONCE = 1000  # 2 MB
_FEW_TEXTS = 200_000  # photos of a library whose texts are read for a filter that the server can't apply: 5 s

_T = TypeVar("_T")


def _never() -> None:
    """Let everything go on."""


class SharedFacts:
    """The content of a shared library; see `library.store.Facts`.  Any thread may use it.

    A photo's row is a hash of its stored path, so it is the same on every machine, and after removing and adding the
    photo.  Every method raises LibraryUnreachable while the server doesn't answer, LibraryUnusable for other errors.
    """

    def __init__(self, folder: Path, collection: Collection, roots: Roots, notes: MachineNotes) -> None:
        self.folder = folder
        self._collection, self._roots, self._notes = collection, roots, notes
        self.contents = SharedContents(collection, roots)
        self._held_by: State | None = None  # the library that `_holds` is about
        self._holds: dict[str, bool] = {}
        self.notices: list[str] = []
        self._near = NearFilter(collection, self.notices.append)
        self._kept_texts: dict[str, tuple[str, int, frozenset[str]]] = {}
        self._albums = AlbumRows(self, lambda: (self.library_id, self.photo_count))

    @property
    def library_id(self) -> str:
        """Identifies this numbering of rows."""
        state = self._collection.state
        return state.own.library_id if state else ""

    @property
    def vectors_id(self) -> str:
        """Identifies these rows with these vectors, as of the last finished index run.

        A row stands for a path, where there may be another photo by now.
        """
        indexed_at = schema.last_indexed_at(self._collection.properties)
        return f"{self.library_id} {indexed_at} {self.photo_count}"

    @property
    def encoder(self) -> LibraryEncoder | None:
        """The encoder that made the vectors; None if there are none."""
        state = self._collection.state
        return state.own.encoder if state else None

    @property
    def photo_count(self) -> int:
        """The number of photos, at most two seconds ago."""
        state = self._collection.state
        return state.photos if state else 0

    def of_one_numbering(self, work: Callable[[], _T]) -> _T:
        """Return the result of some work; rows are never renumbered here."""
        return work()

    def roots(self) -> tuple[str, ...]:
        """Return the paths that were indexed, sorted: this machine's, and stored paths whose roots it doesn't have."""
        return tuple(sorted(map(self._roots.here, schema.roots(self._collection.properties))))

    def photos(self, rows: Sequence[int] | np.ndarray) -> list[Photo]:
        """Return the photos of these rows, in order; rows that are gone are left out."""
        records = self._collection.numbered("row", rows, PHOTO_FIELDS, also=PHOTOS)
        found = {record["row"]: photo_records.photo(record, self._roots.here) for record in records}
        return [found[int(row)] for row in rows if int(row) in found]

    def photo_at(self, path: str) -> Photo | None:
        """Return the photo at this path, if the library has it."""
        record = self._record_at(path, PHOTO_FIELDS)
        return photo_records.photo(record, self._roots.here) if record else None

    def details(self, path: str) -> PhotoDetails | None:
        """Return all there is to say of the photo at this path, if the library has it."""
        record = self._record_at(path, FACT_NAMES)
        return photo_records.details(record, self._roots.here) if record else None

    def has_photos(self, path: str) -> bool:
        """Return whether there is a photo at or below a path."""
        state = self._collection.state
        if state is not self._held_by:
            self._held_by, self._holds = state, {}
        if path not in self._holds:  # a search asks for the current folder three times
            condition = self._at_or_below(path)
            self._holds[path] = bool(condition and self._collection.query(condition, ["row"], limit=1))
        return self._holds[path]

    def spelled(self, path: str) -> str:
        """Return how the library's paths spell this one: as given, in NFC or in NFD; as given if it has no photos."""
        forms = dict.fromkeys((path, *(unicodedata.normalize(form, path) for form in ("NFC", "NFD"))))
        return next(filter(self.has_photos, forms), path)

    def vectors(self, rows: Sequence[int]) -> dict[int, np.ndarray]:
        """Return the vectors of these rows, each (dim,) float32 of unit length; rows that are gone are left out."""
        records = self._collection.numbered("row", rows, ["row", VECTOR], also=PHOTOS, at_once=_VECTORS_AT_ONCE)
        return {record["row"]: record[VECTOR] for record in records}

    def sides(self, rows: Sequence[int]) -> dict[int, np.ndarray]:
        """Return the side vectors of those of these photos that are panoramas, each (2, dim)."""
        fields = ["photo", "part", VECTOR]
        found: dict[int, dict[int, np.ndarray]] = {}
        for record in self._collection.numbered("photo", rows, fields, also="part > 0", at_once=_VECTORS_AT_ONCE):
            found.setdefault(record["photo"], {})[record["part"]] = record[VECTOR]
        whole = {row: sides for row, sides in found.items() if len(sides) == SIDES}
        return {row: np.stack([sides[part] for part in sorted(sides)]) for row, sides in whole.items()}

    def stored_vectors(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return those of these rows, int64, sorted, that are not gone, and their vectors in half precision."""
        encoder = self.encoder
        vectors = np.empty((len(rows), encoder.dim if encoder else 0), STORED)
        places = dict(zip(rows.tolist(), range(len(rows)), strict=True))
        is_there = np.zeros(len(rows), bool)
        fields = ["row", VECTOR]
        for record in self._collection.numbered("row", places, fields, also=PHOTOS, at_once=_VECTORS_AT_ONCE):
            place = places[record["row"]]
            vectors[place], is_there[place] = record[VECTOR], True
        return (rows, vectors) if is_there.all() else (rows[is_there], vectors[is_there])

    def count(self, within: Sequence[PhotoFilter] = (), checkpoint: Callable[[], None] = _never) -> int:
        """Return how many photos meet all filters."""
        checkpoint()
        return self._collection.count(both(PHOTOS, self.expression(within))) if within else self.photo_count

    def rows(self, within: Sequence[PhotoFilter] = (), *, checkpoint: Callable[[], None] = _never) -> np.ndarray:
        """Return the rows of the photos that meet all filters, int64, sorted, read-only.

        Raises TooManyPhotos for more than a million.
        """
        condition = both(PHOTOS, self.expression(within))
        count = self._collection.count(condition)
        if count > MOST_LISTED:
            raise TooManyPhotos(
                f"{count:,} photos are too many to list from a shared library, which is {MOST_LISTED:,} at most",
                hint="name a folder or a filter that leaves fewer",
            )
        rows = self._listed(condition, count, checkpoint)
        rows.flags.writeable = False
        return rows

    def spread(
        self, within: Sequence[PhotoFilter] = (), *, checkpoint: Callable[[], None] = _never
    ) -> tuple[np.ndarray, int]:
        """Return rows of photos that meet all filters, sorted, and how many photos do.

        The rows are all of them, or the 200,000 lowest, which are an even sample, as rows are hashes.
        """
        condition = both(PHOTOS, self.expression(within))
        count = self._collection.count(condition)
        wanted = int(_SPREAD_MORE * MOST_SPREAD)
        lowest = both(condition, f"row <= {last_of(wanted, count)}")
        return self._listed(lowest, min(wanted, count), checkpoint)[:MOST_SPREAD], count

    def newest(
        self,
        within: Sequence[PhotoFilter] = (),
        *,
        limit: int,
        behind: tuple[str, int] | None = None,
        checkpoint: Callable[[], None] = _never,
    ) -> list[Photo]:
        """Return up to `limit` photos that meet all filters, latest `dated_at` first, then higher rows first.

        At most 16,384 are returned.  `behind` is `dated_at` and row of the photo before them.
        """
        condition = both(PHOTOS, self.expression(within))
        records = newest(self._collection, condition, min(limit, MOST_AT_ONCE), behind, checkpoint)
        return [photo_records.photo(record, self._roots.here) for record in records]

    def files_of(self, rows: Sequence[int]) -> dict[int, SeenFile]:
        """Return the files of these photos, by row; rows that are gone are left out."""
        records = self._collection.numbered("row", rows, SEEN_FIELDS, also=PHOTOS)
        return {record["row"]: photo_records.seen_file(record, self._notes.machine) for record in records}

    def files_in_pieces(self) -> Iterator[dict[str, SeenFile]]:
        """Yield the files of all photos, by path, a few thousand at a time; each piece is its own snapshot."""
        for page in self._collection.pages(PHOTOS, SEEN_FIELDS, count=self.photo_count):
            yield {self._roots.here(each["path"]): photo_records.seen_file(each, None) for each in page}

    def rows_like(self, file: FoundFile) -> list[int]:
        """Return the rows of photos whose files have this size and time of change."""
        condition = both(PHOTOS, f"size_bytes == {file.size_bytes}", f"mtime_ns == {file.mtime_ns}")
        return sorted(record["row"] for record in self._collection.query(condition, ["row"]))

    def facets(self) -> Facets:
        """Return the values that filters can have, from a sample of 20,000 photos."""
        from photomap_cli.library.shared.facets import facets_of  # not needed for a search

        return facets_of(self, self._collection, self._roots)

    def status(self) -> LibraryStatus:
        """Return where the library is and how much is in it; its size in bytes is known to its server only."""
        state = self._collection.look()
        encoder = state.own.encoder if state else None
        return LibraryStatus(
            path=str(self._collection.client.address),
            photos=state.photos if state else 0,
            encoder=encoder.spec if encoder else None,
            dim=encoder.dim if encoder else None,
            bytes=0,
            last_indexed_at=schema.last_indexed_at(self._collection.properties),
            roots=self.roots(),
            unfinished=tuple(sorted(map(self._roots.here, schema.unfinished(self._collection.properties)))),
        )

    def expression(self, within: Sequence[PhotoFilter]) -> str:
        """Translate filters for the server; empty if there are none.  Raises BadQuery for one it can't apply."""
        if not within:
            return ""
        has_infix = self._collection.client.abilities.has_infix
        return where(within, Server(self._roots.below, self._albums.rows, has_infix, self._near, self._texts))

    def _listed(self, condition: str, count: int, checkpoint: Callable[[], None]) -> np.ndarray:
        """Return the rows of the photos that meet a condition, about `count` of them, int64, sorted."""
        pages = self._collection.pages(condition, ["row"], count=count, checkpoint=checkpoint)
        return np.sort(np.fromiter((each["row"] for page in pages for each in page), np.int64))

    def _texts(self, field: str) -> frozenset[str]:
        """Return all values of a text field, for a filter that the server can't apply; cached until photos change.

        Raises BadQuery if the library is too large for that.
        """
        state = self._collection.require()
        if state.photos > _FEW_TEXTS:
            raise BadQuery(
                "this filter is more than the library's server can do",
                hint="camera:, lens: and name:*word* need Milvus 2.4 or newer; name: takes * and ? there, not [...]",
            )
        kept = self._kept_texts.get(field)
        if kept is None or kept[:2] != (state.name, state.photos):
            pages = self._collection.pages(PHOTOS, [field], count=state.photos)
            kept = state.name, state.photos, frozenset(record[field] for page in pages for record in page)
            self._kept_texts[field] = kept
        return kept[2]

    def _record_at(self, path: str, fields: Sequence[str]) -> Record | None:
        """Return some fields of the photo at a path."""
        stored = self._roots.stored_if_any(shown(path))
        return None if stored is None else self._collection.kept_at([stored], fields).get(stored)

    def _at_or_below(self, path: str) -> str:
        """Return the condition for photos at or below a path; empty if there can be none."""
        path = shown(path)
        stored, spans = self._roots.stored_if_any(path), self._roots.below(path)
        here = f"path == {quoted(stored)}" if stored else ""
        return both(PHOTOS, " or ".join(filter(None, (here, in_spans(spans) if spans else "")))) if spans else ""
