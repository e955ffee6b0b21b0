"""Owns the full command line: every command, parsed by Typer."""

from __future__ import annotations

import typer

from photomap_cli.cli import argv, exit_status, stdio, usage_errors
from photomap_cli.cli.app import app
from photomap_cli.cli.commands import demo, doctor, duplicates, encoders, index, map, search, serve, status

_COMMANDS = (
    search.search,
    index.index,
    map.draw_map,
    duplicates.duplicates,
    status.status,
    serve.serve,
    status.offload,
    status.stop,
    encoders.encoders,
    doctor.doctor,
    demo.demo,
)
app.registered_commands.sort(key=lambda command: _COMMANDS.index(command.callback))  # the order in --help


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit status; errors become one line and a hint."""
    stdio.forgive()
    return exit_status.exit_status(lambda: _parse_and_run(arguments), arguments)


def _parse_and_run(arguments: list[str]) -> int:
    try:
        status = typer.main.get_command(app).main(
            args=argv.prepare(arguments), prog_name="photomap", standalone_mode=False
        )
    except typer.exceptions.TyperException as error:
        raise usage_errors.translated(error) from error
    except SystemExit as error:
        if error.code == 1:  # Typer's own way out when the pipe is closed
            raise BrokenPipeError from error
        return int(error.code or 0)
    return status if isinstance(status, int) else exit_status.FOUND
