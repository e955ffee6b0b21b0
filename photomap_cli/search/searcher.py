"""Owns answering a query: terms -> vectors -> rows -> photos.  Takes no locks, draws nothing.

A query of filters alone goes to `listing.py`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from photomap_cli.encoder import models
from photomap_cli.errors import UsageError
from photomap_cli.records import Hit, SearchResult, TermPart, Timings
from photomap_cli.search import collapse, query_format, quote_suggestion, ranking
from photomap_cli.search.filter_values import WHOLE_LIBRARY
from photomap_cli.search.listing import Lister
from photomap_cli.search.query_encoder import QueryEncoder, Run, TermVectors
from photomap_cli.search.query_images import Fetched, QueryImages
from photomap_cli.search.scope import Scope
from photomap_cli.search.score_cutoff import NOTHING_STANDS_OUT, ScoreBulk, bulk_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from photomap_cli.encoder.encoder_route import EncoderRoutes
    from photomap_cli.encoder.residency import Residency
    from photomap_cli.library.store import Facts, Searches
    from photomap_cli.records import Photo, PhotoFilter, SearchRequest
    from photomap_cli.search.query import Query
    from photomap_cli.search.vector_cache import VectorCache
    from photomap_cli.settings import Settings

    Group = list[tuple[int, float]]  # rows with their cosines; the first represents the others


class Searcher:
    """Answers queries over one library with one encoder.  One thread at a time."""

    def __init__(
        self,
        catalog: Facts,
        vectors: Searches,
        residency: Residency,
        recall: VectorCache,
        *,
        routes: EncoderRoutes,
        spec: str,
        settings: Settings,
    ) -> None:
        self._catalog, self._vectors, self._residency = catalog, vectors, residency
        self._spec, self._settings = spec, settings
        self.scope = Scope(catalog)
        self._lister = Lister(catalog, self.scope, spec=spec, settings=settings)
        self.pictures = QueryImages(settings)
        self._terms = QueryEncoder(catalog, routes, recall, self.pictures, self.scope, template=settings.text_template)

    def search(
        self,
        query: Query,
        request: SearchRequest,
        checkpoint: Callable[[], None] = lambda: None,
        *,
        fetched: Fetched | None = None,
    ) -> SearchResult:
        """Answer one query; the request says where to look and how much to return.

        `checkpoint` is called wherever a query may take long; an exception from it ends the search.
        `fetched` is the result of `pictures.fetch` for the query; without it the pictures are downloaded here.

        Raises:
            BadQuery, BadImage: with the place of the mistake.
            BadPath: the folder to search doesn't exist.
            UsageError: the request has a cursor, but this isn't a list.
            PhotomapError: the encoder could not be loaded.
        """
        if not query.terms:
            return self._lister.page(query, request, checkpoint)
        if request.cursor is not None:
            raise UsageError("a search by score has no pages", hint="ask for more results instead")
        started = time.perf_counter()
        run = Run(checkpoint, fetched or self.pictures.fetch(query, checkpoint), is_draft=request.is_draft)
        terms = self._terms.vectors(query, request.references, run)
        run.checkpoint()
        searching = time.perf_counter()
        hits, notices = self._hits(query, request, terms, run.checkpoint)
        now = time.perf_counter()
        elsewhere = self.scope.elsewhere(query.filters, cwd=request.cwd, folder=request.folder, doing="searching")
        on_the_cpu = f"{run.refusal}: this search ran on the CPU" if run.refusal else ""
        told = filter(None, (elsewhere, *terms.notices, on_the_cpu))
        return SearchResult(
            query=request.text,
            encoder=self._spec,
            elapsed_ms=1e3 * (now - started) + (fetched.elapsed_ms if fetched else 0.0),
            served_by="local",
            timings_ms=Timings(run.load, run.reload, run.encode, 1e3 * (now - searching), run.cache),
            hits=hits,
            encoded_by=run.encoded_by,
            notices=(*told, *self._residency.drain_notices(), *notices, *self._vectors.drain_notices()),
            searched_elsewhere=bool(elsewhere),
        )

    def _hits(
        self, query: Query, request: SearchRequest, terms: TermVectors, checkpoint: Callable[[], None]
    ) -> tuple[tuple[Hit, ...], tuple[str, ...]]:
        """Return the hits and notices about them."""
        vector, floor = ranking.combine(terms.vectors, terms.weights), self._floor(query, request)
        bulk = bulk_of(self._vectors, vector) if floor is None else None
        within = self.scope.within(query.filters, cwd=request.cwd, folder=request.folder)
        best = partial(
            ranking.best,
            self._vectors,
            vector,
            min_score=-1.0 if floor is None else floor,
            within=within,
            without=terms.own_rows,
            exact=request.exact,
            checkpoint=checkpoint,
        )
        groups = self._groups(lambda most: _outstanding(best(limit=most), bulk), request, checkpoint)
        rows = [row for group in groups for row, _ in group]
        photos = {photo.row: photo for photo in self._catalog.photos(rows)}
        explained = self._explained(terms, rows, request.cwd, checkpoint) if request.explain else {}
        shown = [group for group in groups if group[0][0] in photos]
        doubtful = bulk is not None and bool(shown) and not bulk.has_outstanding(shown[0])
        if request.sort == "date":
            shown.sort(key=lambda group: photos[group[0][0]].dated_at, reverse=True)
        hits = tuple(_hit(rank, group, photos, explained) for rank, group in enumerate(shown, 1))
        if not hits:
            is_chosen = query.min_score is not None or request.min_score is not None  # who chose it knows
            best_score = () if is_chosen else _below_floor(floor, best)
            count = self._catalog.count(within, checkpoint)
            return hits, (
                *self._quotes_needed(request),
                *best_score,
                *self.scope.why_nothing(query.filters, request, count),
            )
        return hits, (NOTHING_STANDS_OUT,) if doubtful else ()

    def _quotes_needed(self, request: SearchRequest) -> tuple[str, ...]:
        """Return a notice if a filter's value may have lost its quotes."""

        def finds(one: PhotoFilter) -> bool:
            return self._catalog.count(self.scope.within((one,), cwd=request.cwd, folder=WHOLE_LIBRARY)) > 0

        meant = quote_suggestion.quoted_filter(request.text, cwd=request.cwd, finds=finds)
        return (f"did you mean {meant}? In a shell, write '{meant}'",) if meant else ()

    def _explained(
        self, terms: TermVectors, rows: list[int], cwd: str, checkpoint: Callable[[], None]
    ) -> dict[int, tuple[TermPart, ...]]:
        """Return what each term adds to the scores of these rows."""
        words = [query_format.body(term, cwd=cwd) for term in terms.terms]

        def explain(photo: NDArray[np.float32]) -> tuple[TermPart, ...]:
            checkpoint()
            parts = ranking.parts(terms.vectors, terms.weights, photo)
            return tuple(
                TermPart(word, weight, cosine, part)
                for word, weight, (cosine, part) in zip(words, terms.weights, parts, strict=True)
            )

        query, vectors = ranking.combine(terms.vectors, terms.weights), self._catalog.vectors(rows)
        for row, sides in self._catalog.sides(rows).items():  # a panorama's nearest vector is explained
            vectors[row] = max((vectors[row], *sides), key=lambda vector: float(vector @ query))
        return {row: explain(vector) for row, vector in vectors.items()}

    def _groups(
        self, best: Callable[[int], list[tuple[int, float]]], request: SearchRequest, checkpoint: Callable[[], None]
    ) -> list[Group]:
        """Return the hits, each followed by those it represents."""
        limit = request.limit or self._settings.results
        if not (self._settings.collapse if request.collapse is None else request.collapse):
            return [[hit] for hit in best(limit)]
        threshold = self._settings.same_shot_score
        vectors = self._catalog.vectors
        return collapse.collapsed(best, vectors, limit=limit, threshold=threshold, checkpoint=checkpoint)

    def _floor(self, query: Query, request: SearchRequest) -> float | None:
        """Return the lowest score to show: the query's, else the request's, else the setting's, else the encoder's."""
        for chosen in (query.min_score, request.min_score, self._settings.min_score):
            if chosen is not None and chosen != "auto":
                return chosen
        return models.score_floor(self._spec)


def _below_floor(floor: float | None, best: Callable[..., Group]) -> tuple[str, ...]:
    """Return a notice if all scores are below the lowest one shown: the best score, and how to see it."""
    found = best(limit=1, min_score=-1.0) if floor is not None else []
    if not found:
        return ()
    score = found[0][1]
    shown = max(-1.0, math.floor(100 * score) / 100)
    return (f"the best match scores {score:.2f}, below the lowest score shown, {floor:g}; min:{shown:g} shows it",)


def _outstanding(hits: Group, bulk: ScoreBulk | None) -> Group:
    return hits if bulk is None else bulk.outstanding(hits)


def _hit(rank: int, group: Group, photos: dict[int, Photo], explained: dict[int, tuple[TermPart, ...]]) -> Hit:
    """Return the first of a group as a hit; the others are those that still exist."""
    (row, score), *others = group
    photo, behind = photos[row], tuple(photos[other].path for other, _ in others if other in photos)
    terms = explained.get(row, ())
    cosine = max(-1.0, min(score, 1.0))  # fp16 rows aren't quite of unit length
    return Hit(rank, photo.path, cosine, photo.taken_at, photo.width, photo.height, behind, terms)
