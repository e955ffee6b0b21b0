"""Owns retrying while a server is unreachable.  An index run does, as starting over costs more; a search doesn't."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import chain, repeat
from typing import TypeVar

from photomap_cli.errors import LibraryReplaced, LibraryUnreachable

SECONDS = 600.0
"""How long an index run waits for its server; a restart of Milvus took up to 107 s."""

_PAUSES = (0.5, 1.0, 2.0)
_PAUSE_AFTER = 5.0
WAITING = "the library's server does not answer; waiting for it for ten minutes"
ANSWERS = "the library's server answers again"

_T = TypeVar("_T")


class Retry:
    """Repeats a request while the server doesn't answer, for up to ten minutes.

    After a wait in vain, or one that was interrupted, each further request is tried once: a run that ends has no
    reason to wait again.

    Args:
        tell: is called with WAITING when a wait begins, and with ANSWERS when the server is back.
        pause: sleeps for a number of seconds.
        clock: in seconds.
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
        """Return what `work` returns.

        Raises LibraryUnreachable if the server is still away after ten minutes; LibraryReplaced at once.
        """
        try:
            done = work()
        except LibraryReplaced:
            raise
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
            except LibraryReplaced:
                raise
            except LibraryUnreachable:
                if self._clock() >= ends:
                    raise
        raise AssertionError
