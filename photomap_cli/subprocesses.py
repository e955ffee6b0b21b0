"""Owns child processes that are asked through pipes: starts them, asks them, notices their death, ends them."""

from __future__ import annotations

import errno
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from photomap_cli import directories
from photomap_cli.errors import NoProcess, ProtocolMismatch
from photomap_cli.framing import frame, read_frame

if TYPE_CHECKING:
    Frame = tuple[dict[str, Any], bytes]
    """A message and its payload."""

LOOK_SECONDS = 1.0
"""How long a child may be silent before it is checked, in seconds."""

EXIT_SECONDS = 5.0
"""How long a child may take to end after being asked to, in seconds."""

_STOPPED_LOOKS = 2  # in a row: a child that is continued together with this process may lag behind
_CHUNK_BYTES = 64 << 10  # capacity of a pipe
_CAN_POLL = hasattr(select, "poll")  # not on Windows: there a wait lasts as long as the child lives

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
    """Start a process with pipes for its standard input and output, in a permanent folder.  Raises NoProcess."""
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


@dataclass(frozen=True, slots=True)
class Exit:
    """How a child ended.

    Attributes:
        status: its exit status, or the negative number of the signal that ended it.
        silence: why it was no longer waited for; "" if it ended by itself.
        last_words: the last line it wrote to standard error, if kept.
    """

    status: int
    silence: str = ""
    last_words: str = ""

    @property
    def reason(self) -> str:
        """A description for people."""
        if self.silence:
            return self.silence
        try:
            return signal.Signals(-self.status).name
        except ValueError:
            return f"exit status {self.status}"


class ChildDied(Exception):
    """A child ended, or had to be ended, during a request."""

    def __init__(self, ended: Exit) -> None:
        super().__init__(ended.reason)
        self.exit = ended


class Child:
    """A process that answers requests in frames, and ends by itself when its standard input closes.

    One thread at a time may ask it; any thread may `put` and `kill`.

    Args:
        command: what to start.
        env: its environment; None for this process's.
        keep_words: whether its standard error is kept for `Exit.last_words`.

    Raises:
        NoProcess: the system can't start it.
    """

    def __init__(
        self, command: Sequence[str], *, env: Mapping[str, str] | None = None, keep_words: bool = False
    ) -> None:
        with refusals(), ExitStack() as undo:
            self._stderr = undo.enter_context(tempfile.TemporaryFile()) if keep_words else None
            self._process = start(command, stderr=self._stderr or subprocess.DEVNULL, env=env)
            undo.pop_all()
        self._channel = Channel(self._process)
        self._writing = threading.Lock()  # held while writing, or closing the pipes
        self._exit: Exit | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def is_running(self) -> bool:
        """Whether it is still running."""
        return self._process.poll() is None

    def ask(
        self, message: dict[str, Any], payload: bytes | memoryview = b"", *, seconds: float = float("inf")
    ) -> Frame:
        """Send a request and return its reply.

        Args:
            message, payload: the request.
            seconds: how long the child may be silent.

        Raises:
            ChildDied: it ended; or it was suspended, silent for too long or sent no frame, and was killed for that.
        """
        header = frame(message, len(payload))
        self._channel.most_seconds = seconds
        try:
            with self._writing:
                self._channel.write(header)
                self._channel.write(payload)
        except OSError as error:
            raise self._death(error) from error
        return self.receive()

    def receive(self) -> Frame:
        """Return the next frame of a reply with several.  Raises as `ask`."""
        try:
            reply = read_frame(self._channel.read)
        except (OSError, ProtocolMismatch) as error:
            raise self._death(error) from error
        if reply is None:
            raise self._death(None)
        return reply

    def put(self, message: dict[str, Any]) -> None:
        """Send a message without a reply, unless something else is being written or there is no room; never waits."""
        if not self._writing.acquire(blocking=False):
            return
        try:
            if not self._pipes[0].closed:  # its descriptor may belong to another file by now
                self._channel.put(frame(message))
        finally:
            self._writing.release()

    def wait(self) -> None:
        """Wait for its end; other threads may check meanwhile whether it is running."""
        if hasattr(os, "waitid"):
            with suppress(ChildProcessError):  # ended and already waited for
                os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        self._process.wait()

    def kill(self) -> None:
        """Kill it at once, whatever it is doing; a thread that asks it finds out."""
        self._process.kill()

    def terminate(self, *, silence: str = "") -> Exit:
        """Close its pipes, which asks it to end, kill it if it doesn't, and return how it ended; the same each time.

        `silence` is for `Exit`.
        """
        if self._exit is None:
            with self._writing:
                for pipe in self._pipes:
                    pipe.close()
            try:
                status = self._process.wait(EXIT_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
                status = self._process.wait()
            self._exit = Exit(status, silence, self._last_words())
        return self._exit

    @property
    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout

    def _death(self, error: Exception | None) -> ChildDied:
        if not isinstance(error, Silent):
            return ChildDied(self.terminate())
        self.kill()  # it can't notice that it should end
        return ChildDied(self.terminate(silence=str(error)))

    def _last_words(self) -> str:
        if self._stderr is None:
            return ""
        with self._stderr as stderr:
            stderr.seek(max(0, stderr.seek(0, os.SEEK_END) - 2000))
            lines = stderr.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""


class Silent(OSError):
    """The child won't answer: it is suspended, or has been silent for too long."""


class Channel:
    """The two pipes to a child, for `framing`; no wait is endless.  One thread at a time may use it.

    Args:
        child: a process that `start` has started.
        look_seconds: how often a wait is interrupted to check whether to go on waiting.

    Attributes:
        most_seconds: how long the child may be silent.

    Raises (reading and writing): Silent; OSError if the child has ended.
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
        """Write a few bytes if there is room and a reader; never waits.  Any thread may call it."""
        if not _CAN_POLL or len(data) <= select.PIPE_BUF:  # so that they are written completely, or not at all
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
            ):  # counted in looks, as a clock goes on while this process is suspended
                raise Silent(f"it said nothing for {self.most_seconds:.0f} s")


def is_stopped(pid: int) -> bool:
    """Return whether a process is suspended, as by Ctrl-Z; False if the system doesn't tell."""
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
    """Turn the system's errors for not starting a process, or lacking what one needs, into NoProcess."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # RuntimeError is raised for threads
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        hint = _WAYS_OUT.get(getattr(error, "errno", None) or errno.EAGAIN, _WAY_OUT)
        raise NoProcess(f"no process can be started: {reason}", hint=hint) from error
