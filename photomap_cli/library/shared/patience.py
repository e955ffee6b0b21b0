"""Owns waiting for a server that has gone: an index run does, as starting again costs more; a search does not."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import chain, repeat
from typing import TypeVar

from photomap_cli.errors import LibraryUnreachable

SECONDS = 600.0
"""So long a run waits: a restart took up to 107 s."""

_PAUSES = (0.5, 1.0, 2.0)
_PAUSE_AFTER = 5.0
WAITING = "the library's server does not answer; waiting for it for ten minutes"
ANSWERS = "the library's server answers again"

_T = TypeVar("_T")


class Patience:
    """Does things again while a server does not answer, for ten minutes; `tell` hears of that once, and of its end.

    Who has waited in vain, or was interrupted in it, waits no more: what is left to do at the end of a run is tried
    once.
    """

    def __init__(
        self,
        tell: Callable[[str], None],
        *,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tell, self._pause, self._clock = tell, pause, clock
        self._has_ended = False

    def __call__(self, work: Callable[[], _T]) -> _T:
        """Return what some work comes to.  Raises LibraryUnreachable when ten minutes are over."""
        try:
            done = work()
        except LibraryUnreachable:
            if self._has_ended:
                raise
            done = self._waited(work)
        self._has_ended = False
        return done

    def _waited(self, work: Callable[[], _T]) -> _T:
        self._tell(WAITING)
        try:
            done = self._again(work, self._clock() + SECONDS)
        except BaseException:  # Ctrl-C too
            self._has_ended = True
            raise
        self._tell(ANSWERS)
        return done

    def _again(self, work: Callable[[], _T], ends: float) -> _T:
        for seconds in chain(_PAUSES, repeat(_PAUSE_AFTER)):
            self._pause(seconds)
            try:
                return work()
            except LibraryUnreachable:
                if self._clock() >= ends:
                    raise
        raise AssertionError
