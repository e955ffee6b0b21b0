"""Owns timing the stages of an index run, in wall-clock time.  Knows nothing of what they do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from photomap_cli.records import StageTimes

Stage = Literal["scan", "load", "decode", "encode", "commit"]


class StageTimer:
    """Times stages.  A nested stage interrupts the outer one, so that each moment counts for one stage.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._since = clock, 0.0
        self._seconds: dict[Stage, float] = {}
        self._under_way: list[Stage] = []

    @property
    def times(self) -> StageTimes:
        """The time of each stage so far."""
        self._count()
        return StageTimes(**{stage: 1e3 * seconds for stage, seconds in self._seconds.items()})

    @contextmanager
    def during(self, stage: Stage) -> Iterator[None]:
        """Count the time of a `with` block towards a stage."""
        self._count()
        self._under_way.append(stage)
        try:
            yield
        finally:
            self._count()
            self._under_way.pop()

    def _count(self) -> None:
        now = self._clock()
        if self._under_way:
            stage = self._under_way[-1]
            self._seconds[stage] = self._seconds.get(stage, 0.0) + now - self._since
        self._since = now
