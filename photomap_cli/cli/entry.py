"""Owns the process: runs one command line, turns errors into words and an exit status."""

from __future__ import annotations

import sys

import typer

from photomap_cli.cli import configuring, indexing, searching, sessions, streams, words
from photomap_cli.cli.app import FOUND, INTERRUPTED, app
from photomap_cli.errors import InternalError, PhotomapError, UsageError

_COMMANDS = (
    searching.search,
    indexing.index,
    sessions.status,
    sessions.serve,
    sessions.offload,
    sessions.stop,
    configuring.encoders,
    indexing.demo,
)
app.registered_commands.sort(key=lambda command: _COMMANDS.index(command.callback))  # the order in --help


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit status; errors become one line and a hint."""
    streams.forgive()
    try:
        status_ = typer.main.get_command(app).main(
            args=words.prepare(arguments), prog_name="photomap", standalone_mode=False
        )
        sys.stdout.flush()
    except PhotomapError as error:
        return _complain(error, arguments)
    except typer.exceptions.TyperException as error:
        return _complain(UsageError(error.format_message(), hint="photomap --help"), arguments)
    except BrokenPipeError:
        streams.silence()
        return FOUND
    except SystemExit as error:  # Typer's own way out when the pipe is closed
        if error.code != 1:
            return int(error.code or 0)
        streams.silence()
        return FOUND
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        import traceback

        traceback.print_exc()
        hint = "this is a defect of photomap; please report it with the lines above"
        return _complain(InternalError(f"{type(error).__name__}: {error}", hint=hint), arguments)
    return status_ if isinstance(status_, int) else FOUND


def _complain(error: PhotomapError, arguments: list[str]) -> int:
    """Tell an error: as JSON where JSON was asked for, else in two lines on standard error."""
    if words.wants_json(arguments):
        import json

        print(json.dumps({"version": 1, "error": error.to_json()}))
        return error.exit_status
    print(f"photomap: {error.message}", file=sys.stderr)
    if error.position is not None and error.text:
        from photomap_cli.terminal.complaint import complaint

        print(complaint(error, error.text).plain.partition("\n")[2], file=sys.stderr)
    if error.hint:
        print(f"hint: {error.hint}", file=sys.stderr)
    return error.exit_status
