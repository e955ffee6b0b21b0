"""Owns looking at the files of a folder on a slow disk: many at once, where a fast disk is asked one by one."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from itertools import islice

from photomap_cli.indexing.prefetch import Prefetch

SLOW_SECONDS = 1e-3
"""What a look at a file takes at least where the disk is far away; a disk in the computer answers in 2 microseconds."""

_TRIED, _FEWEST = 3, 8
_THREADS, _AHEAD = 16, 64


def stat_ahead(
    entries: Sequence[os.DirEntry[str]],
    wanted: Callable[[str], bool],
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[os.DirEntry[str]]:
    """Yield a folder's entries.  On a slow disk the system is asked ahead for those whose names are wanted.

    It keeps the answers, for a second at least, so that who looks at an entry then need not wait.
    """
    first = list(islice((entry for entry in entries if wanted(entry.name)), _FEWEST))
    if len(first) < _FEWEST or _median_seconds(first[:_TRIED], clock) < SLOW_SECONDS:
        yield from entries
        return

    def look(entry: os.DirEntry[str]) -> None:
        if wanted(entry.name):
            _look(entry)

    with closing(Prefetch(look, entries, threads=_THREADS, limit=_AHEAD)) as ahead:
        for entry, _ in ahead:
            yield entry


def _median_seconds(entries: Sequence[os.DirEntry[str]], clock: Callable[[], float]) -> float:
    """Return what a look takes; one of them may have been looked at before, and cost nothing."""
    taken = []
    for entry in entries:
        began = clock()
        _look(entry)
        taken.append(clock() - began)
    return sorted(taken)[len(taken) // 2]


def _look(entry: os.DirEntry[str]) -> None:
    with suppress(OSError):
        os.stat(entry.path)  # noqa: PTH116 - not `entry.stat`, which keeps other threads waiting
