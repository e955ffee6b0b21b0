"""Owns `photomap browse`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from photomap_cli import directories
from photomap_cli.cli import argv
from photomap_cli.cli import backend as backend_module
from photomap_cli.cli.exit_status import FOUND, INTERRUPTED, NOTHING_FOUND
from photomap_cli.errors import EmptyLibrary, PhotomapError

if TYPE_CHECKING:
    from pathlib import Path

    from photomap_cli.cli.options import Globals
    from photomap_cli.records.browse import BrowseOutcome


def browse(
    context: typer.Context,
    query: Annotated[list[str] | None, typer.Argument(metavar="QUERY", help="What to show first.")] = None,
    folder: Annotated[
        str | None,
        typer.Option("--in", metavar="DIR", help="Only photos below this folder; * for the whole library."),
    ] = None,
    print0: Annotated[
        bool, typer.Option("--print0", help="End each path that is printed by NUL (for xargs -0).")
    ] = False,
) -> int:
    """Look through your photos, full screen.

    
    photomap browse
    photomap browse "beach -people"
    cp -n -t ~/frames $(photomap browse "birthday cake")

    Search as you type, mark photos, open and export them.  The paths of the marked photos are printed when you leave.
    Exit status 1 when the output is a pipe and nothing was marked, 130 when you leave with Esc.
    """
    from photomap_cli.records import SearchRequest
    from photomap_cli.records.browse import BrowseRequest

    given: Globals = context.obj
    _require_photos(given.library)
    from photomap_cli.cli import gallery
    from photomap_cli.cli.interactive import LibraryHost
    from photomap_cli.search.filter_values import WHOLE_LIBRARY
    from photomap_cli.search.scope import require_folder

    cwd = str(directories.working_directory())
    below = backend_module.folder(folder)
    if below not in (None, WHOLE_LIBRARY):
        require_folder(below)
    search = SearchRequest(argv.query_text(query, cwd) if query else "", cwd, folder=below)
    is_choosing = not sys.stdout.isatty()
    host = LibraryHost(given.library, is_demo=False, opener=None)
    outcome = gallery.run_alone(host, BrowseRequest(search, is_choosing=is_choosing))
    return _end(outcome, is_choosing=is_choosing, end="\0" if print0 else "\n")


def _end(outcome: BrowseOutcome, *, is_choosing: bool, end: str) -> int:
    """Print what was chosen and return the exit status."""
    from photomap_cli.views.machine_output import write_paths

    if outcome.is_cancelled and is_choosing:
        return INTERRUPTED
    write_paths([hit.path for hit in outcome.marks], sys.stdout, end=end)
    return FOUND if outcome.marks or not is_choosing else NOTHING_FOUND


def _require_photos(library: Path) -> None:
    """Raise EmptyLibrary before taking over the screen to say so."""
    from photomap_cli.session import libraries

    try:
        has_photos = libraries.is_shared(library) or (library.is_dir() and libraries.facts(library)["photos"] > 0)
    except PhotomapError:
        return  # opening the library reports what is wrong with it
    if not has_photos:
        raise EmptyLibrary("the library has no photos yet", hint="photomap index ~/Pictures")
