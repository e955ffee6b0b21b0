"""Owns starting a background session: detached from this terminal, and answering when `launch` returns."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from photomap_cli import files, subprocesses
from photomap_cli.errors import BadPath, SessionGone, SessionSilent
from photomap_cli.session import transport

LOG_BYTES = 1 << 20
"""Size in bytes beyond which the log is rotated; one older log is kept."""


class LogFile:
    """The log file for the output of this process and its children.

    Rotating copies it to `NAME.1` and truncates it, because children hold it open too; output written in the moment
    between the two may be lost.

    Raises:
        BadPath: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            files.make_folder(path.parent)
            # Open for appending, so that all who hold it write at its end, also after it was truncated.
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            self.fd = os.open(path, flags) if path.is_char_device() else files.descriptor(path, flags)
        except OSError as error:
            raise BadPath(f"{path} cannot be written: {error.strerror}", hint="--log names another file") from error

    def take_over(self) -> None:
        """Redirect standard output and standard error here."""
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(self.fd, stream.fileno())

    def size(self) -> int:
        """Return its length in bytes."""
        return os.fstat(self.fd).st_size

    def output_since(self, offset: int) -> str:
        """Return what was written after `offset`."""
        try:
            with files.reading(self.path) as log:
                log.seek(offset)
                return log.read().decode(errors="replace")
        except OSError:  # /dev/null keeps nothing
            return ""

    def rotate(self) -> None:
        """Rotate the log if it has grown long; where there is no room for the older one, drop that."""
        if self.size() > LOG_BYTES:
            older = self.path.with_name(f"{self.path.name}.1")
            try:
                with files.reading(self.path) as log, files.open_new(older) as copy:
                    shutil.copyfileobj(log, copy)
            except OSError:
                with suppress(OSError):
                    older.unlink()
            os.ftruncate(self.fd, 0)

    def close(self) -> None:
        """Close this descriptor; redirected streams stay open."""
        os.close(self.fd)


_TIMEOUT_SECONDS = 60.0
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Launch:
    """The outcome of a start: the process, its output so far, and its exit status if it ended instead of answering."""

    pid: int
    output: str
    exit_status: int | None


def launch(words: Sequence[str], library: Path, log: Path) -> Launch:
    """Run `photomap WORDS` in the background, logging to `log`; return once its session answers or it has ended.

    Raises:
        BadPath: the log cannot be written.
        NoProcess: the system has no room for the session.
        SessionGone: it neither answered nor ended within a minute, and was told to end.
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
        return Launch(process.pid, file.output_since(begin), exit_status)


def launch_without_waiting(words: Sequence[str], log: Path) -> None:
    """Run `photomap WORDS` in the background, logging to `log`, without waiting.

    Raises BadPath and NoProcess, as `launch`.
    """
    with closing(LogFile(log)) as file:
        file.rotate()
        process = _start(words, file)
    process.returncode = 0  # it isn't waited for, and Python needn't warn about that


def _start(words: Sequence[str], file: LogFile) -> subprocess.Popen[bytes]:
    separate: dict[str, Any] = (
        {"creationflags": getattr(subprocess, "DETACHED_PROCESS", 0)}
        if sys.platform == "win32"
        else {"start_new_session": True}
    )
    command = subprocesses.python("photomap_cli", *words)
    with subprocesses.refusals():
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file.fd, stderr=file.fd, **separate)


def _outcome(process: subprocess.Popen[bytes], library: Path, log: Path) -> int | None:
    """Wait for the session; return None when it answers, the exit status when it has ended."""
    give_up_at = time.monotonic() + _TIMEOUT_SECONDS
    while time.monotonic() < give_up_at:
        ended = process.poll()
        if ended is not None or _answers(process.pid, library):
            return ended
        time.sleep(_LOOK_SECONDS)
    raise SessionGone("the session did not answer within a minute", hint=f"{log} says what it did")


def _answers(pid: int, library: Path) -> bool:
    with suppress(SessionGone, SessionSilent):  # not yet
        if line := transport.find(library):
            with closing(line):
                return bool(line.request("status")["pid"] == pid)
    return False
