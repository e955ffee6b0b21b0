"""Owns a conversation's state (last query, hits, what was shown) and its requests.  Draws nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from photomap_cli.errors import UsageError
from photomap_cli.records import SearchRequest, SearchResult, Timings
from photomap_cli.records.browse import BrowseRequest
from photomap_cli.records.maps import GroupRequest
from photomap_cli.search.query import shortened

if TYPE_CHECKING:
    from rich.console import Console

    from photomap_cli.records import Hit, IndexReport
    from photomap_cli.records.browse import BrowseOutcome
    from photomap_cli.records.maps import MapCluster, MapRequest, PhotoMap
    from photomap_cli.repl.connection import Connection
    from photomap_cli.repl.frontend import Frontend, T
    from photomap_cli.session.backend import Backend

    Index = Callable[[Backend, Sequence[Path]], tuple[bool, IndexReport]]  # (whether it was interrupted, what was done)


MAX_LIMIT = 10_000
_LIKE = re.compile(r"like\s+#?(\d+)(?=\s*$|\s+[-+–−]|\s+-?\w+:)", re.IGNORECASE)


class SearchState:
    """One conversation with a backend.

    Attributes:
        limit: hits per search.
        folder, collapse, min_score, sort: as in `SearchRequest`.
        prewarm: whether to load the encoder as soon as typing starts.
        keys: how the prompt's keys work, "emacs" or "vi".
        query_text: the text of the current or last query; error positions refer to it.
        shown: the numbered hits of the last search that found any; `#N` refers to these, even if they are on no
            page yet.
        index: brings folders up to date, with the backend's encoder if that is in this process; None for nothing.
        marks: photos marked for later, by path, in the order of marking; they outlast queries.
        knows_elsewhere: whether the user was told that the whole library is searched, as this folder isn't part of it.
        drawn, map_request: the last map and its request; `:map B` refers to its groups.
        found, queries: hits and answered queries since the start.
    """

    def __init__(
        self,
        connection: Connection,
        front: Frontend,
        *,
        cwd: Path,
        limit: int,
        pages_ahead: int = 1,
        index: Index | None = None,
    ) -> None:
        self.connection, self.front = connection, front
        self.cwd, self.limit, self.index = cwd, limit, index
        self.folder: str | None = None
        self.collapse: bool | None = None
        self.min_score: float | Literal["auto"] = "auto"
        self.sort = "score"
        self.prewarm, self.keys = False, "emacs"
        self.query_text = ""
        self.shown: tuple[Hit, ...] = ()
        self.marks: dict[str, Hit] = {}
        self.drawn: PhotoMap | None = None
        self.map_request: MapRequest | None = None
        self.found = self.queries = 0
        self._pages_ahead = pages_ahead
        self._paged = 0  # how many of those have been on a page
        self._last_query: SearchRequest | None = None  # `_request` is the one whose results are shown
        self._request: SearchRequest | None = None
        self._result: SearchResult | None = None
        self.knows_elsewhere = False

    @property
    def console(self) -> Console:
        """The console that commands print on."""
        return self.front.console

    @property
    def references(self) -> tuple[str, ...]:
        """The paths that `#1`, `#2`, ... refer to."""
        return tuple(hit.path for hit in self.shown)

    def hit(self, number: int) -> Hit:
        """Return a hit of the last search that found any by its number on the screen."""
        if 1 <= number <= len(self.shown):
            return self.shown[number - 1]
        last = f"the last search showed {len(self.shown)}" if self.shown else self._why_nothing
        raise UsageError(f"there is no result {number}", hint=last)

    def require_shown(self) -> tuple[Hit, ...]:
        """Return the hits shown; raises UsageError if there are none."""
        if not self.shown:
            raise UsageError("there are no results", hint=self._why_nothing)
        return self.shown

    @property
    def _why_nothing(self) -> str:
        return "the last search found nothing" if self._last_query else "search for something first"

    def shown_result(self) -> SearchResult:
        """Return the last result with the hits shown so far, of which there is at least one."""
        shown = self.require_shown()
        assert self._result is not None
        return replace(self._result, hits=shown, cursor=None)

    def result_of(self, hits: Sequence[Hit]) -> SearchResult:
        """Return a result with these hits, ranked in this order; marked hits may come from several searches."""
        ranked = tuple(replace(hit, rank=rank) for rank, hit in enumerate(hits, 1))
        last = self._result or SearchResult(self.query_text, "", 0.0, "", Timings(), ())
        return replace(last, hits=ranked, cursor=None)

    def browse_request(self, text: str) -> BrowseRequest:
        """Return what the gallery starts with: a query, else the last one, else all photos."""
        last = self._request if self._request is not None and self.shown and not text else None
        search = SearchRequest(
            text=last.text if last else text,
            cwd=str(self.cwd),
            references=last.references if last else self.references,
            folder=self.folder,
            min_score=None if self.min_score == "auto" else self.min_score,
            collapse=self.collapse,
        )
        return BrowseRequest(search, tuple(self.marks.values()))

    def adopt(self, outcome: BrowseOutcome, request: BrowseRequest) -> None:
        """Take over the gallery's marks, and its results if they are new."""
        self.marks = {hit.path: hit for hit in outcome.marks}
        hits = tuple(replace(hit, rank=rank) for rank, hit in enumerate(outcome.hits[:MAX_LIMIT], 1))
        if hits and [hit.path for hit in hits[: len(self.shown)]] != list(self.references):
            status = self.connection.ask(lambda backend: backend.status())
            made_by = None if outcome.is_list else "encoder"
            self._request = replace(request.search, text=outcome.query, limit=len(hits), references=())
            self._result = SearchResult(
                outcome.query, status.encoder, 0.0, "local", Timings(), hits, encoded_by=made_by
            )
            self.shown, self._paged = (), 0
            self._show_page()
        if self.marks:
            self.front.tell(f"{len(self.marks):,} marked")

    def follow_moves(self, places: Mapping[str, str]) -> None:
        """Update results and marks whose photos were moved, from old paths to new ones."""

        def followed(hits: Iterable[Hit]) -> tuple[Hit, ...]:
            return tuple(replace(hit, path=places.get(hit.path, hit.path)) for hit in hits)

        self.shown, self.marks = followed(self.shown), {hit.path: hit for hit in followed(self.marks.values())}
        if self._result is not None:
            self._result = replace(self._result, hits=followed(self._result.hits))

    def ask(self, text: str) -> None:
        """Search for `text` and show the first page; `more 3` and `less 5` search for the last query, refined."""
        text = self._refined(text) or like_as_reference(text)
        self._search(SearchRequest(text=text, cwd=str(self.cwd), references=self.references))

    def _refined(self, line: str) -> str:
        """Return the last query refined by feedback on results; empty if the line isn't feedback."""
        from photomap_cli.search import relevance_feedback  # not at the first prompt

        feedback = relevance_feedback.parse_feedback(line)
        if not feedback:
            return ""
        if self._request is None:
            raise UsageError("there is no search to refine", hint=f'"{line}" in quotes searches for these words')
        text = relevance_feedback.refined(self._request, feedback, lambda number: self.hit(number).path)
        self.front.tell(f"now: {text}")
        return text

    def explained(self, path: str) -> Hit:
        """Return a shown hit with what each term adds to its score."""
        if self._request is None:
            raise UsageError("these photos are a map group, not search results", hint="search for something")
        if self.shown_result().is_list:
            raise UsageError("filters alone found these photos, so they have no scores", hint="search for something")
        if not self._shown_at(path).terms:
            explained = replace(self._request, explain=True)
            terms = {hit.path: hit.terms for hit in self.request(lambda backend: backend.search(explained)).hits}
            self.shown = tuple(replace(hit, terms=terms.get(hit.path, ())) for hit in self.shown)
        if not self._shown_at(path).terms:
            raise UsageError(f"{path} is no longer found", hint=":again repeats the search")
        return self._shown_at(path)

    def _shown_at(self, path: str) -> Hit:
        return next(hit for hit in self.shown if hit.path == path)

    def portable_query(self) -> str:
        """Return the last query, rewritten to mean the same in another folder and after other searches."""
        from photomap_cli.search import saved_searches  # not at the first prompt

        if self._last_query is None:
            raise UsageError("there is no search to save", hint="search for something first")
        return saved_searches.portable(
            self._last_query.text, cwd=self._last_query.cwd, references=self._last_query.references
        )

    def again(self) -> None:
        """Repeat the last query, with the current folder and page length."""
        if self._last_query is None:
            raise UsageError("there is no search to repeat", hint="search for something first")
        self._search(self._last_query)

    def _search(self, request: SearchRequest) -> None:
        min_score = None if self.min_score == "auto" else self.min_score
        ahead = self._pages_ahead if self.sort == "score" else 1  # with more hits, the newest would be others
        limit = min(MAX_LIMIT, self.limit * ahead)
        request = replace(request, limit=limit, folder=self.folder, min_score=min_score, collapse=self.collapse)
        request = replace(request, sort=self.sort)
        result = self._answer(request)
        self._last_query = request
        self.queries += 1
        self.found += len(result.hits)
        if not result.hits and self.shown:
            self._show_nothing(result)
            return
        self._request, self._result, self.shown, self._paged = request, result, (), 0
        self._show_page()

    def list_group(self, cluster: MapCluster, words: str) -> None:
        """Show the photos of a group of the last map as results; `words` describe the wait."""
        assert self.map_request is not None
        request = GroupRequest(self.map_request, cluster)
        result = self.request(lambda backend: backend.group(request), words)
        self._request, self._result, self.shown, self._paged = None, result, (), 0
        self.found += len(result.hits)
        self._show_page()

    def _show_nothing(self, result: SearchResult) -> None:
        """Tell that nothing was found; earlier results keep their numbers."""
        assert self._result is not None
        self.front.show(result, total=0, more=False)
        still = "#1 is still the result" if len(self.shown) == 1 else f"#1 to #{len(self.shown)} are still the results"
        self.front.tell(f'{still} of "{shortened(self._result.query)}"')

    def more(self) -> None:
        """Show the next page of the last search, fetching more results once all were shown."""
        if self._result is None:
            raise UsageError("there is nothing to show more of", hint="search for something first")
        while self._paged == len(self.shown) and not self._unseen() and self._may_have_more():
            self._request = self._further(self._result)
            self._result = self._answer(self._request)
        if self._paged < len(self.shown) or self._unseen():
            self._show_page()
        else:
            self.front.tell("no more results")

    def _further(self, result: SearchResult) -> SearchRequest:
        """Return the request for what follows a result: the next page of a list, else more of the best."""
        assert self._request is not None
        if result.is_list:
            return replace(self._request, cursor=result.cursor)
        limit = 2 * max(len(self.shown), len(result.hits)) + self.limit
        return replace(self._request, limit=min(MAX_LIMIT, limit))

    def _unseen(self) -> tuple[Hit, ...]:
        """Return the fetched hits without a number that aren't collapsed with a numbered one.

        By path, not by rank: photos may have come and gone since the last page.
        """
        assert self._result is not None
        seen = {path for hit in self.shown for path in (hit.path, *hit.collapsed)}
        return tuple(hit for hit in self._result.hits if seen.isdisjoint((hit.path, *hit.collapsed)))

    def _may_have_more(self) -> bool:
        """Return whether the backend may have more results than were asked for; a map group is complete."""
        if self._request is None:
            return False
        assert self._result is not None
        if self._result.is_list:
            return self._result.cursor is not None
        fetched = len(self._result.hits)
        return fetched == self._request.limit and fetched < MAX_LIMIT

    def _answer(self, request: SearchRequest) -> SearchResult:
        self.query_text = request.text
        result = self.request(lambda backend: backend.search(request))
        is_known = result.searched_elsewhere and self.knows_elsewhere
        for notice in result.notices[1:] if is_known else result.notices:
            self.front.tell(notice)
        self.knows_elsewhere = result.searched_elsewhere
        return result

    def request(self, question: Callable[[Backend], T], words: str = "") -> T:
        """Ask the backend anything; the user sees progress and can stop waiting."""
        try:
            return self.front.wait(lambda: self.connection.ask(question), words)
        finally:
            for note in self.connection.drain_notices():
                self.front.tell(note)

    def _show_page(self) -> None:
        """Show the numbered hits that were on no page yet; if there are none, number some more."""
        assert self._result is not None
        if self._paged == len(self.shown):
            new = enumerate(self._unseen()[: self.limit], len(self.shown) + 1)
            self.shown = (*self.shown, *(replace(hit, rank=rank) for rank, hit in new))
        left = self.shown[self._paged :]
        more = bool(left) and (self._may_have_more() or bool(self._unseen()))
        self._paged += self.front.show(replace(self._result, hits=left), total=len(self.shown), more=more)


def like_as_reference(text: str) -> str:
    """Rewrite `like 3` as `#3`, also before operators and filters.

    Example:
        `like 3 + snow` becomes `#3 + snow`; `like 3 dogs` stays text.
    """
    match = _LIKE.match(text)
    return f"#{match[1]}{text[match.end() :]}" if match else text
