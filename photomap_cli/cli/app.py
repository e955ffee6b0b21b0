"""Owns the Typer application, its global options, and what `photomap` alone does: the prompt."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from photomap_cli._version import __version__
from photomap_cli.cli import stdio
from photomap_cli.cli.exit_status import FOUND
from photomap_cli.cli.options import Globals
from photomap_cli.cli.usage_errors import Group
from photomap_cli.views.output import say

app = typer.Typer(
    name="photomap",
    cls=Group,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: the same in every terminal, in pipes and in the README
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        say(f"photomap {__version__}", file=sys.stdout)
        raise typer.Exit


@app.callback(invoke_without_command=True)
def repl(
    context: typer.Context,
    library: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="The library's folder, or its address.  [env: PHOTOMAP_LIBRARY]"),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Hide progress and notices.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log details to standard error.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> int:
    """Find photos by what is in them.

    Without a command you get a prompt to search at.  The encoder stays ready between searches and frees the GPU by
    itself when idle.  `photomap black cat` is short for `photomap search black cat`.
    """
    context.obj = Globals(library, quiet, verbose)
    stdio.configure_logging(verbose=verbose)
    if context.invoked_subcommand:
        return FOUND
    from photomap_cli.cli.interactive import run_interactive

    return run_interactive(context.obj.library)
