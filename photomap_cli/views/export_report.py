"""Owns reporting an export to people in a few lines.  Exports nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from photomap_cli.records.export import ExportMode
from photomap_cli.views.formatting import counted, photos

if TYPE_CHECKING:
    from photomap_cli.records.export import Exported, ExportFailure, ExportReport

_DONE = {
    ExportMode.COPY: "copied to",
    ExportMode.LINK: "linked in",
    ExportMode.HARDLINK: "hard-linked in",
    ExportMode.REFLINK: "cloned to",
    ExportMode.MOVE: "moved to",
    ExportMode.ZIP: "packed into",
}
_SHOWN = 3


def lines(report: ExportReport) -> list[str]:
    """Return what an export did, as notices of a line each."""
    return [_summary(report), *_renamed(report.renamed), *_failed(report.failed)]


def _summary(report: ExportReport) -> str:
    parts = [f"{photos(len(report.done))} {_DONE[report.how]} {report.folder}"]
    if report.sidecars:
        parts.append(f"{counted(report.sidecars, 'file')} beside them, too")
    if report.there:
        parts.append(f"{len(report.there):,} there already")
    if report.copied_instead:
        parts.append("as copies, since the file system cannot share blocks")
    if report.failed:
        parts.append(f"{len(report.failed):,} failed")
    if report.left:
        parts.append(f"{report.left:,} left{', as it was stopped' if report.is_cancelled else ''}")
    return "; ".join(parts)


def _renamed(renamed: Sequence[Exported]) -> Iterator[str]:
    if renamed:
        new = (os.path.basename(each.target) for each in renamed[:_SHOWN])  # noqa: PTH119 - paths are text here
        more = f" and {len(renamed) - _SHOWN:,} more" if len(renamed) > _SHOWN else ""
        yield f"{len(renamed):,} renamed, as the names were taken: {', '.join(new)}{more}"


def _failed(failed: Sequence[ExportFailure]) -> Iterator[str]:
    """Yield each reason once, with the first files that have it."""
    reasons: dict[str, list[str]] = {}
    for each in failed:
        reasons.setdefault(each.reason, []).append(each.path)
    for reason, paths in reasons.items():
        more = f" and {len(paths) - _SHOWN:,} more" if len(paths) > _SHOWN else ""
        yield f"{reason}: {', '.join(paths[:_SHOWN])}{more}"
