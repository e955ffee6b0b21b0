"""Owns writing the report of an index run.  Draws no progress."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from photomap_cli.library.optional_decoders import ways_to_read
from photomap_cli.views.formatting import photos
from photomap_cli.views.machine_output import write_document
from photomap_cli.views.output import say

if TYPE_CHECKING:
    from photomap_cli.records import IndexReport, StageTimes

_SHOWN_FAILURES = 5
_SHOWN_KINDS = 5
_LONG_LOADING = 0.5  # seconds; the rate is measured without it


def write_report(
    report: IndexReport,
    file: TextIO,
    *,
    as_json: bool = False,
    list_errors: bool = False,
    quiet: bool = False,
    dry_run: bool = False,
) -> None:
    """Write what an index run did: JSON, or a summary line and the files that failed or are damaged.

    Args:
        report: what was done.
        file: where to.
        as_json: the contract's JSON object.
        list_errors: name every failed or damaged file, not only the first few that failed.
        quiet: write only the failures asked for.
        dry_run: say that nothing was changed.
    """
    if as_json:
        write_document(report.to_json(), file)
        return
    if not quiet:
        say(plan(report) if dry_run and not report.interrupted else summary(report), file=file)
    shown = report.failures if list_errors else report.failures[: 0 if quiet else _SHOWN_FAILURES]
    for failure in shown:
        say(f"  {failure.path}: {failure.reason}", file=file)
    if not quiet and len(shown) < len(report.failures):
        say(f"  and {len(report.failures) - len(shown):,} more; --errors lists them", file=file)
    _write_notes(report, file, list_errors=list_errors, quiet=quiet)
    if report.others and (list_errors or not quiet):
        say(other_files(report, most=None if list_errors else _SHOWN_KINDS), file=file)


def other_files(report: IndexReport, most: int | None = None) -> str:
    """Return a line: how many files aren't photos, of which kinds, most frequent first, and what would read some."""
    count = sum(count for _, count in report.others)
    kinds = [f"{count:,} {kind or 'without an ending'}" for kind, count in report.others[:most]]
    if more := sum(count for _, count in report.others[len(kinds) :]):
        kinds.append(f"{more:,} of other types")
    told = f"{count:,} other file{'s' * (count != 1)}: {', '.join(kinds)}"
    return "; ".join((told, *ways_to_read(kind for kind, _ in report.others)))


def _write_notes(report: IndexReport, file: TextIO, *, list_errors: bool, quiet: bool) -> None:
    """Write the damaged photos that are in the library, or how many there are."""
    if report.notes and not quiet:
        are, them = ("photo is", "it") if len(report.notes) == 1 else ("photos are", "them")
        how = ":" if list_errors else f"; --errors lists {them}"
        say(f"{len(report.notes):,} {are} damaged, but in the library{how}", file=file)
    for note in report.notes if list_errors else ():
        say(f"  {note.path}: {note.reason}", file=file)


def plan(report: IndexReport) -> str:
    """Return a line: what a dry run found to do."""
    counted = _counted(report, would="would be ")
    return f"dry run: {_part(report)}{photos(report.scanned)} found: {counted or 'nothing to do'}"


def _counted(report: IndexReport, would: str = "") -> str:
    """Return what happened to how many photos; `would` goes before each verb."""
    done = {"added": report.added, "updated": report.updated, "moved": report.moved, "removed": report.removed}
    found = {"unchanged": report.unchanged, "failed": len(report.failures)}
    return ", ".join(
        [f"{count:,} {would}{what}" for what, count in done.items() if count]
        + [f"{count:,} {what}" for what, count in found.items() if count]
    )


def summary(report: IndexReport) -> str:
    """Return a line: what happened to how many photos, and how fast."""
    return _part(report) + _summary(report, _counted(report))


def _part(report: IndexReport) -> str:
    return f"part {report.part}: " if report.part else ""


def _summary(report: IndexReport, counted: str) -> str:
    if report.interrupted:
        return _stopped(report, counted or "none added")
    counted = counted or "nothing to do"
    took = f"{photos(report.scanned)} found: {counted} in {report.elapsed_ms / 1e3:.1f} s"
    if not report.images_per_second:
        return took
    loading = report.stages.load / 1e3
    apart = f" (loading {loading:.1f} s)" if loading >= _LONG_LOADING else ""
    return f"{took}{apart}, {report.images_per_second:,.1f} photos/s ({slowest_stage(report.stages)})"


def _stopped(report: IndexReport, counted: str) -> str:
    """Return how much an interrupted run did, and how to do the rest."""
    again = "run the same command again to continue"
    if not report.scanned:
        return f"stopped while looking for photos; {again}"
    seconds, of = report.elapsed_ms / 1e3, photos(report.scanned)
    return f"stopped after {seconds:.1f} s: {counted} of {of}, {report.left:,} left; {again}"


def slowest_stage(stages: StageTimes) -> str:
    """Return what takes most of the time, such as "71 % encoding"; empty while there is nothing to tell."""
    if (bottleneck := stages.bottleneck) is None:
        return ""
    name, share = bottleneck
    return f"{100 * share:.0f} % {name}"
