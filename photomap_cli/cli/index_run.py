"""One index run with its progress bar; knows no Typer."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from photomap_cli import directories
from photomap_cli.cli.options import make_console
from photomap_cli.errors import PhotomapError
from photomap_cli.views.output import say

if TYPE_CHECKING:
    from photomap_cli.indexing.index_options import IndexOptions
    from photomap_cli.records import IndexReport
    from photomap_cli.session.session import Session
    from photomap_cli.settings import Settings

    Outcome = tuple[bool, IndexReport]  # whether it was interrupted, and what was done


def update_library(
    folder: Path, values: Settings, encoder: str | None, paths: list[Path], options: IndexOptions, *, quiet: bool
) -> Outcome:
    """Index these paths, or the current folder, into a library that is created if necessary."""
    from photomap_cli.session import libraries
    from photomap_cli.session.session import Session

    named = folder
    with ExitStack() as opened:
        is_shared = libraries.is_shared(folder)  # such a library is made with its first photo
        is_new = not is_shared and not libraries.exists(folder)
        if options.dry_run and is_new:
            folder = Path(opened.enter_context(TemporaryDirectory()))  # a dry run leaves no library behind
        create = is_shared or is_new or not options.dry_run  # and doesn't need one that can be written
        session = opened.enter_context(Session.open(folder, values, encoder=encoder, create=create))
        if not quiet and (begun := libraries.unfinished(named, values)):
            goes_on = f"photomap index --rebuild --encoder {begun.spec}"
            say(f"photomap: re-encoding with {begun.spec} is not finished: {goes_on}")
        return run_index(session, paths or [directories.working_directory()], options, quiet=quiet)


def rebuild_library(
    folder: Path, values: Settings, encoder: str | None, paths: list[Path], options: IndexOptions, *, quiet: bool
) -> Outcome:
    """Fill the library's draft, which replaces the library once it is complete."""
    from photomap_cli.encoder import models
    from photomap_cli.session import libraries
    from photomap_cli.session.session import Session

    options = replace(options, thumbnail_cache_bytes=0, rebuild=True)  # the library has thumbnails
    with libraries.reindex(folder, values) as reindex, ExitStack() as opened:
        roots = reindex.roots(paths) or [directories.working_directory()]
        if reindex.has_other_format and not quiet:
            does = "a rebuild would encode" if options.dry_run else "encoding"
            say(f"photomap: the library has another format; {does} what is in {', '.join(map(str, roots))}")
        spec = models.resolve(encoder or reindex.spec or values.encoder, values.device)
        draft = reindex.draft
        if not options.dry_run:
            reindex.begin(spec)
        elif not reindex.goes_on(spec):  # a library of this computer will do
            draft = Path(opened.enter_context(TemporaryDirectory()))
        with Session.open(draft, values, encoder=spec, create=True) as session:
            interrupted, report = run_index(session, roots, options, quiet=quiet)
        if interrupted and not quiet:
            say("photomap: searches still use the old vectors; run the same command to continue")
        left = "" if interrupted or options.dry_run else reindex.finish(prune=options.prune)
        if left and not quiet:
            say(f"photomap: {left}")
    return interrupted, report


def run_index(session: Session, paths: list[Path], options: IndexOptions, *, quiet: bool) -> Outcome:
    """Run an indexer to its end or to Ctrl-C; return whether it was Ctrl-C, and the report."""
    from photomap_cli.views.index_report import summary
    from photomap_cli.views.progress import follow
    from photomap_cli.views.status_line import place

    def encoder_under_way() -> str:
        status = session.status()
        return str(place(status)) if status.state.is_moving else ""

    indexer = session.indexer(options)
    session.library.while_waiting(lambda words: None if quiet else say(f"photomap: {words}"))
    try:
        with closing(indexer.run(paths)) as events:
            follow(events, console=make_console(stderr=True), quiet=quiet, note=encoder_under_way)
            for words in () if quiet else session.drain_notices():
                say(f"photomap: {words}")
    except KeyboardInterrupt:
        return True, indexer.report
    except PhotomapError:
        done = indexer.report
        if done.left and (done.added or done.updated or done.moved) and not quiet:
            say(*summary(done, "photomap: "))
        raise
    finally:
        session.count_photos()
    return False, indexer.report
