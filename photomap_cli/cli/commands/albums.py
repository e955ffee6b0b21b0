"""Owns `photomap albums`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photomap_cli import directories
from photomap_cli.cli.exit_status import FOUND, NOTHING_FOUND
from photomap_cli.errors import UsageError
from photomap_cli.views.output import say

if TYPE_CHECKING:
    from photomap_cli.cli.options import Globals


def albums(
    context: typer.Context,
    as_json: Annotated[
        bool, typer.Option("--json", help="Albums, their photos and saved searches as one JSON object: an export.")
    ] = False,
    file: Annotated[
        str | None,
        typer.Option("--import", metavar="FILE", help="Import such an export; - for standard input."),
    ] = None,
) -> int:
    """List albums and saved searches; export or import them.

    You make them at the prompt, with :album and :save-search, and use them in queries: album:Best, @@trip.  They
    survive `index --rebuild`, another encoder, and moving or renaming photos.  An import only adds, except that a
    saved search replaces one of the same name.

    Exit status 1 when there are none.
    """
    from photomap_cli.library import user_data
    from photomap_cli.library.user_data_json import export_json, import_json
    from photomap_cli.views.formatting import counted
    from photomap_cli.views.machine_output import write_document, write_plain

    given: Globals = context.obj
    if file is not None and as_json:
        raise UsageError("--json and --import can't be combined", hint="choose one of them")
    if file is not None:
        name = None if file == "-" else directories.absolute(_path(file))
        imported = import_json(given.library, sys.stdin.buffer if name is None else name)
        if not given.quiet:
            new = f"{counted(imported.albums, 'album')} with {counted(imported.photos, 'new photo')}"
            say(f"imported {new}, and {imported.searches:,} saved search{'' if imported.searches == 1 else 'es'}")
        return FOUND
    found, saved = user_data.albums(given.library), user_data.searches(given.library)
    if as_json:
        write_document(export_json(given.library), sys.stdout)
    else:
        for name_, count in found:
            write_plain((name_,), str(count), sys.stdout)
        for name_, text in saved.items():
            write_plain((f"@@{name_}",), text, sys.stdout)
        if not (found or saved or given.quiet):
            say("no albums or saved searches yet; :album and :save-search at the prompt make them")
    return FOUND if found or saved else NOTHING_FOUND


def _path(file: str) -> Path:
    from pathlib import Path

    return Path(file)
