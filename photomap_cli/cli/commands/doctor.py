"""Owns `photomap doctor`."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from photomap_cli import directories
from photomap_cli._version import __version__
from photomap_cli.cli.exit_status import FOUND
from photomap_cli.cli.options import Globals, make_console
from photomap_cli.errors import PhotomapError
from photomap_cli.records import Check, CheckState
from photomap_cli.views.machine_output import write_document

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console


def doctor(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> int:
    """Check that everything works, and say what to do.

    Looks at settings, terminal, library, GPU and encoder.  Changes nothing and downloads nothing.  Reads all of the
    library's vectors, and loads the encoder unless a running session has it.  Exit status 2 when something is wrong.
    """
    given: Globals = context.obj
    console = make_console()
    checks = list(_written(_checks(given, console), None if as_json else console))
    faults = [check for check in checks if check.state is CheckState.FAULT]
    if as_json:
        write_document({"ok": not faults, "checks": [check.to_json() for check in checks]}, sys.stdout)
    return PhotomapError.exit_status if faults else FOUND


def _written(checks: Iterator[Check], console: Console | None) -> Iterator[Check]:
    """Pass the checks on, writing each as it comes."""
    from photomap_cli.views.doctor import line

    for check in checks:
        if console:
            console.print(line(check), soft_wrap=True)
        yield check


def _checks(given: Globals, console: Console) -> Iterator[Check]:
    from photomap_cli.doctor import environment
    from photomap_cli.settings import Settings, unknown_variables
    from photomap_cli.views.doctor import terminal

    system = f"{__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    yield Check("photomap", CheckState.OK, system)
    try:
        config = directories.config_file()
        settings = given.settings().values
    except PhotomapError as error:
        yield Check("settings", CheckState.FAULT, error.message, error.hint)
        settings = Settings()
    else:
        yield Check("settings", CheckState.OK, f"{config}" if config.exists() else f"defaults; {config} is not there")
    yield from (Check("settings", CheckState.ADVICE, each.message, each.hint) for each in unknown_variables(os.environ))
    yield terminal(console, os.environ)
    if console.is_terminal:
        from photomap_cli.cli import previews

        shown = previews.in_words(given, console, settings.previews)
        yield Check("results", CheckState.OK, shown.removeprefix("results "))
    library: Path | None = None
    try:
        library = given.library
    except PhotomapError as error:
        yield Check("library", CheckState.FAULT, error.message, error.hint)
    yield from environment.checks(library, settings)
