"""Owns the commands about live sessions: `status`, `serve`, `stop`, `offload`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from photomap_cli.cli.app import Globals, app, make_console
from photomap_cli.cli.ending import FOUND
from photomap_cli.cli.fast import status_json
from photomap_cli.errors import NoSession

if TYPE_CHECKING:
    from photomap_cli.session.client import SessionClient


@app.command()
def status(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Show the live sessions, where their encoders are, and the library.

    Wakes no encoder and resets no timer.
    """
    given: Globals = context.obj
    if as_json:
        print(status_json(given.library))
        return FOUND
    from photomap_cli.library.summary import summary
    from photomap_cli.session.client import live_sessions
    from photomap_cli.terminal.statustable import status_lines, status_table

    sessions, library = live_sessions(), summary(given.library)
    if sys.stdout.isatty():
        make_console().print(status_table(sessions, library))
    else:
        print("\n".join(status_lines(sessions, library)))
    return FOUND


@app.command()
def serve(context: typer.Context) -> int:
    """Keep a session without a terminal, warm for one-shot searches.

    It ends on Ctrl-C, SIGTERM or `photomap stop`.
    """
    import signal
    import threading

    from photomap_cli.session.live import host

    given: Globals = context.obj
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with host(given.library, given.settings().values, kind="serve", on_stop=ended.set) as session:
        session.prewarm()
        if not given.quiet:
            print(f"photomap: serving {given.library} (process {os.getpid()})", file=sys.stderr)
        while not ended.wait(0.5):  # in steps, so that a signal is seen on every platform
            pass
    return FOUND


@app.command()
def stop(context: typer.Context) -> int:
    """End the library's `photomap serve`."""
    given: Globals = context.obj
    with _live(given) as live:
        pid = live.stop().pid
    if not given.quiet:
        print(f"photomap: process {pid} ends", file=sys.stderr)
    return FOUND


@app.command()
def offload(context: typer.Context) -> int:
    """Take the live session's encoder out of VRAM now."""
    from photomap_cli.terminal.statusbar import plain_line

    given: Globals = context.obj
    with _live(given) as live:
        print(plain_line(live.offload()))
    return FOUND


def _live(given: Globals) -> SessionClient:
    from photomap_cli.session import client

    found = client.find(given.library)
    if found is None:
        raise NoSession("no live session has this library", hint="`photomap` or `photomap serve` starts one")
    return found
