"""Owns searching a shared library's vectors: the server scans, and the hits on a panorama are merged here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from photomap_cli.library.shared.client import MOST_AT_ONCE
from photomap_cli.library.shared.collection import PHOTOS
from photomap_cli.library.shared.expressions import both
from photomap_cli.library.shared.photo_records import last_of, stored_vector
from photomap_cli.library.shared.schema import VECTOR

if TYPE_CHECKING:
    from photomap_cli.library.shared.collection import Collection, State
    from photomap_cli.library.shared.facts import SharedFacts
    from photomap_cli.records import PhotoFilter

    Found = tuple[np.ndarray, np.ndarray]

_SPARE = 16
"""Hits fetched beyond k, to detect ties across the limit, and to make up for panoramas with several hits."""

EXACT = "in a shared library this large, exact compares all photos compressed and the best 4,000 as they are stored"
_PER_PANORAMA = 3
_SAMPLE_STAYS = 1.1  # ratio of photo counts up to which a sample is reused
_OVER = 1.2  # rows are hashes, and spread only roughly evenly
_VECTORS_AT_ONCE = 2000


class SharedSearches:
    """Search over a shared library; see `library.store.Searches`.  Any thread may use it.

    `share` is how much of a large library a search without filters goes through; with them, or `exact`, it is all.
    """

    def __init__(self, facts: SharedFacts, collection: Collection, *, share: float = 1.0) -> None:
        self._facts, self._collection, self._share = facts, collection, share
        self._notes: list[str] = []
        self._sample: tuple[str, int, int, np.ndarray] | None = None

    def refresh(self) -> None:
        """Do nothing: every search sees what was committed, and the collection is resolved every two seconds."""

    def search(
        self,
        vector: np.ndarray,
        k: int,
        within: Sequence[PhotoFilter] = (),
        *,
        exact: bool = False,
        checkpoint: Callable[[], None] = lambda: None,
    ) -> Found:
        """Return the k best photos for a vector, (dim,) of unit length, among those that meet all filters.

        Returns rows, int64, and cosines, float32, best first, among equals the lower row; at most 16,384.
        Below a million photos the search is exact.  Above, compressed vectors are scored, and hundreds of the best
        rescored by their stored vectors; with `exact`, thousands.
        """
        checkpoint()
        state = self._collection.state
        if k <= 0 or state is None:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        if k > MOST_AT_ONCE:
            self._notes.append(f"a shared library gives {MOST_AT_ONCE:,} photos at once at most; these are the best")
            k = MOST_AT_ONCE
        if exact and state.index.lists:
            self._notes.append(EXACT)
        condition = self._facts.expression(within)
        checkpoint()
        query = stored_vector(vector, is_half=True) if state.is_half else np.asarray(vector, np.float32)
        return self._best(state, query, condition, k, exact=exact)

    def sample(self, most: int) -> np.ndarray:
        """Return vectors of a fixed sample of up to `most` photos, spread evenly over the library, (n, dim).

        They are the photos with the lowest rows, which are hashes.  Cached until the photos are a tenth more or fewer.
        """
        state = self._collection.state
        if state is None or not state.photos:
            return np.empty((0, state.own.encoder.dim if state else 0), np.float32)
        kept = self._sample
        if kept and kept[:2] == (state.name, most) and 1 / _SAMPLE_STAYS < state.photos / kept[2] < _SAMPLE_STAYS:
            return kept[3]
        vectors = self._read_sample(state, most)
        self._sample = state.name, most, state.photos, vectors
        return vectors

    def compress_behind(self) -> None:
        """Do nothing: the server maintains its index by itself."""

    def drain_notices(self) -> list[str]:
        """Return notices for the user since the last call."""
        notes = list(dict.fromkeys([*self._notes, *self._facts.notices]))
        self._notes.clear()
        self._facts.notices.clear()
        return notes

    def tell(self, note: str) -> None:
        """Add a notice for the user."""
        self._notes.append(note)

    def warm_up(self) -> None:
        """Import pymilvus and connect, so that the first search needn't wait."""
        self._collection.client.warm_up()

    def _best(self, state: State, query: np.ndarray, condition: str, k: int, *, exact: bool) -> Found:
        """Return the k best photos; asks again for more hits if panoramas or ties leave fewer than k certain."""
        fetched = min(k + _SPARE, MOST_AT_ONCE)
        while True:
            asked = state.index.asked(fetched, exact=exact, share=1.0 if exact or condition else self._share)
            hits = self._collection.search(query, condition, ["photo"], limit=fetched, params=asked)
            rows, scores = _photos(hits)
            is_all = len(hits) < fetched or fetched == MOST_AT_ONCE
            if is_all or (len(rows) >= k and hits[-1][0] < scores[k - 1]):
                return rows[:k], scores[:k]
            fetched = min(fetched * _PER_PANORAMA, MOST_AT_ONCE)

    def _read_sample(self, state: State, most: int) -> np.ndarray:
        """Return the vectors of the photos with the lowest rows, (n, dim)."""
        wanted = int(most * _OVER) + _SPARE
        condition = both(PHOTOS, f"row <= {last_of(wanted, state.photos)}")
        lowest = sorted(each["row"] for each in self._collection.query(condition, ["row"]))[:most]
        fields = ["row", VECTOR]
        found = self._collection.numbered("row", lowest, fields, also=PHOTOS, at_once=_VECTORS_AT_ONCE)
        vectors = {each["row"]: each[VECTOR] for each in found}
        return np.stack([vectors[row] for row in lowest if row in vectors])


def _photos(hits: Sequence[tuple[float, dict[str, int]]]) -> Found:
    """Return rows and scores, best first, among equals the lower row; a panorama has the best score of its vectors."""
    best: dict[int, float] = {}
    for score, entity in hits:
        row = entity["photo"]
        best[row] = max(score, best.get(row, score))
    ordered = sorted(best.items(), key=lambda each: (-each[1], each[0]))
    return np.array([row for row, _ in ordered], np.int64), np.array([score for _, score in ordered], np.float32)
