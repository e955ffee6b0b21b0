"""Owns the processes that photomap asks through pipes: starting them, talking to them, and where none can be had."""

from __future__ import annotations

import errno
import os
import select
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from photomap_cli import directories
from photomap_cli.errors import NoProcess

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PAUSES = (0.1, 0.4, 1.0, 2.5)
"""Seconds before another try: other programs end, and with them what they held."""

LOOK_SECONDS = 1.0
"""How long a child may be silent before one looks what is the matter with it."""

_STOPPED_LOOKS = 2  # in a row: one that is let go on together with this process may be a moment behind
_CHUNK_BYTES = 64 << 10  # what a pipe holds
_CAN_POLL = hasattr(select, "poll")  # not on Windows: there a wait lasts as long as the child

_APART: dict[str, Any] = (  # Ctrl-C in the terminal must not reach them
    {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    if sys.platform == "win32"
    else {"start_new_session": True}
)
_WAYS_OUT = {
    errno.EMFILE: "allow more open files (`ulimit -n`)",
    errno.ENFILE: "end programs that hold many files open",
    errno.EAGAIN: "allow more processes (`ulimit -u`, or the container's limit), or end some",
    errno.ENOMEM: "free some memory",
}
_WAY_OUT = "see whether other programs can be started"


def python(module: str, *words: str) -> list[str]:
    """Return the command that runs a module by this Python.

    -P: a torch.py or a PIL folder in the user's current folder must not be imported.
    """
    return [sys.executable, "-P", "-m", module, *words]


def start(
    command: Sequence[str], *, stderr: int | IO[bytes], env: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a process with pipes for its standard input and output, in a folder that stays.  Raises NoProcess."""
    with refusals():
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            cwd=directories.LASTING,
            env=directories.environment(os.environ if env is None else env),
            **_APART,
        )


class Silent(OSError):
    """The child at the other end will not answer: it is stopped, or has been silent for too long."""


class Channel:
    """The two pipes to a child, as `framing` wants them; no wait is for ever.  One thread at a time may use it.

    Args:
        child: a process that `start` has started.
        look_seconds: how often a wait is interrupted to look whether to go on waiting.

    Attributes:
        most_seconds: how long the child may be silent.

    Raises (reading and writing): Silent; OSError when the child has ended.
    """

    def __init__(self, child: subprocess.Popen[bytes], *, look_seconds: float | None = None) -> None:
        assert child.stdin is not None
        assert child.stdout is not None
        self._pid, self._in, self._out = child.pid, child.stdin.fileno(), child.stdout.fileno()
        self._look_seconds = LOOK_SECONDS if look_seconds is None else look_seconds
        self.most_seconds = float("inf")
        if _CAN_POLL:
            os.set_blocking(self._in, False)

    def read(self, count: int) -> bytes:
        """Return up to `count` bytes; b"" once the child has closed its end."""
        self._wait_for(self._out, "POLLIN")
        return os.read(self._out, min(count, _CHUNK_BYTES))

    def write(self, data: bytes | memoryview) -> None:
        """Write all of it."""
        left = memoryview(data).cast("B")
        while left:
            self._wait_for(self._in, "POLLOUT")
            with suppress(BlockingIOError):
                left = left[os.write(self._in, left) :]

    def put(self, data: bytes) -> None:
        """Write a few bytes if there is room for them and somebody to read them; never waits.  Any thread may."""
        if not _CAN_POLL or len(data) <= select.PIPE_BUF:  # so that they go whole, or not at all
            with suppress(OSError):
                os.write(self._in, data)

    def flush(self) -> None:
        """Nothing is held back."""

    def _wait_for(self, fd: int, event: str) -> None:
        if not _CAN_POLL:
            return
        poll = select.poll()
        poll.register(fd, getattr(select, event))
        looks = stopped = 0
        while not poll.poll(self._look_seconds * 1000):
            looks += 1
            stopped = stopped + 1 if is_stopped(self._pid) else 0
            if stopped >= _STOPPED_LOOKS:
                raise Silent("it had been stopped")
            if (
                looks * self._look_seconds >= self.most_seconds
            ):  # by looks: a clock goes on while this process is stopped
                raise Silent(f"it said nothing for {self.most_seconds:.0f} s")


def is_stopped(pid: int) -> bool:
    """Whether a process has been stopped, as by Ctrl-Z, and not let go on; False where the system does not tell."""
    if sys.platform == "win32":
        return False
    with suppress(OSError, IndexError):
        if sys.platform == "linux":
            return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] == b"T"
        shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, check=False)
        return shown.stdout.strip().startswith(b"T")
    return False


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what the system says where it gives no process, or nothing that one needs, into NoProcess."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # a RuntimeError is a thread's
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        hint = _WAYS_OUT.get(getattr(error, "errno", None) or errno.EAGAIN, _WAY_OUT)
        raise NoProcess(f"no process can be started: {reason}", hint=hint) from error
