"""Owns `photomap config`."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from photomap_cli import directories
from photomap_cli.cli import backend, shell_completion
from photomap_cli.cli.exit_status import FOUND
from photomap_cli.cli.options import Globals, make_console
from photomap_cli.cli.usage_errors import Command, Group
from photomap_cli.views.machine_output import write_paths, write_rows
from photomap_cli.views.output import say

config_app = typer.Typer(cls=Group)


@config_app.callback(invoke_without_command=True)
def config(context: typer.Context) -> int:
    """Show all settings and where they came from, or change one."""
    if context.invoked_subcommand:
        return FOUND
    from photomap_cli.settings import Settings, shown, unknown_variables

    given: Globals = context.obj
    loaded = given.settings()
    backend.tell((f"{each.message}; {each.hint}" for each in unknown_variables(os.environ)), given)
    rows = [
        (name, shown(getattr(loaded.values, name)), loaded.origins[name], field.description or "")
        for name, field in Settings.model_fields.items()
    ]
    if sys.stdout.isatty():
        _print_settings(rows)
    else:
        write_rows(rows, sys.stdout)
    return FOUND


def _print_settings(rows: list[tuple[str, str, str, str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for heading in ("setting", "value", "from", ""):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    make_console().print(table)


@config_app.command("path", cls=Command)
def config_path() -> int:
    """Print where config.toml is, or would be."""
    write_paths([str(directories.config_file())], sys.stdout)
    return FOUND


@config_app.command("set", cls=Command, context_settings={"ignore_unknown_options": True})  # so that -1 is a value
def config_set(
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="A setting's name.", autocompletion=shell_completion.settings)
    ],
    value: Annotated[
        str, typer.Argument(metavar="VALUE", help="Its new value.", autocompletion=shell_completion.values)
    ],
) -> int:
    """Write one setting to config.toml, keeping what else is there."""
    from photomap_cli.settings import shown, write_value

    say(f"{key} = {shown(write_value(directories.config_file(), key, value))}", file=sys.stdout)
    return FOUND
