"""Owns the report of an export: which photos went where, which didn't, and why."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum


class ExportMode(StrEnum):
    """How photos get into a folder.

    `REFLINK` shares blocks with the original until one of the two is changed; if the file system can't, it is a
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
    """A photo that was exported: from where and to where, both absolute."""

    source: str
    target: str

    @property
    def is_renamed(self) -> bool:
        """Whether its name was taken, so that it got another one."""
        return os.path.basename(self.source) != os.path.basename(self.target)  # noqa: PTH119 - paths are text here


@dataclass(frozen=True, slots=True)
class ExportFailure:
    """A photo or sidecar that wasn't exported, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export did.

    Attributes:
        how: the requested mode.
        folder: where the photos are now; the zip file for `ZIP`.
        done: the exported photos, in the requested order; targets in a zip file are below its path.
        there: paths of photos that were already there, from an earlier export or otherwise.
        failed: what wasn't exported; the originals are where they were.
        sidecars: how many files beside photos went along: XMP, and in a move RAW files.
        copied_instead: how many reflinks became copies, as the file system can't share blocks.
        left: how many photos were left over, as it was cancelled or the disk is full.
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
        """The photos that got another name, as theirs was taken."""
        return tuple(each for each in self.done if each.is_renamed)
