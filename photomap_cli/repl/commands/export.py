"""Owns `:cp`, `:ln` and `:mv`, for the photos given by number, else the marked ones, else the results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from photomap_cli import cancellation
from photomap_cli.errors import BadPath, UsageError
from photomap_cli.records.export import ExportMode
from photomap_cli.repl.commands import arguments
from photomap_cli.repl.commands.albums import library_of
from photomap_cli.views import export_report
from photomap_cli.views.formatting import photos

if TYPE_CHECKING:
    from photomap_cli.records import Hit
    from photomap_cli.records.export import Exported, ExportReport
    from photomap_cli.repl.state import SearchState

    OnDone = Callable[[Exported], None]


def copy(state: SearchState, rest: str) -> None:
    """Copy photos to a folder, or to a zip file if the name says so."""
    reflink, rest = arguments.option(rest, "--reflink")
    hits, place = _hits_and_place(state, rest)
    is_zip = place.suffix.lower() == ".zip" and not place.is_dir()
    how = ExportMode.REFLINK if reflink else ExportMode.ZIP if is_zip else ExportMode.COPY
    _tell(state, _exported(state, hits, place, how))


def link(state: SearchState, rest: str) -> None:
    """Make symbolic links to photos in a folder; hard ones with `--hard`."""
    hard, rest = arguments.option(rest, "--hard")
    hits, place = _hits_and_place(state, rest)
    _tell(state, _exported(state, hits, place, ExportMode.HARDLINK if hard else ExportMode.LINK))


def move(state: SearchState, rest: str) -> None:
    """Move photos to a folder after asking; they keep their vectors."""
    hits, place = _hits_and_place(state, rest)
    if state.front.confirm(f"move {photos(len(hits))} to {place}?", unasked=f":mv! {rest}"):
        _move(state, hits, place)
    else:
        state.front.tell("nothing was moved")


def move_at_once(state: SearchState, rest: str) -> None:
    """Move photos into a folder without asking."""
    _move(state, *_hits_and_place(state, rest))


def _move(state: SearchState, hits: Sequence[Hit], place: Path) -> None:
    from photomap_cli.indexing.relocation import NOT_NOTED, Relocation
    from photomap_cli.session.libraries import open_library

    with open_library(library_of(state)) as opened, Relocation(opened) as relocation:
        folder, is_new = relocation.adopt(str(place))
        report = _exported(state, hits, Path(folder), ExportMode.MOVE, relocation.note)
    state.follow_moves({each.source: each.target for each in report.done})
    if is_new:
        state.front.tell(f"{folder} belongs to the library now; :index {folder} adds what else is in it")
    if relocation.has_failed:
        state.front.tell(NOT_NOTED)
    _tell(state, report)


def _hits_and_place(state: SearchState, rest: str) -> tuple[list[Hit], Path]:
    hits, name = arguments.chosen(state, rest)
    if not name:
        raise UsageError("into which folder?")
    return hits, arguments.file(state.cwd, name)


def _exported(
    state: SearchState, hits: Sequence[Hit], place: Path, how: ExportMode, on_done: OnDone = lambda exported: None
) -> ExportReport:
    """Export, showing progress; Ctrl-C ends it after the current photo."""
    from photomap_cli.export.exporter import export  # not for the first prompt

    progress = [0, len(hits)]

    def run() -> ExportReport:
        return export(
            [hit.path for hit in hits],
            place,
            how,
            on_progress=lambda *now: progress.__setitem__(slice(None), now),
            on_done=on_done,
            cancelled=lambda: not cancellation.is_wanted(),
        )

    return state.front.carry_out(run, lambda: f"{progress[0]:,} of {photos(progress[1])}…")


def _tell(state: SearchState, report: ExportReport) -> None:
    """Print what was done.  For programs, raise an error if not all of it was."""
    for line in export_report.lines(report):
        state.front.tell(line)
    if state.console.is_terminal:
        return
    if report.is_cancelled:
        raise KeyboardInterrupt
    if report.failed or report.left:
        not_there = photos(len(report.failed) + report.left)
        raise BadPath(
            f"{not_there} did not get to {report.folder}", hint="the lines above say why; the rest was exported"
        )
