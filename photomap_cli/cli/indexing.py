"""Owns `photomap index` and `photomap demo`."""

from __future__ import annotations

import shutil
import sys
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from photomap_cli import directories
from photomap_cli.cli import completing
from photomap_cli.cli.app import Globals, app, make_console
from photomap_cli.cli.ending import FOUND, INTERRUPTED
from photomap_cli.errors import PhotomapError
from photomap_cli.terminal.output import say

if TYPE_CHECKING:
    from photomap_cli.library.indexer import IndexOptions
    from photomap_cli.records import IndexReport
    from photomap_cli.session.session import Session
    from photomap_cli.settings import Settings

    Outcome = tuple[bool, IndexReport]  # whether it was interrupted, and what was done

DEMO_QUERIES = ("snowy mountains", "red car", "sunset over the sea -boat")
DEMO_PHOTOS = Path(__file__).parents[1] / "demo_photos"


@app.command()
def index(
    context: typer.Context,
    paths: Annotated[list[Path] | None, typer.Argument(metavar="PATH", help="Folders or photos.  [default: .]")] = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            metavar="SPEC",
            help="Encoder of a new library; of another one with --rebuild.",
            autocompletion=completing.encoders,
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="Leave these out (gitignore form); may be repeated."),
    ] = None,
    hidden: Annotated[bool, typer.Option("--hidden", help="Also hidden files and folders.")] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            min=1,
            max=256,
            metavar="N",
            help="Processes that decode.  [default: one a core, 16 at most]",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Count what would be done; change nothing.")] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Encode every photo anew; the old vectors answer until all are done.")
    ] = False,
    recheck: Annotated[
        bool, typer.Option("--recheck", help="Read every file again, to find changes that size and times don't show.")
    ] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Also remove photos whose folder is missing or empty, as on a missing disk.")
    ] = False,
    errors: Annotated[
        bool, typer.Option("--errors", help="List every file that failed or is damaged, and the kinds of other files.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The report as one JSON object.")] = False,
) -> int:
    """Add folders to the library, or bring them up to date.

    Photos that are unchanged, moved, renamed or copied are not encoded again; photos that are gone are removed, unless
    their whole folder is, as when a disk is not mounted.  Ctrl-C keeps what is done; the next run goes on from there.
    """
    from photomap_cli.library.database import library_exists
    from photomap_cli.library.indexer import IndexOptions
    from photomap_cli.terminal.report import write_report

    given: Globals = context.obj
    values = given.settings(exclude=exclude or None).values
    options = IndexOptions(
        exclude=values.exclude,
        hidden=hidden,
        jobs=jobs,
        dry_run=dry_run,
        prune=prune,
        recheck=recheck,
        max_megapixels=values.megapixel_limit,
        thumbnail_cache_bytes=values.thumbnail_cache_bytes,
    )
    quiet = given.quiet or as_json
    roots = [path if path.is_absolute() else directories.working_directory() / path for path in paths or []]
    work = _encode_anew if rebuild and library_exists(given.library) else bring_up_to_date
    try:
        interrupted, report = work(given.library, values, encoder, roots, options, quiet=quiet)
    except KeyboardInterrupt:  # before the run, or after it
        if not quiet:
            say("photomap: stopped; run the same command again to continue")
        return INTERRUPTED
    write_report(report, sys.stdout, as_json=as_json, list_errors=errors, quiet=given.quiet, dry_run=dry_run)
    return INTERRUPTED if interrupted else FOUND


def bring_up_to_date(
    folder: Path, values: Settings, encoder: str | None, paths: list[Path], options: IndexOptions, *, quiet: bool
) -> Outcome:
    """Index these paths, this folder if there are none, into a library that is made if need be."""
    from photomap_cli.library.database import library_exists
    from photomap_cli.library.rebuild import unfinished
    from photomap_cli.session.session import Session

    if not quiet and (begun := unfinished(folder)):
        goes_on = f"photomap index --rebuild --encoder {begun.spec}"
        say(f"photomap: encoding anew with {begun.spec} is not finished: {goes_on}")
    with ExitStack() as opened:
        is_new = not library_exists(folder)
        if options.dry_run and is_new:
            folder = Path(opened.enter_context(TemporaryDirectory()))  # a dry run leaves no library behind
        create = is_new or not options.dry_run  # nor asks for one that can be written
        session = opened.enter_context(Session.open(folder, values, encoder=encoder, create=create))
        return _run_index(session, paths or [directories.working_directory()], options, quiet=quiet)


