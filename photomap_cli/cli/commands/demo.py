"""`photomap demo`: a small library of drawn photos, indexed, searched, then the prompt."""

from __future__ import annotations

import shlex
import shutil
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer  # noqa: TC002  Typer reads the annotations

from photomap_cli import directories
from photomap_cli.cli.exit_status import FOUND, INTERRUPTED
from photomap_cli.cli.index_run import run_index
from photomap_cli.cli.options import Globals, make_console
from photomap_cli.views.output import say

if TYPE_CHECKING:
    from photomap_cli.session.opener import SessionOpener

DEMO_QUERIES = ("snowy mountains", "red car", "sunset over the sea -boat")
DEMO_PHOTOS = Path(__file__).parents[2] / "demo_photos"


def demo(context: typer.Context) -> int:
    """Try photomap on 120 sample photos.

    Indexes them, searches a few times, and opens the prompt.  The demo has a library of its own, unless --library names
    a folder.
    """
    from photomap_cli.repl.pipe_frontend import has_screen
    from photomap_cli.session import libraries

    given: Globals = context.obj
    home = directories.demo_directory()
    is_apart = not given.library_is_chosen or libraries.is_shared(given.library)
    if is_apart:
        given = replace(given, named=str(home / "library"))
    photos = home / "photos"
    if not photos.is_dir():
        copy_demo_photos(photos)
    from photomap_cli.session.opener import SessionOpener

    opener = SessionOpener(given.library, lambda: given.settings().values)
    with closing(opener):
        status = _index_and_show(given, photos, opener)
        if status or not has_screen(sys.stdin, sys.stdout):
            return status
        from photomap_cli.cli.interactive import run_interactive

        status = run_interactive(given.library, is_demo=True, opener=opener)
    if is_apart and not given.quiet:
        say("The sample photos have a library of their own. To search it from the shell:")
        say(f"  photomap --library {shlex.quote(str(given.library))} {DEMO_QUERIES[1]}")
    return status


def copy_demo_photos(folder: Path) -> None:
    """Copy the demo's photos.  The folder gets its name once all are there, so an interruption leaves no half demo."""
    begun = folder.with_name(f"{folder.name}.begun")
    shutil.rmtree(begun, ignore_errors=True)
    shutil.copytree(DEMO_PHOTOS, begun)
    begun.rename(folder)


def _index_and_show(given: Globals, photos: Path, opener: SessionOpener) -> int:
    """Index the demo's photos and show the answers to a few queries, the last one in pictures if the terminal can."""
    from rich.text import Text

    from photomap_cli.cli import previews
    from photomap_cli.indexing.index_options import IndexOptions
    from photomap_cli.records import SearchRequest
    from photomap_cli.views import index_report, results
    from photomap_cli.views.machine_output import ResultStyle

    console, session = make_console(), opener.begin("tiny")
    options = IndexOptions(thumbnail_cache_bytes=given.settings().values.thumbnail_cache_bytes)
    interrupted, done = run_index(session, [photos], options, quiet=given.quiet)
    index_report.write_report(done, sys.stdout)
    if interrupted:
        return INTERRUPTED
    for query in DEMO_QUERIES:
        result = session.search(SearchRequest(query, cwd=str(photos), limit=5))
        console.print(Text(f"\n$ photomap search {query}", "bold"))
        if query != DEMO_QUERIES[-1] or not previews.show(result, given, console, notices=(), is_asked_for=True):
            results.write(result, ResultStyle.TABLE, sys.stdout, cwd=photos, console=console)
    return FOUND
