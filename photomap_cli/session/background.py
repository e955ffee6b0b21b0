"""Owns starting a session in the background: apart from this terminal, and up when `launch` returns."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from photomap_cli import children
from photomap_cli.errors import SessionGone, SessionSilent
from photomap_cli.session import wire
from photomap_cli.session.logfile import LogFile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Launch:
    """How a start went: the process, what it printed so far, its exit status if it ended instead of answering."""

    pid: int
    said: str
    exit_status: int | None


def launch(words: Sequence[str], library: Path, log: Path) -> Launch:
    """Run `photomap WORDS` in the background, its output in `log`; return once its session answers or it has ended.

    Raises:
        BadPath: the log cannot be written.
        NoProcess: the system has no room for the session.
        SessionGone: it neither answers nor ends within a minute; it has been told to end.
    """
    with closing(LogFile(log)) as file:
        file.rotate()
        begin = file.size()
        process = _start(words, file)
        try:
            exit_status = _outcome(process, library, log)
        except BaseException:
            process.terminate()
            process.wait()
            raise
        return Launch(process.pid, file.said_since(begin), exit_status)


def leave_behind(words: Sequence[str], log: Path) -> None:
    """Run `photomap WORDS` in the background, its output in `log`, and wait for nothing.

    Raises BadPath and NoProcess, as `launch`.
    """
    with closing(LogFile(log)) as file:
        file.rotate()
        process = _start(words, file)
    process.returncode = 0  # nobody here waits for its end, and Python need not warn of that


def _start(words: Sequence[str], file: LogFile) -> subprocess.Popen[bytes]:
    separate: dict[str, Any] = (
        {"creationflags": getattr(subprocess, "DETACHED_PROCESS", 0)}
        if sys.platform == "win32"
        else {"start_new_session": True}
    )
    command = children.python("photomap_cli", *words)
    with children.refusals():
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file.fd, stderr=file.fd, **separate)


def _outcome(process: subprocess.Popen[bytes], library: Path, log: Path) -> int | None:
    """Wait for the session; return None when it answers, the exit status when it has ended."""
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < give_up_at:
        ended = process.poll()
        if ended is not None or _answers(process.pid, library):
            return ended
        time.sleep(_LOOK_SECONDS)
    raise SessionGone("the session did not answer within a minute", hint=f"{log} says what it did")


def _answers(pid: int, library: Path) -> bool:
    with suppress(SessionGone, SessionSilent):  # not yet
        if line := wire.find(library):
            with closing(line):
                return bool(line.glance("status")["pid"] == pid)
    return False
