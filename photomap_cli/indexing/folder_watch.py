"""Owns finding folders that changed since the last look and are quiet again.  Reads no photos.

It compares the folders' own times, which takes some 10 ms for 5,000 folders.  The system's notifications would need a
handle per folder, which are limited, and don't work on network drives.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from photomap_cli.indexing.scan import folders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from photomap_cli.indexing.scan import ScanRules

QUIET_SECONDS = 2.0
"""How long a folder must be unchanged, in seconds, so that files are complete."""

BUSY_SECONDS = 20.0
"""A folder that keeps changing for this many seconds is reported anyway, for its complete files."""

LATE_SECONDS, LATE_STEP_SECONDS = 600.0, 10.0
"""How long, and how often, a folder's files are checked after that, in case writing had only paused."""

_State = tuple[int, int, int]


@dataclass(slots=True)
class _Changed:
    """A changed folder: a digest of its files, since when they are so, and since when it should be reported."""

    files: int | None
    since: float
    begun: float
    is_reported: bool = False
    looked: float = 0.0


class FolderWatch:
    """The state of folders as of the last look.  For one thread.

    Args:
        rules: returns the scan rules for a root.
        clock: time.
    """

    def __init__(self, rules: Callable[[str], ScanRules], clock: Callable[[], float] = time.monotonic) -> None:
        self._rules, self._clock = rules, clock
        self._seen: dict[str, dict[str, _State]] = {}  # the folders below each root; empty while it is gone
        self._changed: dict[str, _Changed] = {}

    @property
    def is_settled(self) -> bool:
        """Whether all changes were reported."""
        return all(each.is_reported for each in self._changed.values())

    def look(self, roots: Iterable[str]) -> list[str]:
        """Return the folders below these roots whose content changed and is quiet again, sorted.

        The first look at a root reports recent changes; a root that was gone and comes back is reported.
        """
        now, wanted = self._clock(), dict.fromkeys(roots)
        self._seen = {root: known for root, known in self._seen.items() if root in wanted}
        for root in wanted:
            self.report(self._changed_below(root))
        return sorted([folder for folder in [*self._changed] if self._is_due(folder, now)])

    def report(self, changed: Iterable[str]) -> None:
        """Report these folders again once they are quiet, as their work wasn't done."""
        now = self._clock()
        for folder in changed:
            before = self._changed.get(folder)
            begun = now if before is None or before.is_reported else before.begun
            self._changed[folder] = _Changed(before.files if before else None, now, begun)

    def _changed_below(self, root: str) -> list[str]:
        known = self._seen.get(root)
        if not known:
            found = self._seen[root] = self._walked(root, root)
            return _fresh(found) if known is None else [*found][:1]
        changed = []
        for folder, before in [*known.items()]:
            state = _state(folder)
            if state is None:
                del known[folder]  # its parent folder has changed too
            elif state != before:
                known[folder] = state
                new = self._new_below(folder, root, known)
                known.update(new)
                changed += [folder, *new]
        return changed

    def _new_below(self, folder: str, root: str, known: dict[str, _State]) -> dict[str, _State]:
        """Return the new folders; one that can be reached in several ways keeps its first path."""
        places = {state[1:] for state in known.values()}
        return {each: state for each, state in self._walked(folder, root).items() if state[1:] not in places}

    def _walked(self, start: str, root: str) -> dict[str, _State]:
        states = ((folder, _state(folder)) for folder in folders([start], self._rules(root)))
        return {folder: state for folder, state in states if state is not None}

    def _is_due(self, folder: str, now: float) -> bool:
        each = self._changed[folder]
        if each.is_reported and now - each.looked < LATE_STEP_SECONDS:
            return False
        files, each.looked = _files_in(folder), now
        if files is None or (each.is_reported and files == each.files and now - each.since > LATE_SECONDS):
            del self._changed[folder]
            return False
        if files != each.files:
            each.files, each.since, each.begun = files, now, now if each.is_reported else each.begun
            each.is_reported = False
        is_quiet = now - each.since >= QUIET_SECONDS
        if each.is_reported or not (is_quiet or now - each.begun >= BUSY_SECONDS):
            return False
        each.is_reported, each.begun = is_quiet, now
        return True


def _fresh(found: dict[str, _State]) -> list[str]:
    """Return the folders that changed a moment ago, where something may still be written."""
    now = time.time_ns()
    return [folder for folder, (changed_ns, _, _) in found.items() if 0 <= now - changed_ns < LATE_SECONDS * 1e9]


def _state(folder: str) -> _State | None:
    """Return what changes when files come or go, or another disk is mounted; None if there is no such folder."""
    try:
        info = os.stat(folder)  # noqa: PTH116 - paths are text here
    except OSError:
        return None
    return info.st_mtime_ns, info.st_ino, info.st_dev


def _files_in(folder: str) -> int | None:
    """Return a digest of the sizes and times of a folder's entries; None if it can't be read."""
    try:
        with os.scandir(folder) as entries:
            return hash(frozenset(filter(None, map(_seen_as, entries))))
    except OSError:
        return None


def _seen_as(entry: os.DirEntry[str]) -> tuple[str, int, int] | None:
    try:
        info = entry.stat(follow_symlinks=False)
    except OSError:  # gone meanwhile
        return None
    return entry.name, info.st_size, info.st_mtime_ns
