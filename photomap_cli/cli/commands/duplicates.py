"""Owns `photomap duplicates`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photomap_cli import directories, pathnames
from photomap_cli.cli import backend
from photomap_cli.cli.exit_status import FOUND, NOTHING_FOUND
from photomap_cli.cli.options import Globals, make_console
from photomap_cli.errors import BadPath, UsageError
from photomap_cli.views.machine_output import write_document

if TYPE_CHECKING:
    from photomap_cli.records import DuplicateGroup, PhotoFilter


def duplicates(
    context: typer.Context,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help="Look only below these folders.  [default: the whole library]"),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(min=0.5, max=1.0, metavar="X", help="Score from which photos count as the same.  [default: 0.97]"),
    ] = None,
    identical: Annotated[bool, typer.Option("--identical", help="Only exact copies.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    spare: Annotated[bool, typer.Option("--paths", help="Paths of all but the best, one per line.")] = False,
    nul: Annotated[bool, typer.Option("-0", help="The same, each ending in NUL (for xargs -0).")] = False,
) -> int:
    """Find photos that you have more than once; nothing is deleted.

    Lists exact copies first, then nearly identical shots.  Each group begins with the photo that looks best to keep:
    most pixels, then most bytes, then the oldest file.  Links don't count as copies, and files that have changed since
    they were indexed are left out, so run `photomap index` first.

    Exit status 1 when there are none.
    """
    if as_json + spare + nul > 1:
        raise UsageError("--json, --paths and -0 can't be combined", hint="choose one of them")
    given: Globals = context.obj
    settings = given.settings(same_shot_score=threshold).values
    started = time.perf_counter()
    groups = _find(given, paths or [], threshold=settings.same_shot_score, only_identical=identical)
    if as_json:
        record = {
            "threshold": settings.same_shot_score,
            "count": len(groups),
            "elapsed_ms": round(1e3 * (time.perf_counter() - started), 1),
            "groups": [group.to_json() for group in groups],
        }
        write_document(record, sys.stdout)
    else:
        _write(groups, paths_end={(True, False): "\n", (False, True): "\0"}.get((spare, nul)))
    return FOUND if groups else NOTHING_FOUND


def _find(given: Globals, paths: Sequence[Path], *, threshold: float, only_identical: bool) -> list[DuplicateGroup]:
    """Search the library for duplicates, with a line on standard error if that takes long."""
    from photomap_cli.search import near_duplicates
    from photomap_cli.session.libraries import open_library
    from photomap_cli.views.formatting import photos
    from photomap_cli.views.spinner import wait_for

    scopes, left_out = [_scope(path) for path in paths], list[int]()
    with open_library(given.library) as library:
        find = partial(
            near_duplicates.find,
            library.facts,
            scopes,
            threshold=threshold,
            only_identical=only_identical,
            left_out=left_out.append,
        )
        words = f"comparing {photos(library.facts.photo_count)}…"
        is_quiet = given.quiet or not sys.stderr.isatty()
        found = find() if is_quiet else wait_for(find, console=make_console(stderr=True), words=lambda: words)
    if sum(left_out):
        backend.tell([f"{photos(sum(left_out))} left out, changed or gone; run `photomap index`"], given)
    return found


def _scope(path: Path) -> PhotoFilter:
    from photomap_cli.records import FilterKind, PhotoFilter

    real = pathnames.real(str(directories.absolute(path)))
    if not os.path.isdir(real):  # noqa: PTH112  Path fails at a name that is too long
        raise BadPath(f"{path} isn't a folder", hint="give a folder of the library, or none for all of it")
    return PhotoFilter(FilterKind.IN, real)


def _write(groups: Sequence[DuplicateGroup], *, paths_end: str | None) -> None:
    from photomap_cli.views import duplicates
    from photomap_cli.views.machine_output import write_paths

    if paths_end is not None:
        write_paths(duplicates.spare_paths(groups), sys.stdout, end=paths_end)
    elif sys.stdout.isatty():
        duplicates.print_groups(groups, make_console(), directories.working_directory())
    else:
        duplicates.write_rows(groups, sys.stdout)
