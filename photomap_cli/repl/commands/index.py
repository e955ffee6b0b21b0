"""Owns `:index`: bringing folders up to date without leaving the prompt."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from photomap_cli.errors import BadPath, UsageError
from photomap_cli.repl.commands import arguments
from photomap_cli.repl.commands.albums import library_of

if TYPE_CHECKING:
    from photomap_cli.repl.state import SearchState


def index(state: SearchState, rest: str) -> None:
    """Add a folder to the library or update it; `*` means every folder of the library, an empty text this folder."""
    from photomap_cli.views.index_report import write_report  # not for the first prompt

    if state.index is None:
        raise UsageError("nothing can be indexed here", hint="`photomap index` in the shell")
    folders, backend = _folders(state, rest), state.connection.backend()
    is_interrupted, report = state.index(backend, folders)
    report_text = io.StringIO()
    write_report(report, report_text)
    for line in report_text.getvalue().splitlines():
        state.front.tell(line)
    if is_interrupted and not state.console.is_terminal:
        raise KeyboardInterrupt
    if state.shown and (report.added or report.updated or report.removed or report.moved):
        state.front.tell(":again searches what the library has now")


def _folders(state: SearchState, rest: str) -> list[Path]:
    """Return the folders that were named.  Raises BadPath if one doesn't exist."""
    from photomap_cli.library import stats

    folder = arguments.folder(state.cwd, rest, hint=":index * brings the whole library up to date")
    if folder != "*":
        return [Path(folder) if folder else state.cwd]
    roots = stats.facts(library_of(state))["roots"]
    if not roots:
        raise BadPath("the library has no folders yet", hint=":index DIR adds one")
    return [Path(root) for root in roots]
