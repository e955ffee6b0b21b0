"""Owns lists: photos that filters alone leave, newest first, a page at a time.  Knows no scores."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from photomap_cli.errors import UsageError
from photomap_cli.records import Hit, SearchResult, Timings

if TYPE_CHECKING:
    from photomap_cli.library.store import Facts
    from photomap_cli.records import Photo, SearchRequest
    from photomap_cli.search.query import Query
    from photomap_cli.search.scope import Scope
    from photomap_cli.settings import Settings

    Group = list[Photo]  # the first represents all of them

NO_SCORES = "filters alone give no scores, so there is nothing to explain"
NO_LOWEST = "filters alone give no scores, so the lowest score shown has no effect"
_CURSOR = re.compile(r"(\d{4}-\S{1,20}) (-?\d{1,19})", re.ASCII)
_READ_AHEAD = 256  # photos read at a time to be collapsed


class Lister:
    """Answers queries without terms.  One thread at a time."""

    def __init__(self, catalog: Facts, scope: Scope, *, spec: str, settings: Settings) -> None:
        self._catalog, self._scope, self._spec, self._settings = catalog, scope, spec, settings

    def page(self, query: Query, request: SearchRequest, checkpoint: Callable[[], None] = lambda: None) -> SearchResult:
        """Return a page of the photos that meet the query's filters within the scope, newest first.

        `checkpoint` is called repeatedly; an exception from it ends the call.

        Raises:
            BadPath: the folder to search doesn't exist.
            UsageError: the cursor isn't from a result.
        """
        started = time.perf_counter()
        limit = request.limit or self._settings.results
        groups = self._groups(query, request, limit + 1, checkpoint)
        page, has_more = groups[:limit], len(groups) > limit
        elapsed_ms = 1e3 * (time.perf_counter() - started)
        elsewhere = self._scope.elsewhere(query.filters, cwd=request.cwd, folder=request.folder, doing="searching")
        nothing = () if page or request.cursor else self._scope.why_nothing(query.filters, request, len(page))
        no_scores = NO_SCORES if request.explain else ""
        no_lowest = "" if request.min_score in (None, self._settings.min_score) else NO_LOWEST
        return SearchResult(
            query=request.text,
            encoder=self._spec,
            elapsed_ms=elapsed_ms,
            served_by="local",
            timings_ms=Timings(search=elapsed_ms),
            hits=tuple(_hit(rank, group) for rank, group in enumerate(page, 1)),
            encoded_by=None,
            notices=(*filter(None, (elsewhere, no_scores, no_lowest)), *nothing),
            searched_elsewhere=bool(elsewhere),
            cursor=_cursor(page[-1][-1]) if has_more else None,
        )

    def _groups(self, query: Query, request: SearchRequest, most: int, checkpoint: Callable[[], None]) -> list[Group]:
        """Return the photos, each with the following shots that it represents."""
        filters = self._scope.within(query.filters, cwd=request.cwd, folder=request.folder)
        behind = _place(request.cursor) if request.cursor is not None else None
        if not (self._settings.collapse if request.collapse is None else request.collapse):
            photos = self._catalog.newest(filters, limit=most, behind=behind, checkpoint=checkpoint)
            return [[photo] for photo in photos]

        def pages() -> Iterator[list[Photo]]:
            place = behind
            while photos := self._catalog.newest(filters, limit=_READ_AHEAD, behind=place, checkpoint=checkpoint):
                yield photos
                place = photos[-1].dated_at, photos[-1].row

        return self._collapsed(pages(), most)

    def _collapsed(self, pages: Iterator[list[Photo]], most: int) -> list[Group]:
        """Return the first groups of consecutive shots that resemble the newest of each."""
        groups: list[Group] = []
        leader = None
        for photos in pages:
            vectors = self._catalog.vectors([photo.row for photo in photos])
            for photo in photos:
                vector = vectors.get(photo.row)
                if vector is None:  # gone by now
                    continue
                if leader is not None and float(leader @ vector) >= self._settings.same_shot_score:
                    groups[-1].append(photo)
                elif len(groups) == most:
                    return groups
                else:
                    leader = vector
                    groups.append([photo])
        return groups


def _hit(rank: int, group: Group) -> Hit:
    photo, *others = group
    behind = tuple(each.path for each in others)
    return Hit(rank, photo.path, None, photo.taken_at, photo.width, photo.height, behind)


def _cursor(photo: Photo) -> str:
    return f"{photo.dated_at} {photo.row}"


def _place(cursor: str) -> tuple[str, int]:
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise UsageError(f"{cursor[:40]!r} is not where a list goes on", hint="ask for its first page")
    return match[1], int(match[2])
