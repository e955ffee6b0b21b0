"""Owns building a map: photos -> layout (cached) -> names -> `PhotoMap`.  Encodes nothing itself, draws nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from photomap_cli.errors import PhotomapError, TooFewPhotos
from photomap_cli.map import kmeans, labelling, layout
from photomap_cli.map.layout import Layout
from photomap_cli.map.npz_cache import NpzCache, key
from photomap_cli.records.maps import MOST_CLUSTERS, MapCluster, MapPoint, PhotoMap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photomap_cli.library.store import Facts
    from photomap_cli.records import Photo

FEWEST = 5
"""Least photos of a map: with fewer, each would be its own group."""

_TEXTS_AT_ONCE = 32


class MapBuilder:
    """Builds maps of a library.  A layout is cached in the library's folder until its photos change.

    Args:
        catalog: the library.
        spec: the encoder's spec string.
        encode: texts -> (n, dim) float32, rows of unit length; may raise PhotomapError.
    """

    def __init__(self, catalog: Facts, *, spec: str, encode: Callable[[Sequence[str]], NDArray[np.float32]]) -> None:
        self._catalog, self.spec, self._encode = catalog, spec, encode
        self._layouts = NpzCache(catalog.folder, "map")
        self._phrases = NpzCache(catalog.folder, "phrases")
        self.stage = ""
        """The progress, for waiting threads; any thread may read it."""

    def draw(
        self, rows: NDArray[np.int64], groups: int | None, checkpoint: Callable[[], None] = lambda: None
    ) -> PhotoMap:
        """Return the map of some of the library's photos.

        Args:
            rows: which photos, sorted.
            groups: the most groups; None for the usual number.
            checkpoint: called between steps; an exception from it ends the drawing.

        Raises:
            TooFewPhotos.
        """
        started = time.perf_counter()
        drawn, how = self._layout(rows, groups)
        checkpoint()
        called, notices = self._names(drawn, checkpoint)
        self.stage = "looking up photos…"
        photos = {photo.row: photo for photo in self._catalog.photos(rows)}
        return PhotoMap(
            encoder=self.spec,
            method=how,
            elapsed_ms=1e3 * (time.perf_counter() - started),
            clusters=_clusters(drawn, called, photos),
            points=_points(drawn, photos),
            notices=notices,
        )

    def members(
        self, rows: NDArray[np.int64], groups: int | None, group: int, checkpoint: Callable[[], None] = lambda: None
    ) -> list[tuple[int, float]]:
        """Return the photos of a group as (row, cosine to the group's centre), the most typical first.

        Args:
            rows, groups, checkpoint: as for `draw`.
            group: its id, from 1; may not exist.

        Raises:
            TooFewPhotos.
        """
        drawn, _ = self._layout(rows, groups)
        checkpoint()
        if group > len(drawn.centres):
            return []
        centre = drawn.centres[group - 1]
        vectors = self._catalog.vectors(drawn.rows[drawn.labels == group - 1].tolist())
        found = [(row, float(vector @ centre)) for row, vector in vectors.items()]
        return sorted(found, key=lambda each: (-each[1], each[0]))

    def _layout(self, rows: NDArray[np.int64], groups: int | None) -> tuple[Layout, str]:
        """Return the layout, and its method."""
        if len(rows) < FEWEST:
            are = "is" if len(rows) == 1 else "are"
            raise TooFewPhotos(
                f"a map needs at least {FEWEST} photos; there {are} {len(rows) or 'none'}",
                hint="index more photos, or use a wider folder or filter",
            )
        how = layout.method(len(rows))
        count = min(groups or kmeans.usual_count(len(rows)), len(rows), MOST_CLUSTERS)
        return self._kept_layout(rows, count, how), how

    def _kept_layout(self, rows: NDArray[np.int64], groups: int, how: str) -> Layout:
        # Under one id a row never has another vector, so that both stand for the vectors.
        name = key(self._catalog.vectors_id, rows.astype("<i8").tobytes(), str(groups), how)
        kept = self._layouts.get(name)
        if kept is not None:
            return Layout(rows=rows, **kept)
        self.stage = f"laying out {len(rows):,} photos…"
        drawn = layout.lay_out(rows, self._vectors(rows), groups, how)
        arrays = ("places", "labels", "centres", "typical")
        self._layouts.put(name, {each: getattr(drawn, each) for each in arrays})
        return drawn

    def _vectors(self, rows: NDArray[np.int64]) -> NDArray[np.floating]:
        """Return the vectors of these rows in half precision, as stored; zeros for rows that are gone."""
        there, stored = self._catalog.stored_vectors(rows)
        if len(there) == len(rows):
            return stored
        vectors = np.zeros((len(rows), stored.shape[1]), stored.dtype)
        vectors[np.searchsorted(rows, there)] = stored
        return vectors

    def _names(self, drawn: Layout, checkpoint: Callable[[], None]) -> tuple[list[str], tuple[str, ...]]:
        """Return a name for each group, and notices about the names."""
        words = labelling.phrases()
        try:
            texts = self._texts(words, checkpoint)
        except PhotomapError as error:
            numbered = [f"group {number}" for number in range(1, len(drawn.centres) + 1)]
            return numbered, (f"the groups have no names: {error.message}",)
        return labelling.choose(drawn.centres, texts, words), ()

    def _texts(self, words: Sequence[str], checkpoint: Callable[[], None]) -> NDArray[np.float32]:
        """Return the phrases' vectors, encoded once per library."""
        encoder = self._catalog.encoder
        made_with = (encoder.fingerprint, encoder.precision) if encoder else ("", "")
        name = key(self.spec, *made_with, "\n".join(words))
        kept = self._phrases.get(name)
        if kept is not None:
            return np.asarray(kept["texts"], np.float32)
        pieces = []
        for start in range(0, len(words), _TEXTS_AT_ONCE):
            self.stage = f"encoding group names, once: {start:,} of {len(words):,}…"
            checkpoint()
            pieces.append(self._encode(words[start : start + _TEXTS_AT_ONCE]))
        texts = np.concatenate(pieces)
        self._phrases.put(name, {"texts": texts})
        return texts


def _clusters(drawn: Layout, called: Sequence[str], photos: dict[int, Photo]) -> tuple[MapCluster, ...]:
    made = []
    for group, name in enumerate(called):
        places = drawn.places[drawn.labels == group]
        x, y = np.median(places, axis=0).tolist()
        typical = tuple(photos[row].path for row in drawn.typical[group].tolist() if row in photos)
        made.append(MapCluster(group + 1, name, len(places), (x, y), typical))
    return tuple(made)


def _points(drawn: Layout, photos: dict[int, Photo]) -> tuple[MapPoint, ...]:
    columns = zip(drawn.rows.tolist(), drawn.places.tolist(), drawn.labels.tolist(), strict=True)
    return tuple(
        MapPoint(photos[row].path, x, y, label + 1, photos[row].taken_at)
        for row, (x, y), label in columns
        if row in photos  # removed a moment ago
    )
