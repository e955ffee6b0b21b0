"""Owns the process's standard streams: unencodable text, closed streams, and streams that nobody reads."""

from __future__ import annotations

import io
import os
import sys
import threading
from typing import TextIO

from photomap_cli.views.output import printable_lines, say


def tolerate_encoding_errors() -> None:
    """Show ? for ● on a terminal that can't encode it, and read bytes that aren't text as they are."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")


def install_excepthooks() -> None:
    """Make Python's own reports of a bug escape control characters like all other text, from threads too."""
    sys.excepthook = lambda _kind, error, _trace: _tell_defect(error)
    threading.excepthook = lambda failed: _tell_defect(failed.exc_value)


def _tell_defect(error: BaseException | None) -> None:
    import traceback

    if error is not None:
        say(*"".join(traceback.format_exception(error)).splitlines())


def open_missing_streams() -> None:
    """Open the null device for standard streams that the caller closed, before other files take their numbers."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            _to_nowhere(number)
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115


def redirect_to_null(*streams: TextIO) -> None:
    """Discard further output, as nobody reads it or there is no room for it."""
    for stream in streams:
        _to_nowhere(stream.fileno())


def pause(seconds: float) -> None:
    """Wait.  Raises BrokenPipeError once nobody reads standard output, which rare writes wouldn't notice."""
    import select
    import time

    if not hasattr(select, "poll"):  # Windows
        time.sleep(seconds)
        return
    watched = select.poll()
    watched.register(sys.stdout, 0)  # for errors only
    if watched.poll(seconds * 1000):
        raise BrokenPipeError


def _to_nowhere(number: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere == number:
        os.set_inheritable(number, True)
        return
    os.dup2(nowhere, number)
    os.close(nowhere)


def configure_logging(*, verbose: bool) -> None:
    """Log to standard error, or keep libraries' messages from getting there."""
    import logging

    class PrintableFormatter(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return printable_lines(super().format(record))

    handler = logging.StreamHandler()
    handler.setFormatter(PrintableFormatter("%(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO if verbose else logging.CRITICAL, handlers=[handler])
