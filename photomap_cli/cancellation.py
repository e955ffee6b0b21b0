"""Owns whether anybody still waits for what a thread does: Ctrl-C at the prompt says that nobody does.  Light."""

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
    """Have what this thread does in the block be wanted until an event is set."""
    before = _given_up.set(given_up)
    try:
        yield
    finally:
        _given_up.reset(before)


def is_wanted() -> bool:
    """Whether anybody still waits for what this thread does."""
    given_up = _given_up.get()
    return given_up is None or not given_up.is_set()


def check() -> None:
    """Raise Cancelled if nobody waits any more for what this thread does."""
    if not is_wanted():
        raise Cancelled
