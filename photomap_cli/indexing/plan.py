"""Owns deciding what an index run has to do: `survey` reads files and catalogue, `diff` compares them and is pure."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from photomap_cli.indexing import unmounted_disks
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
    from photomap_cli.indexing.unmounted_disks import DeletionCheck
    from photomap_cli.library.entities import FileMark, FoundAgain, SeenFile
    from photomap_cli.library.store import Writes


class Survey(NamedTuple):
    """The plan, the roots that are missing and needn't be looked for again, and what is out of reach."""

    plan: Plan
    forgotten: set[str]
    deletion_check: DeletionCheck


def survey(
    catalog: Writes,
    given: Collection[str],
    rules: ScanRules,
    *,
    prune: bool,
    recheck: bool,
    takes: Callable[[str], bool] = everything,
) -> Survey:
    """Compare the files below these roots, and below known roots inside them, with what the library has there.

    Photos that may be on a missing disk are kept and reported, unless `prune` drops them.  `recheck` has every file
    of the library's photos read.  Files and photos for whose paths `takes` is false are left alone.
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
                kept.append(unmounted_disks.absent(root, len(below)))
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
        plan.keep(unmounted_disks.vanished([*plan.gone, *left_alone], roots))
        plan.keep(unmounted_disks.empty_folders(plan.gone, roots, others=left_alone))
    return Survey(plan, forgotten, unmounted_disks.DeletionCheck(catalog, looked_through, plan.gone))


def _taken(found: Iterable[Scanned], takes: Callable[[str], bool]) -> Iterator[Scanned]:
    """Yield the scan's items that this part takes; every part gets folders that can't be read."""
    for each in found:
        path = each.file.path if isinstance(each, UnclearFile) else each.path
        is_folder = isinstance(each, IndexFailure) and (not has_photo_name(path) or os.path.isdir(path))  # noqa: PTH112
        if is_folder or takes(path):
            yield each


Found = FoundFile | OtherFile | IndexFailure

FEW_INODES = 100
"""If more files than this share have new inodes and no other sign of a change, the file system makes inodes up."""


class Todo(NamedTuple):
    """A file to encode, and the library's photo of an older state of it.

    `is_suspect` means that size and time are unchanged: it is only encoded if its bytes differ.
    `instead` is the RAW file to use if this one can't be read.
    """

    file: FoundFile
    old_row: int | None
    is_suspect: bool = False
    instead: Todo | None = None

    def digest(self) -> bytes | None:
        """Return the digest of the file's bytes; None if it can't be read."""
        return digest_at(self.file.path)


@dataclass(slots=True)
class Plan:
    """What a run has to do: encode `todo`, remove `gone` (path -> row).  `scanned` counts the photo files found.

    `noted` are unchanged files with new inodes.
    `others` counts files that aren't photos by extension; `learned` are those that had to be examined now,
    `outdated` the paths of such files that no longer exist.
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
        """Leave out files that changed in the last `seconds`."""
        self.todo = [each for each in self.todo if not 0 <= now.timestamp() - each.file.mtime_ns / 1e9 < seconds]

    def keep(self, folders: Sequence[IndexFailure]) -> None:
        """Report folders, and treat what is below them as not gone."""
        self.failures += folders
        starts = tuple(each.path.rstrip(os.sep) + os.sep for each in folders)
        self.gone = {path: row for path, row in self.gone.items() if not (path + os.sep).startswith(starts)}


def diff(found: Iterable[Found], seen: dict[str, SeenFile], *, recheck: bool = False) -> Plan:
    """Compare found files with known ones, by size, time and other signs of change; consumes `seen`.

    What is below a failed folder wasn't looked for, and doesn't count as gone.  `recheck` suspects every file.
    """
    plan, renumbered = Plan(), list[Todo]()
    for each in found:
        if isinstance(each, IndexFailure):
            plan.failures.append(each)
            plan.scanned += has_photo_name(each.path)  # a broken link or a pipe, not a folder
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
    """Return the task for the RAW file beside a picture, in case that fails; one in the library isn't gone."""
    if picture.raw is None:
        return None
    old = seen.pop(picture.raw.path, None)
    return Todo(picture.raw, old.row if old else None, is_suspect=old is not None and not old.has_changed(picture.raw))
