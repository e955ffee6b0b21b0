"""Owns the Typer application, its global options, and what `photomap` alone does: the prompt."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photomap_cli import __version__, directories

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from photomap_cli.session.backend import Backend
    from photomap_cli.settings import LoadedSettings

FOUND, NOTHING_FOUND, INTERRUPTED = 0, 1, 130

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
        print(f"photomap {__version__}")
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
    _log(verbose)
    return FOUND if context.invoked_subcommand else converse(context.obj)


def _is_chosen(flag: Path | None) -> bool:
    return flag is not None or "PHOTOMAP_LIBRARY" in os.environ


def _log(verbose: bool) -> None:
    logging.basicConfig(level=logging.INFO if verbose else logging.CRITICAL, format="%(name)s: %(message)s")


def converse(given: Globals) -> int:
    """Run the prompt, or answer standard input line by line where there is no terminal."""
    from photomap_cli.session.live import attach_or_open
    from photomap_cli.terminal.piped import has_screen, run_lines

    values = given.settings().values
    subscribers: list[Callable[[], None]] = []

    def on_change() -> None:
        for tell in subscribers:
            tell()

    def open_backend() -> Backend:
        return attach_or_open(given.library, values, kind="repl", on_change=on_change)

    if not has_screen(sys.stdin, sys.stdout):
        return run_lines(open_backend, cwd=Path.cwd(), limit=values.results)
    from photomap_cli.terminal.repl import Repl

    return Repl(
        open_backend,
        console=make_console(),
        cwd=Path.cwd(),
        history_path=directories.history_file(),
        limit=values.results,
        prewarm=values.prewarm,
        subscribe=subscribers.append,
    ).run()


def make_console(*, stderr: bool = False) -> Console:
    """Return a console that takes a pipe for a pipe, whatever the environment says."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=False)
