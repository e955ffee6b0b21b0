"""Owns `photomap map`."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from photomap_cli import directories
from photomap_cli.cli import argv
from photomap_cli.cli import backend as backend_module
from photomap_cli.cli.exit_status import FOUND
from photomap_cli.cli.options import Globals, make_console
from photomap_cli.records.maps import MOST_CLUSTERS

if TYPE_CHECKING:
    from photomap_cli.cli.previews import PageFile
    from photomap_cli.records.maps import MapRequest, PhotoMap
    from photomap_cli.session.backend import Backend


def draw_map(
    context: typer.Context,
    filters: Annotated[
        list[str] | None, typer.Argument(metavar="FILTER", help="Only these photos: after:2023 ext:jpg")
    ] = None,
    folder: Annotated[
        str | None,
        typer.Option("--in", metavar="DIR", help="Only photos below this folder; * for the whole library."),
    ] = None,
    clusters: Annotated[
        int | None,
        typer.Option(min=1, max=MOST_CLUSTERS, metavar="N", help="Number of groups.  [default: depends on the photos]"),
    ] = None,
    group: Annotated[
        str | None, typer.Option("--group", metavar="GROUP", help="List this group's photos: a letter, number or name.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    html: Annotated[
        str | None,
        typer.Option("--html", metavar="FILE", help="Write a zoomable web page; - for standard output."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Let --html overwrite a file.")] = False,
    local: Annotated[bool, typer.Option("--local", help="Don't use a running session; load the encoder here.")] = False,
) -> int:
    """Draw a map of the library, in groups with names.

    The map is kept until the photos change.  Naming the groups needs the encoder the first time.  With `pip install
    'photomap-cli[map]'` every photo gets its own place (PaCMAP); without it, places are by group.
    """
    from photomap_cli.cli import previews
    from photomap_cli.records.maps import MapRequest
    from photomap_cli.views import map

    given: Globals = context.obj
    printed = {"--json": as_json}
    file = previews.page_file(html, over=force, also_printed=printed) if html is not None or force else None
    cwd = str(directories.working_directory())
    request = MapRequest(
        cwd=cwd,
        folder=backend_module.folder(folder),
        filters=argv.filters_text(filters or [], cwd),
        clusters=clusters,
    )
    drawn = _drawn(given, request, local=local)
    if group is not None:
        return _list_group(drawn, group, request, given, file, as_json=as_json, local=local)
    notices = [*drawn.notices]
    if file is not None:
        notices += _write_page(drawn, given, file)
    if as_json or file is None:
        map.write(drawn, sys.stdout, as_json=as_json, console=make_console())
    backend_module.tell(notices, given)
    return FOUND


def _list_group(
    drawn: PhotoMap,
    word: str,
    request: MapRequest,
    given: Globals,
    file: PageFile | None,
    *,
    as_json: bool,
    local: bool,
) -> int:
    """Write a group's photos as a search writes its results."""
    from photomap_cli.cli import previews
    from photomap_cli.records.maps import GroupRequest
    from photomap_cli.repl.commands.map import LISTING, group_called
    from photomap_cli.views import results
    from photomap_cli.views.machine_output import ResultStyle

    group_request = GroupRequest(request, group_called(drawn, word, shows="`photomap map`"))
    result = backend_module.ask(
        given, lambda backend: backend.group(group_request), text="", local=local, words=lambda _: LISTING
    )
    notices = [*drawn.notices, *result.notices]
    if file is not None:
        notices += previews.write_page(result, given, file)
    if as_json or file is None:
        style = ResultStyle.JSON if as_json else ResultStyle.TABLE if sys.stdout.isatty() else ResultStyle.PLAIN
        results.write(result, style, sys.stdout, cwd=directories.working_directory(), console=make_console())
    backend_module.tell(notices, given)
    return FOUND


def _write_page(drawn: PhotoMap, given: Globals, file: PageFile) -> tuple[str, ...]:
    """Write the map to a page and return a notice about it."""
    from photomap_cli.cli.previews import thumbnailer, waiting
    from photomap_cli.views.formatting import photos
    from photomap_cli.views.html.scatter import map_page

    return file.save(
        f"a map of {photos(len(drawn.points))}", map_page(drawn, partial(thumbnailer, given), waiting(given))
    )


def _drawn(given: Globals, request: MapRequest, *, local: bool) -> PhotoMap:
    return backend_module.ask(
        given, lambda backend: backend.map(request), text=request.filters, local=local, words=_stage
    )


def _stage(backend: Backend) -> str:
    """Return the progress, as far as it is known here."""
    from photomap_cli.repl.commands.map import DRAWING

    return backend.progress() or DRAWING
