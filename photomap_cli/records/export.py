"""Owns what an export did: which photos went where, which did not, and why."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum


class ExportMode(StrEnum):
    """How photos get into a folder.

    `REFLINK` shares the blocks of the original until one of the two is changed; where the file system cannot, it is a
    copy.  `ZIP` puts them into one file.
    """

    COPY = "copy"
    LINK = "link"
    HARDLINK = "hardlink"
    REFLINK = "reflink"
    MOVE = "move"
    ZIP = "zip"


@dataclass(frozen=True, slots=True)
class Exported:
    """One photo that got there: where from and where to, both absolute."""

    source: str
    target: str

    @property
    def is_renamed(self) -> bool:
        """Whether its name was taken, so that it has another one there."""
        return os.path.basename(self.source) != os.path.basename(self.target)  # noqa: PTH119 - paths are text here


@dataclass(frozen=True, slots=True)
class ExportFailure:
    """One photo, or sidecar of one, that did not get there, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What one export did.

    Attributes:
        how: as it was asked for.
        folder: where the photos are now; the zip file for `ZIP`.
        done: the photos that got there, in the order asked for; targets in a zip file are below its path.
        there: paths of the photos that were there already, from an earlier export or by themselves.
        failed: what did not get there; the originals are where they were.
        sidecars: how many files beside photos went along: XMP, and in a move RAW files.
        copied_instead: how many reflinks are copies, as the file system cannot share blocks.
        left: how many photos were not come to, as it was cancelled or the disk is full.
        is_cancelled: whether it was cancelled.
    """

    how: ExportMode
    folder: str
    done: tuple[Exported, ...] = ()
    there: tuple[str, ...] = ()
    failed: tuple[ExportFailure, ...] = ()
    sidecars: int = 0
    copied_instead: int = 0
    left: int = 0
    is_cancelled: bool = False

    @property
    def renamed(self) -> tuple[Exported, ...]:
        """The photos that have another name there, as theirs was taken."""
        return tuple(each for each in self.done if each.is_renamed)
