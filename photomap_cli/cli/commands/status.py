"""Owns the commands about live sessions: `status`, `stop`, `offload`."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photomap_cli import directories
from photomap_cli.cli import backend, stdio
from photomap_cli.cli.exit_status import FOUND
from photomap_cli.cli.fast_path import sessions_document, status_document
from photomap_cli.cli.options import Globals, make_console
from photomap_cli.errors import LibraryUnusable, NoSession, SessionGone
from photomap_cli.views.machine_output import write_document
from photomap_cli.views.output import say

if TYPE_CHECKING:
    from photomap_cli.session.client import SessionClient

_WATCH_SECONDS = 0.5  # looking twice a second costs under 1 % of a core
_GONE_SECONDS = 30.0


def status(
    context: typer.Context,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object; with --watch one per change, each on a line.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Keep watching until Ctrl-C: redraw in place, or print what changes.")
    ] = False,
) -> int:
    """Show sessions, where their encoders are, and the library.

    This wakes no encoder and resets no timer.
    """
    given: Globals = context.obj
    if watch:
        return _watch(given.library, as_json=as_json)
    try:
        look = status_document(given.library, lambda words: backend.tell((words,), given))
    except LibraryUnusable:
        if not as_json:
            _print_sessions()
        raise
    if as_json:
        write_document(look, sys.stdout)
    else:
        _print(look)
    return FOUND


def _print(look: dict[str, Any]) -> None:
    """Print sessions and the library for people: a table on a terminal, lines elsewhere."""
    from photomap_cli.records import LibraryStatus
    from photomap_cli.views.status_table import status_lines, status_table
    from photomap_cli.views.status_watch import others, sessions

    shown = sessions(look), LibraryStatus.from_json(look["library"]), others(look)
    if sys.stdout.isatty():
        make_console().print(status_table(*shown))
    else:
        say(*status_lines(*shown), file=sys.stdout)


def _print_sessions() -> None:
    """Print the live sessions, if any, when the library can't be read."""
    from photomap_cli.views.status_table import session_line
    from photomap_cli.views.status_watch import others, sessions

    look = sessions_document()
    say(*map(session_line, sessions(look)), *others(look), file=sys.stdout)


def _watch(library: Path, *, as_json: bool) -> int:
    """Show the status until Ctrl-C, or SIGTERM, which must not leave the terminal without a cursor."""
    from photomap_cli.views import status_watch

    directories.release_working_directory()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    console, looks = make_console(), _looks(library)
    if as_json:
        status_watch.print_json(looks, sys.stdout)
    elif console.is_terminal and not console.is_dumb_terminal:
        status_watch.draw(looks, console)
    else:
        status_watch.print_lines(looks, sys.stdout)
    return FOUND


def _looks(library: Path) -> Iterator[dict[str, Any]]:
    from photomap_cli.session.libraries import status_reader

    with status_reader(library) as read_facts:
        while True:
            yield status_document(library, read_facts=read_facts)
            stdio.pause(_WATCH_SECONDS)


def stop(context: typer.Context) -> int:
    """Stop the library's background session."""
    given: Globals = context.obj
    found = backend.live_session(given)
    if found is None:
        if not given.quiet:
            say("photomap: nothing to stop; no session is running for this library")
        return FOUND
    with found as live:
        pid = live.stop().pid
        _until_gone(live, pid)
    if not given.quiet:
        say(f"photomap: stopped (process {pid})")
    return FOUND


def _until_gone(live: SessionClient, pid: int) -> None:
    """Wait some seconds until the session has hung up, so that the next one can have the library."""
    give_up_at = time.monotonic() + _GONE_SECONDS
    with suppress(SessionGone):
        while time.monotonic() < give_up_at and live.status().pid == pid:
            time.sleep(0.02)


def offload(context: typer.Context) -> int:
    """Free the running session's GPU memory now."""
    from photomap_cli.views.status_line import plain_line

    given: Globals = context.obj
    with _live(given) as live:
        say(plain_line(live.offload()), file=sys.stdout)
    return FOUND


def _live(given: Globals) -> SessionClient:
    found = backend.live_session(given)
    if found is None:
        raise NoSession(
            "no session is running for this library", hint="`photomap` or `photomap serve` starts a session"
        )
    return found
