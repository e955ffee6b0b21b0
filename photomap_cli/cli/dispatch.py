"""Owns the full command line: every command, parsed by Typer."""

from __future__ import annotations

from collections.abc import Callable

import typer

from photomap_cli.cli import argv, exit_status, stdio
from photomap_cli.cli.app import app
from photomap_cli.cli.commands import (
    albums,
    browse,
    config,
    copy,
    demo,
    doctor,
    duplicates,
    encoders,
    index,
    map,
    search,
    serve,
    status,
)
from photomap_cli.cli.usage_errors import Command

COMMANDS: dict[str, Callable[..., int]] = {
    "search": search.search,
    "browse": browse.browse,
    "index": index.index,
    "map": map.draw_map,
    "duplicates": duplicates.duplicates,
    "albums": albums.albums,
    "copy": copy.copy,
    "status": status.status,
    "serve": serve.serve,
    "offload": status.offload,
    "stop": status.stop,
    "encoders": encoders.encoders,
    "doctor": doctor.doctor,
    "demo": demo.demo,
}
"""Every command except the group `config`, in the order of --help."""

for name, command in COMMANDS.items():
    app.command(name, cls=Command)(command)
app.add_typer(config.config_app, name="config")


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit status; errors become one line and a hint."""
    stdio.tolerate_encoding_errors()
    return exit_status.exit_status(lambda: _parse_and_run(arguments), arguments)


def _parse_and_run(arguments: list[str]) -> int:
    try:
        status = typer.main.get_command(app).main(
            args=argv.prepare(arguments), prog_name="photomap", standalone_mode=False
        )
    except SystemExit as error:
        if error.code == 1:  # Typer's own way out when the pipe is closed
            raise BrokenPipeError from error
        return int(error.code or 0)
    return status if isinstance(status, int) else exit_status.FOUND
