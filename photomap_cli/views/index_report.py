"""Owns writing the report of an index run.  Draws no progress."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from photomap_cli.library.optional_decoders import ways_to_read
from photomap_cli.views.formatting import counted, folded, listed, photos, run_time
from photomap_cli.views.machine_output import write_document
from photomap_cli.views.output import say

if TYPE_CHECKING:
    from photomap_cli.records import IndexReport, StageTimes

_SHOWN_FAILURES = 5
_SHOWN_KINDS = 5
_NOTHING = "nothing to do"
_LONG_LOADING, _LARGE_SHARE = 500.0, 0.05  # milliseconds, and of the run; the rate is measured without it


def write_report(
    report: IndexReport,
    file: TextIO,
    *,
    as_json: bool = False,
    list_errors: bool = False,
    quiet: bool = False,
    dry_run: bool = False,
) -> None:
    """Write what an index run did: JSON, or a summary and the files that failed or are damaged.

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
        say(*(plan(report) if dry_run and not report.interrupted else summary(report)), file=file)
    shown = report.failures if list_errors else report.failures[: 0 if quiet else _SHOWN_FAILURES]
    for failure in shown:
        say(f"  {failure.path}: {failure.reason}", file=file)
    if not quiet and len(shown) < len(report.failures):
        say(f"  and {len(report.failures) - len(shown):,} more; --errors lists them", file=file)
    _write_notes(report, file, list_errors=list_errors, quiet=quiet)
    if report.others and (list_errors or not quiet):
        say(*other_files(report, most=None if list_errors else _SHOWN_KINDS), file=file)


def other_files(report: IndexReport, most: int | None = None) -> list[str]:
    """Return lines: how many files aren't photos, of which kinds, most frequent first, and what would read some."""
    count = sum(count for _, count in report.others)
    kinds = [f"{count:,} {kind or 'without an ending'}" for kind, count in report.others[:most]]
    if more := sum(count for _, count in report.others[len(kinds) :]):
        kinds.append(f"{more:,} of other types")
    kinds[0] = f"{counted(count, 'other file')}: {kinds[0]}"
    ways = ways_to_read(kind for kind, _ in report.others)
    return folded([*listed(kinds, ";" if ways else ""), *(f"{way};" for way in ways[:-1]), *ways[-1:]])


def _write_notes(report: IndexReport, file: TextIO, *, list_errors: bool, quiet: bool) -> None:
    """Write the damaged photos that are in the library, or how many there are."""
    if report.notes and not quiet:
        are, them = ("photo is", "it") if len(report.notes) == 1 else ("photos are", "them")
        how = ":" if list_errors else f"; --errors lists {them}"
        say(f"{len(report.notes):,} {are} damaged, but in the library{how}", file=file)
    for note in report.notes if list_errors else ():
        say(f"  {note.path}: {note.reason}", file=file)


def plan(report: IndexReport) -> list[str]:
    """Return lines, mostly one: what a dry run found to do."""
    done, seen = _done(report), _seen(report)
    done[:1] = [each.replace(" ", " would be ", 1) for each in done[:1]]
    return _found(report, [*listed(done, ";" if seen else ""), *listed(seen)], said="dry run: ")


def summary(report: IndexReport, said: str = "") -> list[str]:
    """Return lines, mostly one: what happened to how many photos, and how fast; `said` goes before them."""
    counts = [*_done(report), *_seen(report)]
    if report.interrupted:
        return folded(_stopped(report, counts or ["none added"], said))
    counts = counts or [_NOTHING]
    counts[-1] += f" in {run_time(report.elapsed_ms)}{_loading(report)}"
    speed = [f"{report.images_per_second:,.1f}/s", slowest_stage(report.stages)] if report.images_per_second else []
    return _found(report, listed([*counts, *speed]), said)


def _done(report: IndexReport) -> list[str]:
    """Return what was done to how many photos."""
    done = {"added": report.added, "updated": report.updated, "moved": report.moved, "removed": report.removed}
    return [f"{count:,} {what}" for what, count in done.items() if count]


def _seen(report: IndexReport) -> list[str]:
    """Return how many photos there was nothing to do for, or nothing could be done for."""
    seen = {"unchanged": report.unchanged, "failed": report.failed}
    return [f"{count:,} {what}" for what, count in seen.items() if count]


def _found(report: IndexReport, statements: list[str], said: str) -> list[str]:
    """Return lines: statements on the photos that were found."""
    first, *others = statements or [_NOTHING]
    return folded([f"{said}{_part(report)}{photos(report.scanned)} found: {first}", *others])


def _part(report: IndexReport) -> str:
    return f"part {report.part}: " if report.part else ""


def _loading(report: IndexReport) -> str:
    """Return how long the encoder took to load, if that is a good part of the run."""
    loading = report.stages.load
    is_long = loading >= max(_LONG_LOADING, _LARGE_SHARE * report.elapsed_ms)
    return f" ({loading / 1e3:.1f} s loading)" if is_long else ""


def _stopped(report: IndexReport, counts: list[str], said: str) -> list[str]:
    """Return statements: how much an interrupted run did, and how to do the rest."""
    again = "run the same command again to continue"
    if not report.scanned:
        return [f"{said}{_part(report)}stopped while looking for photos;", again]
    counts[0] = f"{said}{_part(report)}stopped after {run_time(report.elapsed_ms)}: {counts[0]}"
    counts[-1] += f" of {photos(report.scanned)}"
    return [*listed([*counts, f"{report.left:,} left"], ";"), again]


def slowest_stage(stages: StageTimes) -> str:
    """Return what takes most of the time, such as "71 % encoding"; empty while there is nothing to tell."""
    if (bottleneck := stages.bottleneck) is None:
        return ""
    name, share = bottleneck
    return f"{100 * share:.0f} % {name}"
