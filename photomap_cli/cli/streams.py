"""Owns the process's standard streams: what they cannot encode, and a pipe that nobody reads any more."""

from __future__ import annotations

import io
import os
import sys

from photomap_cli.terminal import lookalikes


def forgive() -> None:
    """Let a terminal that has no ● show a * instead of failing."""
    lookalikes.register()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=lookalikes.ERRORS)


def silence() -> None:
    """Nobody reads what we write: let the rest go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def log(*, verbose: bool) -> None:
    """Log what happens to standard error, or keep what libraries say from getting there."""
    import logging

    logging.basicConfig(level=logging.INFO if verbose else logging.CRITICAL, format="%(name)s: %(message)s")
