"""Owns deciding what an index run has to do: `survey` looks at files and catalogue, `diff` compares and is pure."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from photomap_cli.indexing import unmounted
from photomap_cli.indexing.content_sniffing import Sniffer
from photomap_cli.indexing.parts import everything
from photomap_cli.indexing.roots import is_stranger
from photomap_cli.indexing.scan import OtherFile, UnclearFile, scan
from photomap_cli.library.entities import FoundFile
from photomap_cli.library.file_identity import digest_at
from photomap_cli.library.file_types import ending, has_photo_name
from photomap_cli.library.paths import inside, is_storable
from photomap_cli.records import IndexFailure

if TYPE_CHECKING:
    from datetime import datetime

    from photomap_cli.indexing.scan import Scanned, ScanRules
    from photomap_cli.indexing.unmounted import Whereabouts
    from photomap_cli.library.entities import FileMark, FoundAgain, SeenFile
    from photomap_cli.library.store import Writes


class Survey(NamedTuple):
    """What there is to do, the roots that are missing and shall not be looked for again, and what is out of sight."""

    plan: Plan
    forgotten: set[str]
    whereabouts: Whereabouts


def survey(
    catalog: Writes,
    given: Collection[str],
    rules: ScanRules,
    *,
    prune: bool,
    recheck: bool,
    takes: Callable[[str], bool] = everything,
) -> Survey:
    """Compare what is below these roots, and below known roots inside them, with what the library has seen there.

    Photos that may be on a missing disk are kept and reported, unless `prune` gives them up.  `recheck` has every file
    read whose photo the library has.  Files and photos whose paths are not what it `takes` are left alone.
    """
    looked_through = {*given, *inside(catalog.roots(), given)}
    roots = set(looked_through)
    seen: dict[str, SeenFile] = {}
    kept: list[IndexFailure] = []
    forgotten = set[str]()
    for root in sorted(looked_through):
        below = catalog.seen_files(root)
        seen.update(below)
        if not os.path.lexists(root):
            roots.remove(root)
            if (prune and all(map(takes, below))) or not below:
                forgotten.add(root)
            if not prune:
                kept.append(unmounted.absent(root, len(below)))
        elif is_stranger(root):
            forgotten.add(root)
    left_alone = {path for path in seen if not takes(path)}
    for path in left_alone:
        del seen[path]
    others = {path: mark for root in roots for path, mark in catalog.file_notes.others(root).items() if takes(path)}
    sniffer = Sniffer(seen, {} if recheck else others)
    scanned = _taken(scan(sorted(roots), rules, seen=seen), takes)
    plan = diff(chain(kept, sniffer.told(scanned)), seen, recheck=recheck)
    plan.learned, plan.outdated = sniffer.learned, sniffer.outdated
    if not prune:
        plan.keep(unmounted.vanished([*plan.gone, *left_alone], roots))
        plan.keep(unmounted.empty_folders(plan.gone, roots, others=left_alone))
    return Survey(plan, forgotten, unmounted.Whereabouts(catalog, looked_through, plan.gone))


def _taken(found: Iterable[Scanned], takes: Callable[[str], bool]) -> Iterator[Scanned]:
    """Yield what is taken of what was scanned; of a folder that cannot be read every part has to know."""
    for each in found:
        path = each.file.path if isinstance(each, UnclearFile) else each.path
        is_folder = isinstance(each, IndexFailure) and (not has_photo_name(path) or os.path.isdir(path))  # noqa: PTH112
        if is_folder or takes(path):
            yield each


Found = FoundFile | OtherFile | IndexFailure

FEW_INODES = 100
"""Where more files than that have other inodes, and no other sign of a change, the file system makes inodes up."""


class Todo(NamedTuple):
    """A file to encode, and the photo that the library has of an older state of it.

    `is_suspect` says that size and time are as they were: only other bytes are a reason to encode it.
    `instead` is the RAW file to take where this one cannot be read.
    """

    file: FoundFile
    old_row: int | None
    is_suspect: bool = False
    instead: Todo | None = None

    def digest(self) -> bytes | None:
        """Return the digest of the file's bytes; None where it cannot be read."""
        return digest_at(self.file.path)


@dataclass(slots=True)
class Plan:
    """What a run has to do: encode `todo`, remove `gone` (path -> row).  `scanned` counts photo files found.

    `noted` are unchanged files that have other inodes now.
    `others` counts the files that are no photos by their endings; `learned` are those that had to be looked into now,
    `outdated` the paths of such files that are no longer there.
    """

    todo: list[Todo] = field(default_factory=list)
    gone: dict[str, int] = field(default_factory=dict)
    failures: list[IndexFailure] = field(default_factory=list)
    noted: list[FoundAgain] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    learned: dict[str, FileMark] = field(default_factory=dict)
    outdated: set[str] = field(default_factory=set)
    scanned: int = 0
    unchanged: int = 0

    def leave_young(self, seconds: float, now: datetime) -> None:
        """Leave out files that were changed in the last `seconds`."""
        self.todo = [each for each in self.todo if not 0 <= now.timestamp() - each.file.mtime_ns / 1e9 < seconds]

    def keep(self, folders: Sequence[IndexFailure]) -> None:
        """Report folders, and take what is below them for not gone."""
        self.failures += folders
        starts = tuple(each.path.rstrip(os.sep) + os.sep for each in folders)
        self.gone = {path: row for path, row in self.gone.items() if not (path + os.sep).startswith(starts)}


def diff(found: Iterable[Found], seen: dict[str, SeenFile], *, recheck: bool = False) -> Plan:
    """Compare files found with files seen, by size, time of change and what else tells of one; `seen` is used up.

    What is below a folder that failed was not looked for, and is not gone.  `recheck` suspects every file.
    """
    plan, renumbered = Plan(), list[Todo]()
    for each in found:
        if isinstance(each, IndexFailure):
            plan.failures.append(each)
            plan.scanned += has_photo_name(each.path)  # a link that is broken, a pipe; no folder
            continue
        if isinstance(each, OtherFile):
            plan.others[each.kind or ending(each.path)] += 1
            continue
        plan.scanned += 1
        old = seen.pop(each.path, None)
        if not is_storable(each.path):
            plan.failures.append(IndexFailure(each.path, "its name is not valid UTF-8"))
        elif old is None or old.has_changed(each):
            plan.todo.append(Todo(each, old.row if old else None, instead=_instead(each, seen)))
        elif recheck or old.was_touched(each):
            plan.todo.append(Todo(each, old.row, is_suspect=True, instead=_instead(each, seen)))
        elif old.has_other_inode(each):
            renumbered.append(Todo(each, old.row, is_suspect=True))
        else:
            plan.unchanged += 1
    if len(renumbered) <= FEW_INODES:
        plan.todo += renumbered
    else:
        plan.unchanged += len(renumbered)
        plan.noted += [each.file.again(each.old_row) for each in renumbered if each.old_row is not None]
    plan.gone = {path: old.row for path, old in seen.items()}
    failures, plan.failures = plan.failures, []
    plan.keep(failures)
    return plan


def _instead(picture: FoundFile, seen: dict[str, SeenFile]) -> Todo | None:
    """Return what to do for the RAW file beside a picture, should that fail: one that the library has is not gone."""
    if picture.raw is None:
        return None
    old = seen.pop(picture.raw.path, None)
    return Todo(picture.raw, old.row if old else None, is_suspect=old is not None and not old.has_changed(picture.raw))
