"""Owns how a command line ends: errors become one line, a hint and an exit status."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from photomap_cli.cli import streams, words
from photomap_cli.errors import InternalError, PhotomapError

if TYPE_CHECKING:
    from collections.abc import Callable

FOUND, NOTHING_FOUND, INTERRUPTED = 0, 1, 130


def exit_status(work: Callable[[], int], arguments: list[str]) -> int:
    """Do the work of a command line and return its exit status, also when it fails."""
    try:
        status = work()
        sys.stdout.flush()
    except PhotomapError as error:
        return complain(error, arguments)
    except BrokenPipeError:
        streams.silence()
        return FOUND
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        import traceback

        traceback.print_exc()
        hint = "this is a defect of photomap; please report it with the lines above"
        return complain(InternalError(f"{type(error).__name__}: {error}", hint=hint), arguments)
    return status


def complain(error: PhotomapError, arguments: list[str]) -> int:
    """Tell an error: as JSON where JSON was asked for, else in two lines on standard error."""
    if words.wants_json(arguments):
        from photomap_cli.terminal.lines import write_json

        write_json({"version": 1, "error": error.to_json()}, sys.stdout)
        return error.exit_status
    print(f"photomap: {error.message}", file=sys.stderr)
    if error.position is not None and error.text:
        from photomap_cli.terminal.complaint import complaint

        print(complaint(error, error.text).plain.partition("\n")[2], file=sys.stderr)
    if error.hint:
        print(f"hint: {error.hint}", file=sys.stderr)
    return error.exit_status
