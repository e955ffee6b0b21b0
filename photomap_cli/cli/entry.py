"""Owns the full command line: every command, parsed by Typer."""

from __future__ import annotations

import typer

from photomap_cli.cli import (
    configuring,
    doctoring,
    duplicating,
    ending,
    indexing,
    mapping,
    searching,
    serving,
    sessions,
    streams,
    usage,
    words,
)
from photomap_cli.cli.app import app

_COMMANDS = (
    searching.search,
    indexing.index,
    mapping.draw_map,
    duplicating.duplicates,
    sessions.status,
    serving.serve,
    sessions.offload,
    sessions.stop,
    configuring.encoders,
    doctoring.doctor,
    indexing.demo,
)
app.registered_commands.sort(key=lambda command: _COMMANDS.index(command.callback))  # the order in --help


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit status; errors become one line and a hint."""
    streams.forgive()
    return ending.exit_status(lambda: _parse_and_run(arguments), arguments)


def _parse_and_run(arguments: list[str]) -> int:
    try:
        status = typer.main.get_command(app).main(
            args=words.prepare(arguments), prog_name="photomap", standalone_mode=False
        )
    except typer.exceptions.TyperException as error:
        raise usage.translated(error) from error
    except SystemExit as error:
        if error.code == 1:  # Typer's own way out when the pipe is closed
            raise BrokenPipeError from error
        return int(error.code or 0)
    return status if isinstance(status, int) else ending.FOUND
