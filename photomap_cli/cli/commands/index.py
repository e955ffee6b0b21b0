"""Owns `photomap index`."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photomap_cli import directories
from photomap_cli.cli import settings_cache, shell_completion
from photomap_cli.cli.exit_status import FOUND, INTERRUPTED
from photomap_cli.cli.index_run import rebuild_library, update_library
from photomap_cli.errors import UsageError
from photomap_cli.views.output import say

if TYPE_CHECKING:
    from photomap_cli.cli.options import Globals


def index(
    context: typer.Context,
    paths: Annotated[list[Path] | None, typer.Argument(metavar="PATH", help="Folders or photos.  [default: .]")] = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            metavar="SPEC",
            help="Encoder for a new library, or for this one with --rebuild.",
            autocompletion=shell_completion.encoders,
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="Leave these out (as in .gitignore); can be repeated."),
    ] = None,
    hidden: Annotated[bool, typer.Option("--hidden", help="Include hidden files and folders.")] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            min=1,
            max=256,
            metavar="N",
            help="Decoding processes.  [default: one per core, up to 64]",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Show what would be done without doing it.")] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Encode every photo again; searches use the old vectors until it's done.")
    ] = False,
    recheck: Annotated[
        bool, typer.Option("--recheck", help="Read every file again, to find changes that size and times don't show.")
    ] = False,
    prune: Annotated[
        bool,
        typer.Option("--prune", help="Also remove photos whose folder is missing or empty, as on an unmounted disk."),
    ] = False,
    errors: Annotated[
        bool, typer.Option("--errors", help="List every file that failed or is damaged, and the kinds of other files.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Keep running and index changes in these folders, until Ctrl-C or SIGTERM.")
    ] = False,
    part: Annotated[
        str | None,
        typer.Option(metavar="K/N", help="Index only the K-th of N parts of the files."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report as one JSON object.")] = False,
) -> int:
    """Add folders to the library, or bring them up to date.

    Photos that are unchanged, moved, renamed or copied aren't encoded again.  Photos that are gone are removed, unless
    their whole folder is gone, as when a disk isn't mounted.  Ctrl-C keeps what is done; the next run continues there.
    """
    from photomap_cli.indexing.index_options import IndexOptions
    from photomap_cli.indexing.parts import Part
    from photomap_cli.session import libraries
    from photomap_cli.views.index_report import write_report

    given: Globals = context.obj
    if part is not None and rebuild:
        hint = "leave one of them out"
        raise UsageError("--part and --rebuild don't go together: a library has one encoder", hint=hint)
    values = given.settings(exclude=exclude).values if exclude else settings_cache.load()
    options = IndexOptions.of(
        values,
        hidden=hidden,
        jobs=jobs,
        dry_run=dry_run,
        prune=prune,
        recheck=recheck,
        part=None if part is None else Part.parse(part),
    )
    quiet = given.quiet or as_json
    roots = [path if path.is_absolute() else directories.working_directory() / path for path in paths or []]
    tell = partial(
        write_report, file=sys.stdout, as_json=as_json, list_errors=errors, quiet=given.quiet, dry_run=dry_run
    )
    if watch:
        if dry_run or rebuild:
            other = "--dry-run" if dry_run else "--rebuild"
            raise UsageError(f"--watch and {other} don't go together", hint=f"run it with {other} first, then --watch")
        from photomap_cli.cli.index_watch import keep_fresh

        return keep_fresh(given.library, values, encoder, roots, options, quiet=quiet, tell=tell)
    work = rebuild_library if rebuild and libraries.exists(given.library) else update_library
    try:
        interrupted, report = work(given.library, values, encoder, roots, options, quiet=quiet)
    except KeyboardInterrupt:  # before the run, or after it
        if not quiet:
            say("photomap: stopped; run the same command again to continue")
        return INTERRUPTED
    tell(report)
    return INTERRUPTED if interrupted else FOUND
