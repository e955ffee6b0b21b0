"""Owns `photomap serve`: a session without a terminal, in the foreground or in the background."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photomap_cli import directories
from photomap_cli.cli import backend
from photomap_cli.cli.exit_status import FOUND
from photomap_cli.cli.previews import STANDARD_OUTPUT
from photomap_cli.errors import UsageError
from photomap_cli.views.output import say

if TYPE_CHECKING:
    from photomap_cli.cli.options import Globals
    from photomap_cli.session.session import Session

_STEP_SECONDS = 0.5  # wait in steps, so that signals are noticed on every platform


def serve(
    context: typer.Context,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Start it in the background and return.")] = False,
    log: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Log to FILE instead of the terminal; 1 MB and one older file are kept.  - for standard output.",
        ),
    ] = None,
    idle_limit: Annotated[
        str, typer.Option("--for", metavar="TIME", help="End after this long without a search (30, 5m, 1h; 0 = never).")
    ] = "0",
) -> int:
    """Run a background session that keeps the encoder ready.

    It ends on Ctrl-C, SIGTERM or `photomap stop`, and with --for when nobody has searched for that long.  With
    --detach the command returns as soon as the session answers, and tells you where its log is.
    """
    given: Globals = context.obj
    limit = _seconds(idle_limit)
    is_printed = log == STANDARD_OUTPUT
    if is_printed and detach:
        raise UsageError("--detach can't log to standard output", hint="name a file, or leave out --detach")
    path = None if log is None or is_printed else directories.absolute(Path(log))
    if detach:
        return _detach(given, path or directories.log_file(given.library), limit)
    directories.release_working_directory()
    if is_printed:
        os.dup2(sys.stdout.fileno(), sys.stderr.fileno())
        return _serve(given, _tell_with_time, limit)
    if path is None:
        return _serve(given, lambda words: say(f"photomap: {words}"), limit)
    from photomap_cli.session.daemon import LogFile

    with closing(LogFile(path)) as file:
        file.take_over()
        return _serve(given, _tell_with_time, limit, log=path, meanwhile=file.rotate)


def _seconds(text: str) -> float:
    """Return a time as settings write it, in seconds.  Raises UsageError."""
    from photomap_cli.settings import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--for: {error}", hint="--for 10m") from error


def _tell_with_time(words: str) -> None:
    """Write a line to the log; one that finds no room ends no session."""
    with suppress(OSError):
        say(f"{time.strftime('%Y-%m-%d %H:%M:%S')} photomap[{os.getpid()}]: {words}")


def _serve(
    given: Globals,
    tell: Callable[[str], None],
    idle_limit: float,
    *,
    log: Path | None = None,
    meanwhile: Callable[[], None] = lambda: None,
) -> int:
    from photomap_cli.job_control import Suspension
    from photomap_cli.session.attach import host

    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())

    def resume() -> None:
        if not session.resume():
            tell("another session took over the library while this one was stopped")
            ended.set()

    with Suspension(pause=lambda: session.pause(), resume=resume) as suspension:
        with (
            suspension.postponed()
        ):  # a process that stops before it can hand over the library would keep it from others
            session = host(given.library, given.settings().values, kind="serve", on_stop=ended.set, log=log)
        try:
            session.prewarm()
            if not given.quiet:
                tell(f"serving {directories.library_name(given.library)} (process {os.getpid()})")
            since = time.monotonic()
            while not ended.wait(_STEP_SECONDS) and not _is_left_alone(session, since, idle_limit):
                meanwhile()
        finally:
            with suspension.postponed():
                session.close()
    if not given.quiet:
        tell("ended")
    return FOUND


def _is_left_alone(session: Session, since: float, limit: float) -> bool:
    """Whether nobody has searched for `limit` seconds, nor since the time `since` on the monotonic clock; 0 = never."""
    if not limit or time.monotonic() - since < limit:
        return False
    status = session.status()
    return not status.busy and (status.idle_seconds is None or status.idle_seconds >= limit)


def _detach(given: Globals, log: Path, idle_limit: float) -> int:
    """Start a background process that serves; its errors and exit status become this command's."""
    from photomap_cli.session.daemon import launch

    if (running := _background_session(given)) is not None:
        if not given.quiet:
            say(f"photomap: already serving {directories.library_name(given.library)} (process {running})")
        return FOUND
    flags = [word for word, is_given in (("--quiet", given.quiet), ("--verbose", given.verbose)) if is_given]
    name = directories.library_name(given.library)
    words = ["--library", name, *flags, "serve", "--log", str(log), "--for", f"{idle_limit:g}"]
    started = launch(words, given.library, log)
    if started.exit_status is not None:
        say(*started.output.splitlines())
        return started.exit_status
    if not given.quiet:
        say(f"photomap: serving {name} (process {started.pid}), log {log}")
    return FOUND


def _background_session(given: Globals) -> int | None:
    """Return the id of the process that already serves this library in the background, or None."""
    found = backend.live_session(given)
    if found is None:
        return None
    with found:
        status = found.status()
    return status.pid if status.kind == "serve" else None