def _encode_anew(
    folder: Path, values: Settings, encoder: str | None, paths: list[Path], options: IndexOptions, *, quiet: bool
) -> Outcome:
    """Fill the library's draft, which takes its place when it is whole."""
    from photomap_cli.encoder import models
    from photomap_cli.library.rebuild import Rebuild
    from photomap_cli.session.session import Session

    options = replace(options, thumbnail_cache_bytes=0, anew=True)  # the library has thumbnails
    with Rebuild(folder) as anew, ExitStack() as opened:
        spec = models.resolve(encoder or anew.spec or values.encoder, values.device)
        draft = anew.draft
        if not options.dry_run:
            anew.begin(spec)
        elif not anew.goes_on(spec):
            draft = Path(opened.enter_context(TemporaryDirectory()))
        with Session.open(draft, values, encoder=spec, create=True) as session:
            roots = [*map(Path, anew.roots), *paths] or [directories.working_directory()]
            interrupted, report = _run_index(session, roots, options, quiet=quiet)
        if interrupted and not quiet:
            say("photomap: the old vectors go on answering; the same command goes on from here")
        if not interrupted and not options.dry_run:
            anew.finish(prune=options.prune)
    return interrupted, report


def _run_index(session: Session, paths: list[Path], options: IndexOptions, *, quiet: bool) -> Outcome:
    """Run an indexer to its end or to Ctrl-C; return whether it was Ctrl-C, and the report."""
    from photomap_cli.terminal.progress import follow
    from photomap_cli.terminal.report import summary
    from photomap_cli.terminal.statusbar import place

    def encoder_under_way() -> str:
        status = session.status()
        return str(place(status)) if status.state.is_moving else ""

    indexer = session.indexer(options)
    try:
        with closing(indexer.run(paths)) as events:
            follow(events, console=make_console(stderr=True), quiet=quiet, note=encoder_under_way)
            for words in () if quiet else (*session.encoder_notes(), *session.vectors.take_notes()):
                say(f"photomap: {words}")
    except KeyboardInterrupt:
        return True, indexer.report
    except PhotomapError:
        done = indexer.report
        if done.left and (done.added or done.updated or done.moved) and not quiet:
            say(f"photomap: {summary(done)}")
        raise
    return False, indexer.report


@app.command()
def demo(context: typer.Context) -> int:
    """Try it: a small library of drawn photos, indexed and searched, then the prompt.

    Without --library it lives apart from your own library.
    """
    from photomap_cli.terminal.piped import has_screen

    given: Globals = context.obj
    home = directories.demo_directory()
    if not given.library_is_chosen:
        given = replace(given, library=home / "library")
    photos = home / "photos"
    if not photos.is_dir():
        copy_demo_photos(photos)
    status = _index_and_show(given, photos)
    if status or not has_screen(sys.stdin, sys.stdout):
        return status
    from photomap_cli.cli.conversing import converse

    return converse(given.library, is_demo=True)


def copy_demo_photos(folder: Path) -> None:
    """Copy the demo's photos.  The folder has its name once all are there, so an interruption leaves no half demo."""
    begun = folder.with_name(f"{folder.name}.begun")
    shutil.rmtree(begun, ignore_errors=True)
    shutil.copytree(DEMO_PHOTOS, begun)
    begun.rename(folder)


def _index_and_show(given: Globals, photos: Path) -> int:
    """Index the demo's photos and print the answers to a few queries."""
    from rich.text import Text

    from photomap_cli.library.indexer import IndexOptions
    from photomap_cli.records import SearchRequest
    from photomap_cli.session.session import Session
    from photomap_cli.terminal import report, results
    from photomap_cli.terminal.lines import ResultStyle

    console = make_console()
    values = given.settings().values
    options = IndexOptions(thumbnail_cache_bytes=values.thumbnail_cache_bytes)
    with Session.open(given.library, values, encoder="tiny", create=True) as session:
        interrupted, done = _run_index(session, [photos], options, quiet=given.quiet)
        report.write_report(done, sys.stdout)
        if interrupted:
            return INTERRUPTED
        for query in DEMO_QUERIES:
            result = session.search(SearchRequest(query, cwd=str(photos), limit=5))
            console.print(Text(f"\n$ photomap search {query}", "bold"))
            results.write(result, ResultStyle.TABLE, sys.stdout, cwd=photos, console=console)
    return FOUND
