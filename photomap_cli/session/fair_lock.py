"""Owns a fair lock: it goes to the thread that has waited longest, and waiting can be given up."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LOOK_SECONDS = 0.1


class FairLock:
    """A first come, first served lock; a `threading.Lock` may go to the same thread again and again.

    Args:
        look_seconds: how often a waiting thread calls its checkpoint.
    """

    def __init__(self, *, look_seconds: float = LOOK_SECONDS) -> None:
        self._look_seconds = look_seconds
        self._lock = threading.Lock()
        self._queue: deque[threading.Event] = deque()

    @property
    def waiting(self) -> int:
        """How many threads wait, not counting the one whose turn it is."""
        return max(0, len(self._queue) - 1)

    @property
    def is_taken(self) -> bool:
        """Whether a thread has the lock."""
        return bool(self._queue)

    @contextmanager
    def turn(self, checkpoint: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Run the block once all earlier threads have had their turn.

        Args:
            checkpoint: called while waiting and once before the block; an exception from it gives up the turn.
        """
        called = threading.Event()
        try:
            with self._lock:
                self._queue.append(called)
                self._queue[0].set()
            while not called.wait(self._look_seconds):
                checkpoint()
            checkpoint()
            yield
        finally:
            with self._lock:
                if called in self._queue:  # a Ctrl-C may come before
                    self._queue.remove(called)
                if self._queue:
                    self._queue[0].set()
