"""Owns deciding what an index run has to do, from the files there are and those the catalogue has seen.  Pure."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from photomap_cli.library.paths import is_storable
from photomap_cli.records import IndexFailure

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from photomap_cli.library.entries import SeenFile
    from photomap_cli.library.scan import Found, FoundFile


class Todo(NamedTuple):
    """A file to encode, and whether the library has an older state of it."""

    file: FoundFile
    old_row: int | None


@dataclass(slots=True)
class Plan:
    """What a run has to do: encode `todo`, remove `gone` (path -> row).  `scanned` counts photo files found."""

    todo: list[Todo] = field(default_factory=list)
    gone: dict[str, int] = field(default_factory=dict)
    failures: list[IndexFailure] = field(default_factory=list)
    scanned: int = 0
    unchanged: int = 0

    def keep(self, folders: Sequence[IndexFailure]) -> None:
        """Report folders, and take what is below them for not gone."""
        self.failures += folders
        starts = tuple(each.path.rstrip(os.sep) + os.sep for each in folders)
        self.gone = {path: row for path, row in self.gone.items() if not (path + os.sep).startswith(starts)}


def diff(found: Iterable[Found], seen: dict[str, SeenFile]) -> Plan:
    """Compare files found with files seen, by size and time of change; `seen` is used up.

    What is below a folder that failed was not looked for, and is not gone.
    """
    plan = Plan()
    for each in found:
        if isinstance(each, IndexFailure):
            plan.failures.append(each)
            continue
        plan.scanned += 1
        old = seen.pop(each.path, None)
        if not is_storable(each.path):
            plan.failures.append(IndexFailure(each.path, "its name is not valid UTF-8"))
        elif old and (old.size_bytes, old.mtime_ns) == (each.size_bytes, each.mtime_ns):
            plan.unchanged += 1
        else:
            plan.todo.append(Todo(each, old.row if old else None))
    plan.gone = {path: old.row for path, old in seen.items()}
    failures, plan.failures = plan.failures, []
    plan.keep(failures)
    return plan
