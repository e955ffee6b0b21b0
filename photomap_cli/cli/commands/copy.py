"""Owns `photomap copy`."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photomap_cli import directories
from photomap_cli.cli.exit_status import FOUND, INTERRUPTED
from photomap_cli.cli.options import make_console
from photomap_cli.errors import BadPath, UsageError
from photomap_cli.library import location
from photomap_cli.session import libraries
from photomap_cli.views.output import say

if TYPE_CHECKING:
    from photomap_cli.cli.options import Globals
    from photomap_cli.records.copies import CopyReport

_MAPS = ("map-*.npz", "phrases-*.npz")
"""The file that the map keeps in a library's folder."""


def copy(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="FROM", help="The library's folder or address.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="A new or empty folder, or an address.")],
    no_thumbnails: Annotated[
        bool, typer.Option("--no-thumbnails", help="Leave out thumbnails; they are made again when needed.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The report as one JSON object.")] = False,
) -> int:
    """Copy a whole library to another folder or address.

    Albums and saved searches come along, the photo files don't, and nothing is overwritten.  A folder becomes a library
    only once everything is there.  From folder to folder the copy is of one moment, also while photomap searches or
    indexes, and an interrupted one starts again.  To or from a shared library's address it continues: it skips what is
    there already, and leaves other photos alone.  `photomap --library TO` uses the copy.
    """
    given: Globals = context.obj
    places = _place(source, "FROM"), _place(target, "TO")
    quiet, is_shared = given.quiet or as_json, any(map(libraries.is_shared, places))
    copied = _copied_across if is_shared else _copied
    try:
        report = copied(*places, with_thumbnails=not no_thumbnails, quiet=quiet)
    except KeyboardInterrupt:
        if not quiet:
            what = "continue" if is_shared else "copy from the start"
            say(f"photomap: stopped; run the same command again to {what}")
        return INTERRUPTED
    if as_json:
        from photomap_cli.views.machine_output import write_document

        write_document(report.to_json(), sys.stdout)
    elif not quiet:
        say(*_summary(report), file=sys.stdout)
    return FOUND


def _copied(source: Path, target: Path, *, with_thumbnails: bool, quiet: bool) -> CopyReport:
    from photomap_cli.export.library_copy import copy_library
    from photomap_cli.library.entities import IMAGE_PROBES_NAME, PROBES_NAME
    from photomap_cli.vectors.store import FILES
    from photomap_cli.views.progress import byte_bar

    maps = sorted(each.name for kind in _MAPS for each in source.glob(kind))
    derived = (*FILES, PROBES_NAME, IMAGE_PROBES_NAME, *maps)
    with byte_bar("copying", console=make_console(stderr=True), quiet=quiet) as tell:
        return copy_library(source, target, derived=derived, caches=_caches(with_thumbnails), on_progress=tell)


def _copied_across(source: Path, target: Path, *, with_thumbnails: bool, quiet: bool) -> CopyReport:
    """Copy photo by photo where one of the two is at an address."""
    from photomap_cli.export.shared_copy import copy_to_address, copy_to_folder
    from photomap_cli.views.progress import photo_bar

    names = directories.library_name(source), directories.library_name(target)
    if names[0] == names[1]:
        raise BadPath(f"{names[1]} is the library itself", hint="name another address or folder")
    caches = _caches(with_thumbnails)
    with libraries.open_library(source) as opened, ExitStack() as stack:
        tell = stack.enter_context(photo_bar("copying", console=make_console(stderr=True), quiet=quiet))
        if not libraries.is_shared(target):
            make = partial(libraries.open_library, create=True)
            return copy_to_folder(opened, target, names, make, tell, caches=caches)
        there = stack.enter_context(libraries.open_library(target, create=True))
        there.while_waiting(lambda words: None if quiet else say(f"photomap: {words}"))
        return copy_to_address(opened, there, names, tell, caches=caches)


def _caches(with_thumbnails: bool) -> tuple[str, ...]:
    from photomap_cli.images import thumbnail_cache
    from photomap_cli.library import query_cache

    return (query_cache.FILE_NAME, *([thumbnail_cache.FILE_NAME] if with_thumbnails else ()))


def _place(text: str, name: str) -> Path:
    """Return a library's absolute folder, as `library.location` tells it.  Raises UsageError, BadPath, BadSetting."""
    if not text:
        raise UsageError(f"{name} is empty", hint="photomap copy --help")
    if "://" in text:
        return location.library_directory(text)
    try:
        return directories.absolute(Path(text))
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadPath(
            f"{name} cannot be a folder: {str(reason).lower().rstrip('.')}", hint="name another one"
        ) from error


def _summary(report: CopyReport) -> list[str]:
    from photomap_cli.views.formatting import counted, elapsed, folded, human_bytes, listed, photos

    held = [photos(report.photos)]
    held += [counted(report.albums, "album")] if report.albums else []
    held += [f"{report.searches:,} saved search{'es' * (report.searches != 1)}"] if report.searches else []
    if report.was_there:
        return [f"{report.target} already has this library: {', '.join(held)}"]
    took = f"{human_bytes(report.bytes)} in {elapsed(report.elapsed_ms)};"
    return folded([*listed(held, ":"), took, f"now in {report.target}"])
