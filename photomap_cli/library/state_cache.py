"""Owns the last few answers to the same questions, for as long as what they were read from stays as it was."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class StateCache(Generic[T]):
    """Answers by question, of one state at a time.  Any thread may use it; two may both work out the same answer."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: tuple[object, dict[Hashable, T]] = None, {}

    def get(self, state: object, question: Hashable, answer: Callable[[], T]) -> T:
        """Return the answer kept for a question, or work it out.  `state` was read before, and is other after a change.

        So an answer may be newer than its state, and is then only forgotten early.
        """
        kept_of, known = self._kept
        if kept_of != state:
            known = {}
            self._kept = state, known
        found = known.get(question)
        if found is None:
            found = answer()
            if len(known) >= self._most:
                known.clear()
            known[question] = found
        return found
