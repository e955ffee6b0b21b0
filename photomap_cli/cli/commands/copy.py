"""Owns `photomap copy`."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photomap_cli import directories
from photomap_cli.cli.exit_status import FOUND, INTERRUPTED
from photomap_cli.cli.options import make_console
from photomap_cli.errors import BadPath, UsageError
from photomap_cli.views.output import say

if TYPE_CHECKING:
    from photomap_cli.cli.options import Globals
    from photomap_cli.records.copies import CopyReport

_MAPS = ("map-*.npz", "phrases-*.npz")
"""The file that the map keeps in a library's folder."""

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)


def copy(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="FROM", help="The library's folder.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="A new folder, or an empty one.")],
    no_thumbnails: Annotated[
        bool, typer.Option("--no-thumbnails", help="Leave out thumbnails; they are made again when needed.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The report as one JSON object.")] = False,
) -> int:
    """Copy a whole library to another folder: photos' facts and vectors, albums and saved searches.

    Not the photo files.  The copy is of one moment, also while photomap searches or indexes.  Nothing is overwritten,
    and TO is a library only once everything is there: whatever interrupts it, the same command begins again.
    `photomap --library TO` uses the copy.
    """
    given: Globals = context.obj
    folders = _folder(source, "FROM"), _folder(target, "TO")
    quiet = given.quiet or as_json
    try:
        report = _copied(*folders, with_thumbnails=not no_thumbnails, quiet=quiet)
    except KeyboardInterrupt:
        if not quiet:
            say("photomap: stopped; run the same command again to copy from the start")
        return INTERRUPTED
    if as_json:
        from photomap_cli.views.machine_output import write_document

        write_document(report.to_json(), sys.stdout)
    elif not quiet:
        say(_summary(report), file=sys.stdout)
    return FOUND


def _copied(source: Path, target: Path, *, with_thumbnails: bool, quiet: bool) -> CopyReport:
    from photomap_cli.export.library_copy import copy_library
    from photomap_cli.images import thumbnail_cache
    from photomap_cli.library import query_cache
    from photomap_cli.library.entities import IMAGE_PROBES_NAME, PROBES_NAME
    from photomap_cli.vectors.store import FILES
    from photomap_cli.views.progress import byte_bar

    maps = sorted(each.name for kind in _MAPS for each in source.glob(kind))
    derived = (*FILES, PROBES_NAME, IMAGE_PROBES_NAME, *maps)
    caches = (query_cache.FILE_NAME, *([thumbnail_cache.FILE_NAME] if with_thumbnails else ()))
    with byte_bar("copying", console=make_console(stderr=True), quiet=quiet) as tell:
        return copy_library(source, target, derived=derived, caches=caches, on_progress=tell)


def _folder(text: str, name: str) -> Path:
    """Return the absolute folder that an argument means.  Raises UsageError, BadPath."""
    if address := _ADDRESS.match(text):  # the rest may hold a password
        hint = "name a folder; one that is called so is ./NAME"
        raise UsageError(f"{name} is a {address[1]}:// address; this version has no shared libraries", hint=hint)
    if not text:
        raise UsageError(f"{name} is empty", hint="photomap copy --help")
    try:
        return directories.absolute(Path(text))
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadPath(
            f"{name} cannot be a folder: {str(reason).lower().rstrip('.')}", hint="name another one"
        ) from error


def _summary(report: CopyReport) -> str:
    from photomap_cli.views.formatting import counted, elapsed, human_bytes, photos

    held = [photos(report.photos)]
    held += [counted(report.albums, "album")] if report.albums else []
    held += [f"{report.searches:,} saved search{'es' * (report.searches != 1)}"] if report.searches else []
    if report.was_there:
        return f"{report.target} already has this library: {', '.join(held)}"
    return f"{', '.join(held)}: {human_bytes(report.bytes)} in {elapsed(report.elapsed_ms)}; now in {report.target}"
