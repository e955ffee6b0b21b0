"""The command line: parse, open a backend, render, return an exit status.  Imports heavy libraries only when needed."""

from __future__ import annotations

import gc
import os
import sys

from photomap_cli._version import __version__

_INTERRUPTED = 130
_OBJECTS = 50_000
"""How many new objects start a collection of garbage.  With Python's 700 it took a tenth of a start."""


def main() -> None:
    """Run the command line of this process and exit."""
    status: int | None
    gc.set_threshold(_OBJECTS)
    try:
        if sys.getfilesystemencoding() != "utf-8":
            from photomap_cli.cli import locale_names

            locale_names.ensure_utf8()
        from photomap_cli.cli import stdio

        stdio.install_excepthooks()
        status = run(sys.argv[1:])
    except (Exception, KeyboardInterrupt) as error:  # while modules are still being imported
        from photomap_cli.cli import exit_status

        status = exit_status.failed(error, sys.argv[1:])
    done = sys.modules.get(f"{__name__}.oneshot")
    if done is not None and f"{__name__}.dispatch" not in sys.modules:
        done.exit_now(status)
    if status == _INTERRUPTED:
        _exit_interrupted()
    sys.exit(status)


def _exit_interrupted() -> None:
    """End with 130; Python remembers where Ctrl-C came, and may end by the signal instead though it was dealt with."""
    from contextlib import suppress

    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # nobody reads it
            stream.flush()
    os._exit(_INTERRUPTED)


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit status; errors become one line and a hint."""
    if arguments == ["--version"] and sys.stdout:  # before anything is imported
        print(f"photomap {__version__}", flush=True)  # noqa: T201  nothing in it is anybody's
        return 0
    from photomap_cli.cli import fast_path, stdio

    stdio.open_missing_streams()
    status = fast_path.answer(arguments)
    if status is not None:
        return status
    from photomap_cli.cli import dispatch

    return dispatch.run(arguments)
