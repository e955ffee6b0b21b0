"""Owns whether a thread's work is still wanted: after Ctrl-C at the prompt it isn't.  Light."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading

_given_up: ContextVar[threading.Event | None] = ContextVar("given_up", default=None)


class Cancelled(Exception):
    """Nobody waits for the answer any more."""


@contextmanager
def wanted_until(given_up: threading.Event) -> Iterator[None]:
    """Let this thread's work in the block be wanted until an event is set."""
    before = _given_up.set(given_up)
    try:
        yield
    finally:
        _given_up.reset(before)


def is_wanted() -> bool:
    """Return whether this thread's work is still wanted."""
    given_up = _given_up.get()
    return given_up is None or not given_up.is_set()


def check() -> None:
    """Raise Cancelled if this thread's work is no longer wanted."""
    if not is_wanted():
        raise Cancelled
