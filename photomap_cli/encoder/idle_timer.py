"""Owns a residency's timer: it fires at a deadline, or earlier and is set again for the rest."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

LONGEST_DELAY_SECONDS = 86_400.0  # a `threading.Timer` has a limit; it fires early, and is set again for the rest


class Timer(Protocol):
    """The used part of `threading.Timer`, so that tests can pass a manual one."""

    daemon: bool

    def start(self) -> None:
        """Begin to wait."""

    def cancel(self) -> None:
        """Don't fire; has no effect once the callback has begun."""


class IdleTimer:
    """At most one timer at a time.

    Args:
        lock: held by the caller of `aim` and `cancel`; taken when the timer fires.
        clock: seconds.
        timer: makes a timer from a delay in seconds and a callback.
        on_fire: called without the lock; must check again whether the deadline has really come.
    """

    def __init__(
        self,
        lock: AbstractContextManager[object],
        clock: Callable[[], float],
        timer: Callable[[float, Callable[[], None]], Timer],
        on_fire: Callable[[], None],
    ) -> None:
        self._lock, self._clock, self._make, self._on_fire = lock, clock, timer, on_fire
        self._timer: Timer | None = None
        self._due = 0.0

    def aim(self, due: float | None) -> None:
        """Have `on_fire` called at `due` or earlier; None if there is nothing to wait for.

        A later deadline leaves the timer alone: it fires early and is aimed again, which is cheaper than a new thread
        with every query.
        """
        if due is None or (self._timer is not None and self._due <= due):
            return
        self.cancel()
        delay = min(max(0.0, due - self._clock()), LONGEST_DELAY_SECONDS)
        timer = self._make(delay, lambda: self._fire(timer))
        timer.daemon = True  # a finished program must not wait for it
        self._timer, self._due = timer, due
        timer.start()

    def cancel(self) -> None:
        """Cancel the timer; one that has begun to fire finds out under the lock."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _fire(self, timer: Timer) -> None:
        with self._lock:
            if self._timer is not timer:
                return  # cancelled too late; another one may be set
            self._timer = None
        self._on_fire()
