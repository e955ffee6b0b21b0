"""Owns `photomap search`."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from photomap_cli import directories
from photomap_cli.cli import argv, index_offer, keep_warm
from photomap_cli.cli import backend as backend_module
from photomap_cli.cli.exit_status import FOUND, NOTHING_FOUND
from photomap_cli.cli.options import Globals, make_console
from photomap_cli.errors import EmptyLibrary, UsageError

if TYPE_CHECKING:
    from photomap_cli.records import SearchRequest, SearchResult
    from photomap_cli.views.machine_output import ResultStyle


class Sort(StrEnum):
    """Orders of results."""

    SCORE = "score"
    DATE = "date"


def search(
    context: typer.Context,
    query: Annotated[list[str], typer.Argument(metavar="QUERY", help="What to look for, as at the prompt.")],
    limit: Annotated[
        int | None,
        typer.Option("-k", "--limit", min=1, max=100_000, metavar="N", help="Number of results.  [default: 10]"),
    ] = None,
    folder: Annotated[
        str | None,
        typer.Option("--in", metavar="DIR", help="Only photos below this folder; * for the whole library."),
    ] = None,
    min_score: Annotated[
        float | None,
        typer.Option(min=-1.0, max=1.0, metavar="X", help="Hide results below this score (-1 to 1)."),
    ] = None,
    sort: Annotated[
        Sort, typer.Option(help="Order of the results: best first, or the same ones newest first.")
    ] = Sort.SCORE,
    collapse: Annotated[
        bool | None,
        typer.Option("--collapse/--no-collapse", help="Show only the best of similar shots.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON object per result, one per line.")] = False,
    paths: Annotated[bool, typer.Option("--paths", help="Paths only, one per line.")] = False,
    nul: Annotated[bool, typer.Option("-0", help="Paths only, each ending in NUL (for xargs -0).")] = False,
    exact: Annotated[bool, typer.Option("--exact", help="Compare with every photo, even in a large library.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Explain each score, term by term.")] = False,
    preview: Annotated[bool, typer.Option("--preview", help="Show the photos in the terminal.")] = False,
    html: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write the results as a web page; - for standard output."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Let --html overwrite a file.")] = False,
    local: Annotated[bool, typer.Option("--local", help="Don't use a running session; load the encoder here.")] = False,
) -> int:
    """Search once and print the photos found, best first.

    
    photomap search golden retriever on a beach -people
    photomap search "2:sunset + ./pier.jpg" after:2023 --paths
    photomap search birthday cake -k 100 --html cakes.html
    photomap search camera:nikon after:2024 --paths

    Filters alone, as in the last example, list photos, newest first.  Exit status 1 when nothing is found.
    """
    from photomap_cli.cli import previews
    from photomap_cli.records import SearchRequest
    from photomap_cli.views.machine_output import ResultStyle

    given: Globals = context.obj
    style = _result_style(as_json=as_json, jsonl=jsonl, paths=paths, nul=nul, preview=preview)
    if explain and (paths or nul or preview):
        raise UsageError("--explain can't be combined with --paths, -0 or --preview", hint="leave out one of them")
    printed = {"--json": as_json, "--jsonl": jsonl, "--paths": paths, "-0": nul, "--preview": preview}
    file = previews.page_file(html, over=force, also_printed=printed) if html is not None or force else None
    cwd = str(directories.working_directory())
    request = SearchRequest(
        text=argv.query_text(query, cwd),
        cwd=cwd,
        limit=limit,
        min_score=min_score,
        folder=backend_module.folder(folder),
        sort=sort.value,
        exact=exact,
        collapse=collapse,
        explain=explain,
    )
    offers = style is ResultStyle.TABLE and file is None and not given.quiet and index_offer.is_possible()
    result = _search(given, request, local=local, offers=offers)
    notices = [*result.notices]
    if file is not None and result.hits:
        notices += previews.write_page(result, given, file)
    if file is None or not result.hits or any(printed.values()):
        _write(result, style, given, notices, preview=preview, explain=explain)
    else:
        backend_module.tell(notices, given)
    if result.served_by == "local" and not local:
        keep_warm.keep_session(given.library)
    if offers and result.searched_elsewhere and index_offer.accepted(given.library):
        result = _search(given, request, local=local)
        _write(result, style, given, [*result.notices], preview=preview, explain=explain)
    return FOUND if result.hits else NOTHING_FOUND


def _write(
    result: SearchResult, style: ResultStyle, given: Globals, notices: list[str], *, preview: bool, explain: bool
) -> None:
    """Write the results: as pictures where that is wanted and possible, else in the style; tell the notices."""
    from photomap_cli.cli import previews
    from photomap_cli.views import results
    from photomap_cli.views.machine_output import ResultStyle

    console = make_console()
    is_drawn = not explain and style is ResultStyle.TABLE
    if not (is_drawn and previews.show(result, given, console, notices=notices, is_asked_for=preview)):
        results.write(result, style, sys.stdout, cwd=directories.working_directory(), console=console)
        backend_module.tell(notices, given)


def _result_style(*, as_json: bool, jsonl: bool, paths: bool, nul: bool, preview: bool) -> ResultStyle:
    from photomap_cli.views.machine_output import ResultStyle

    styles = ResultStyle
    flags = {styles.JSON: as_json, styles.JSONL: jsonl, styles.PATHS: paths, styles.NUL: nul}
    chosen = [style for style, is_set in flags.items() if is_set]
    if len(chosen) + preview > 1:
        raise UsageError("--json, --jsonl, --paths, -0 and --preview can't be combined", hint="choose one of them")
    return chosen[0] if chosen else styles.TABLE if sys.stdout.isatty() else styles.PLAIN


def _search(given: Globals, request: SearchRequest, *, local: bool, offers: bool = False) -> SearchResult:
    """Search; if the library is empty, first offer to index this folder's photos."""
    from photomap_cli.views.status_line import place

    try:
        return backend_module.ask(
            given,
            lambda backend: backend.search(request),
            text=request.text,
            local=local,
            words=lambda backend: str(place(backend.status())),
        )
    except EmptyLibrary:
        if not offers or not index_offer.accepted(given.library):
            raise
    return _search(given, request, local=local)
