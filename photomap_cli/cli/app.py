"""Owns the Typer application, its global options, and what `photomap` alone does: the prompt."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  Typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photomap_cli import __version__, directories
from photomap_cli.cli import streams
from photomap_cli.cli.ending import FOUND
from photomap_cli.terminal.output import say

if TYPE_CHECKING:
    from rich.console import Console

    from photomap_cli.settings import LoadedSettings

app = typer.Typer(
    name="photomap",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: the same in every terminal, in pipes and in the README
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@dataclass(frozen=True)
class Globals:
    """The options that every command takes."""

    library: Path
    library_is_chosen: bool
    quiet: bool
    verbose: bool

    def settings(self, **flags: Any) -> LoadedSettings:
        """Load the settings, with this command's flags on top."""
        from photomap_cli import settings

        return settings.load(directories.config_file(), flags)


def _print_version(wanted: bool) -> None:
    if wanted:
        say(f"photomap {__version__}", file=sys.stdout)
        raise typer.Exit


@app.callback(invoke_without_command=True)
def repl(
    context: typer.Context,
    library: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The library's folder.  [env: PHOTOMAP_LIBRARY]"),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no notices.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what happens to standard error.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> int:
    """Find photos by what is in them.

    Without a command: an interactive prompt over the library.  The encoder stays ready between queries and gives the
    GPU back by itself when it is idle.
    """
    context.obj = Globals(directories.library_directory(library), _is_chosen(library), quiet, verbose)
    streams.log(verbose=verbose)
    if context.invoked_subcommand:
        return FOUND
    from photomap_cli.cli.conversing import converse

    return converse(context.obj.library)


def _is_chosen(flag: Path | None) -> bool:
    return flag is not None or "PHOTOMAP_LIBRARY" in os.environ


def make_console(*, stderr: bool = False) -> Console:
    """Return a console that takes a pipe for a pipe, whatever the environment says."""
    from photomap_cli.terminal.consoles import console_on

    return console_on(stderr=stderr)
