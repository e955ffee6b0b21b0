"""Owns how a command ends: an error becomes one line, a hint and an exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress

from photomap_cli import files
from photomap_cli.cli import argv, stdio
from photomap_cli.errors import InternalError, PhotomapError, of_the_system
from photomap_cli.views.output import one_line, say

FOUND, NOTHING_FOUND, INTERRUPTED = 0, 1, 130


def exit_status(work: Callable[[], int], arguments: list[str]) -> int:
    """Run a command and return its exit status, even if it fails."""
    try:
        status = work()
        sys.stdout.flush()
    except PhotomapError as error:
        return report(error, arguments)
    except (Exception, KeyboardInterrupt) as error:
        return failed(error, arguments)
    return status


def failed(error: BaseException, arguments: list[str]) -> int:
    """Report any other error than a PhotomapError, and return its exit status."""
    if refused := of_the_system(error):
        return report(refused, arguments)
    cut = cut_short(error)
    return _defect(error, arguments) if cut is None else cut


def cut_short(error: BaseException) -> int | None:
    """Return the exit status of work that was ended from outside: by Ctrl-C, a closed pipe or a full disk.

    None for every other error.
    """
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        stdio.redirect_to_null(sys.stdout)
        return FOUND
    if isinstance(error, OSError) and error.errno in files.NO_ROOM:
        stdio.redirect_to_null(sys.stdout)
        reason = f"the output cannot be written: {os.strerror(error.errno).lower()}"
        return report(PhotomapError(reason, hint="free some space, or write elsewhere"), [])
    return None


def _defect(error: BaseException, arguments: list[str]) -> int:
    import traceback

    with suppress(OSError):
        say(*"".join(traceback.format_exception(error)).splitlines())
    hint = "this is a bug in photomap; please report it with the lines above"
    return report(InternalError(f"{type(error).__name__}: {error}", hint=hint), arguments)


def report(error: PhotomapError, arguments: list[str]) -> int:
    """Report an error and return its exit status."""
    try:
        _tell(error, arguments)
        sys.stdout.flush()
    except OSError:  # nobody reads it, or the disk is full
        stdio.redirect_to_null(sys.stdout, sys.stderr)
    return error.exit_status


def _tell(error: PhotomapError, arguments: list[str]) -> None:
    """As JSON if JSON was asked for, else in two lines on standard error."""
    if argv.wants_json(arguments):
        from photomap_cli.views.machine_output import write_document

        write_document({"error": error.to_json()}, sys.stdout)
        return
    say(f"photomap: {one_line(error.message)}")
    if error.position is not None and error.text:
        from photomap_cli.views.errors import error_text

        say(*error_text(error, error.text).plain.split("\n")[1:])
    if error.hint:
        say(f"hint: {one_line(error.hint)}")
