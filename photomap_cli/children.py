"""Owns starting the processes that photomap asks through pipes, and what is said where there is no room for one."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from photomap_cli import directories
from photomap_cli.errors import NoProcess

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PAUSES = (0.1, 0.4, 1.0, 2.5)
"""Seconds before another try: other programs end, and with them what they held."""

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


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what the system says where it gives no process, or nothing that one needs, into NoProcess."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # a RuntimeError is a thread's
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        hint = _WAYS_OUT.get(getattr(error, "errno", None) or errno.EAGAIN, _WAY_OUT)
        raise NoProcess(f"no process can be started: {reason}", hint=hint) from error
