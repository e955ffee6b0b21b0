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
    """Does things again while a server does not answer, for ten minutes; `tell` hears of that once, and of its end."""

    def __init__(
        self,
        tell: Callable[[str], None],
        *,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tell, self._pause, self._clock = tell, pause, clock

    def __call__(self, work: Callable[[], _T]) -> _T:
        """Return what some work comes to.  Raises LibraryUnreachable when ten minutes are over."""
        ends = None
        for seconds in chain(_PAUSES, repeat(_PAUSE_AFTER)):
            try:
                done = work()
            except LibraryUnreachable:
                if ends is None:
                    ends = self._clock() + SECONDS
                    self._tell(WAITING)
                if self._clock() >= ends:
                    raise
                self._pause(seconds)
                continue
            if ends is not None:
                self._tell(ANSWERS)
            return done
        raise AssertionError
