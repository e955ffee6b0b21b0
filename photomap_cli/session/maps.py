"""Owns a session's maps, drawn one at a time.  Searches go on meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from photomap_cli.encoder.encoder_route import CACHE
from photomap_cli.errors import UsageError
from photomap_cli.records import Hit, SearchResult, Timings
from photomap_cli.search.saved_searches import parse_filters
from photomap_cli.session.fair_lock import FairLock

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from photomap_cli.library.store import Facts
    from photomap_cli.map.builder import MapBuilder
    from photomap_cli.records import Photo
    from photomap_cli.records.maps import GroupRequest, MapRequest, PhotoMap
    from photomap_cli.search.scope import Scope


class Maps:
    """Draws maps of one library, and lists their groups.  Any thread may use it.

    Args:
        catalog, scope: the library and where searches look.
        turns: the session's lock, held while the library is read.
        refresh: called with the lock held, before the library is read.
        spec: the encoder's spec string.
        encode: encodes possible names of groups; returns (n, dim) float32 rows of unit length.
    """

    def __init__(
        self,
        catalog: Facts,
        scope: Scope,
        turns: FairLock,
        refresh: Callable[[], None],
        *,
        spec: str,
        encode: Callable[[Sequence[str]], NDArray[np.float32]],
    ) -> None:
        self._catalog, self._scope, self._turns = catalog, scope, turns
        self._refresh, self._spec, self._encode = refresh, spec, encode
        self._drawings = FairLock()
        self._drawing: MapBuilder | None = None

    @cached_property
    def builder(self) -> MapBuilder:
        """The builder of the maps."""
        from photomap_cli.map.builder import MapBuilder

        return MapBuilder(self._catalog, spec=self._spec, encode=self._encode)

    def progress(self) -> str:
        """Return the progress of a map being drawn; empty if none is.  Never waits."""
        drawing = self._drawing
        return drawing.stage if drawing else ""

    def draw(self, request: MapRequest, checkpoint: Callable[[], None]) -> PhotoMap:
        """Lay photos out; arguments and errors are those of `Session.map`."""
        with self._drawings.turn(checkpoint):
            try:
                drawn, notices = self._catalog.of_one_numbering(lambda: self._drawn(request, checkpoint))
            finally:
                self._drawing = None
        return replace(drawn, notices=(*notices, *drawn.notices))

    def group(self, request: GroupRequest, checkpoint: Callable[[], None]) -> SearchResult:
        """List a group's photos; arguments and errors are those of `Session.group`."""
        started, cluster = time.perf_counter(), request.cluster
        with self._drawings.turn(checkpoint):
            there = self._catalog.of_one_numbering(lambda: self._members(request, checkpoint))
        if len(there) != cluster.count or not {photo.path for photo, _ in there}.issuperset(cluster.representatives):
            raise UsageError("the library has changed since this map was drawn", hint="`:map` draws it again")
        elapsed_ms = 1e3 * (time.perf_counter() - started)
        return SearchResult(
            query=cluster.name,
            encoder=self._spec,
            elapsed_ms=elapsed_ms,
            served_by="local",
            timings_ms=Timings(search=elapsed_ms),
            hits=tuple(
                Hit(rank, photo.path, score, photo.taken_at, photo.width, photo.height)
                for rank, (photo, score) in enumerate(there, 1)
            ),
            encoded_by=CACHE,
        )

    def _drawn(self, request: MapRequest, checkpoint: Callable[[], None]) -> tuple[PhotoMap, tuple[str, ...]]:
        rows, notices = self._photos(request, checkpoint)
        self._drawing = self.builder
        return self.builder.draw(rows, request.clusters, checkpoint), notices

    def _members(self, request: GroupRequest, checkpoint: Callable[[], None]) -> list[tuple[Photo, float]]:
        """Return a group's photos that are still there, and how near each is to the group's middle."""
        rows, _ = self._photos(request.map, checkpoint)
        members = self.builder.members(rows, request.map.clusters, request.cluster.id, checkpoint)
        photos = {photo.row: photo for photo in self._catalog.photos([row for row, _ in members])}
        return [(photos[row], score) for row, score in members if row in photos]

    def _photos(self, request: MapRequest, checkpoint: Callable[[], None]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Return the rows of a map's photos, and notices.

        They say that the map shows the whole library, or only a sample of the requested photos.
        """
        filters = parse_filters(request.filters, cwd=request.cwd, library=self._catalog.folder)
        with self._turns.turn(checkpoint):
            self._refresh()
            within = self._scope.within(filters, cwd=request.cwd, folder=request.folder)
            rows, count = self._catalog.spread(within, checkpoint=checkpoint)
            elsewhere = self._scope.elsewhere(filters, doing="drawing", cwd=request.cwd, folder=request.folder)
        some = "" if len(rows) == count else f"the map shows {len(rows):,} of {count:,} photos, spread evenly"
        return rows, tuple(filter(None, (elsewhere, some)))
