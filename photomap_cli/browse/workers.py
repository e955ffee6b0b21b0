"""Owns the threads of searches and actions: the newest search wins, and one action runs at a time.  Draws nothing."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from photomap_cli import cancellation
from photomap_cli.browse.events import (
    Counted,
    CountMonths,
    Explain,
    Explained,
    Failed,
    Found,
    Known,
    LookUp,
    Search,
    Told,
)
from photomap_cli.browse.state import MOST_RESULTS
from photomap_cli.browse.timeline import months_of
from photomap_cli.errors import PhotomapError, UsageError
from photomap_cli.views.errors import error_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from photomap_cli.browse.events import Event
    from photomap_cli.records import Hit, SearchRequest, SearchResult
    from photomap_cli.repl.connection import Connection

    Question = Search | LookUp | Explain | CountMonths


class SearchWorker:
    """Asks the backend one question at a time.

    Only the newest waiting search is asked.  A running one is given up where it can stop without harm, and
    its answer dropped; an encode is never interrupted, as the next search needs the encoder too.

    Args:
        connection: the way to the backend.
        request: what every search has in common.
        post: receives the outcome, on this thread.
    """

    def __init__(self, connection: Connection, request: SearchRequest, post: Callable[[Event], None]) -> None:
        self._connection, self._request, self._post = connection, request, post
        self._changed = threading.Condition()  # for all that follows
        self._search: Search | None = None
        self._others: list[Question] = []
        self._given_up = threading.Event()
        self._is_closed = False
        self._thread = threading.Thread(target=self._work, name="photomap-browse", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def ask(self, question: Question) -> None:
        """Queue a question; a search replaces earlier ones."""
        with self._changed:
            if isinstance(question, Search):
                self._search = question
                self._given_up.set()
            else:  # of these, too, only the last of each kind is wanted
                self._others = [each for each in self._others if type(each) is not type(question)]
                self._others.append(question)
            self._changed.notify()

    def close(self) -> None:
        """Ask nothing more; a running question ends by itself."""
        with self._changed:
            self._is_closed = True
            self._given_up.set()
            self._changed.notify()

    def _work(self) -> None:
        while (question := self._next()) is not None:
            try:
                with cancellation.wanted_until(self._given_up):
                    self._post(self._answer(question))
            except cancellation.Cancelled:
                continue
            except Exception as error:
                self._fail(question, error)

    def _next(self) -> Question | None:
        with self._changed:
            while not (self._search or self._others or self._is_closed):
                self._changed.wait()
            if self._is_closed:
                return None
            self._given_up = threading.Event()
            if self._search is not None:
                question, self._search = self._search, None
                return question
            return self._others.pop(0)

    def _fail(self, question: Question, error: Exception) -> None:
        known = error if isinstance(error, PhotomapError) else UsageError(error_line(error), hint="try again")
        if isinstance(question, Search):
            self._post(Failed(question, known))
        elif not isinstance(question, LookUp):  # facts that are not known are not shown
            self._post(Told(error_line(known), is_error=True, is_done=False))

    def _answer(self, question: Question) -> Event:
        match question:
            case Search():
                return self._found(question)
            case LookUp(path):
                return Known(self._connection.ask(lambda backend: backend.details(path)))
            case Explain():
                return self._explained(question)
            case CountMonths():
                return self._counted(question)

    def _found(self, search: Search) -> Found:
        result = self._asked(search.query, search.limit, cursor=search.cursor, is_draft=search.is_draft)
        is_complete = result.cursor is None if result.is_list else len(result.hits) < search.limit
        notices = (*self._connection.drain_notices(), *result.notices)
        return Found(search, result.hits, result.is_list, result.cursor, is_complete, notices)

    def _explained(self, question: Explain) -> Explained:
        result = self._asked(question.query, question.limit, explain=True)
        hit = next((hit for hit in result.hits if hit.path == question.path), None)
        return Explained(question.path, hit.score or 0.0 if hit else 0.0, hit.terms if hit else ())

    def _counted(self, question: CountMonths) -> Counted:
        """Count the months of all results, page by page for a list."""
        hits: list[Hit] = []
        cursor = None
        while True:
            result = self._asked(question.query, MOST_RESULTS, cursor=cursor)
            hits += result.hits
            cursor = result.cursor
            if cursor is None:
                return Counted(question.generation, months_of(hits))

    def _asked(
        self, query: str, limit: int, *, cursor: str | None = None, is_draft: bool = False, explain: bool = False
    ) -> SearchResult:
        request = replace(
            self._request,
            text=query,
            limit=limit,
            cursor=cursor,
            sort="score" if query else "date",
            explain=explain,
            is_draft=is_draft,
        )
        return self._connection.ask(lambda backend: backend.search(request))
