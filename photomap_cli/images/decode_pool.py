"""Owns the decode processes, and which file goes to which.  The other end is `decode_worker.py`.

Decoders are native code that damaged files can crash and hang.  In separate processes a file harms only itself, and
the processes decode in parallel, while threads would share one interpreter.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from photomap_cli import directories, subprocesses
from photomap_cli.errors import BadImage, NoProcess
from photomap_cli.images.decode import Decoded
from photomap_cli.images.decode_worker import GENTLE
from photomap_cli.images.exif import PhotoFacts
from photomap_cli.images.memory_limits import default_max_megapixels
from photomap_cli.subprocesses import Child, ChildDied

if TYPE_CHECKING:
    from photomap_cli.images.preprocess import PixelFit
    from photomap_cli.subprocesses import Exit

DECODE_SECONDS = 30.0
"""How long one file may take, in seconds; proportionally longer above ALONE_MEGAPIXELS."""

_COMMAND = subprocesses.python("photomap_cli.images.decode_worker")
_ENVIRONMENT = {
    # One thread each: there is a process per core, and each thread takes address space.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # Let glibc keep a picture's memory for the next: 42 page faults for 800 x 600 pixels, not 1,145, and 13.7 ms of CPU
    # instead of 16.9; 7 MiB more in each process.
    "MALLOC_MMAP_THRESHOLD_": str(4 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(16 << 20),
}
_SILENT_TIMES = 20  # as a multiple of a file's time: the process itself gives up in time, unless the disk hangs
_TIME_IS_UP = -signal.SIGALRM if sys.platform != "win32" else 1


class DecodePool:
    """Decodes pictures in child processes.  A context manager; starts a process whenever none is idle.

    If the system has no room for another one, the existing ones do the work.

    Args:
        max_megapixels: larger pictures are refused; None for a limit by available memory.
        thumbnail_px: the longer side of the thumbnail made too; 0 for none.
        seconds: the most time for a file.
        is_gentle: the processes run at low priority, if the system has that.
        command: starts a process; tests pass a misbehaving worker.
    """

    def __init__(
        self,
        *,
        max_megapixels: float | None = None,
        thumbnail_px: int = 0,
        seconds: float = DECODE_SECONDS,
        is_gentle: bool = False,
        command: Sequence[str] = _COMMAND,
    ) -> None:
        self._max_megapixels = max_megapixels or default_max_megapixels()
        self._thumbnail_px, self._seconds = thumbnail_px, seconds
        self._command = [*command, GENTLE] if is_gentle else command
        self._lock = threading.Condition()  # guards the following; held only briefly, and notified of changes
        self._idle: list[Child] = []
        self._all: set[Child] = set()
        self._closed = False
        self._starting = (
            threading.Lock()
        )  # held around each start, so that a caller who is refused one knows all existing processes
        self._large = threading.Lock()  # held while a large picture is decoded

    def start(self, count: int) -> None:
        """Start this many processes; they import what they need while the caller does something else."""
        with suppress(NoProcess):  # fewer may be enough; `decode` finds out whether there are any
            for _ in range(count - len(self._all)):
                self._give_back(self._started())

    def decode(self, path: Path, fit: PixelFit) -> Decoded:
        """Read a picture file.  Any thread may.

        Raises:
            BadImage: it can't be read; the message is only the reason.
            NoProcess: not even one process could be started.
        """
        request = {
            "path": os.fspath(path if path.is_absolute() else directories.working_directory() / path),
            "fit": asdict(fit),
            "seconds": self._seconds,
            "max_megapixels": self._max_megapixels,
            "thumbnail_px": self._thumbnail_px,
        }
        try:
            message, payload = self._ask(request)
        except _Crashed:  # perhaps because of what an earlier file did to the process
            try:
                message, payload = self._ask(request)
            except _Crashed as crash:
                raise BadImage(f"the decoder crashed ({crash})") from crash
        if "reason" in message:
            raise BadImage(message["reason"])
        return _decoded(message, payload)

    def close(self) -> None:
        """End every process, whatever it is doing; safe to call twice.  Running decodes fail."""
        with self._lock:
            self._closed = True
            workers, idle = self._all, self._idle
            self._all, self._idle = set(), []
            self._lock.notify_all()
        for worker in workers:
            worker.kill()
        for worker in idle:  # the others are ended by the callers that wait for their answers
            worker.terminate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Ask a process.  Raises _Crashed; BadImage if it took too long."""
        worker = self._taken()
        try:
            answer = self._asked(worker, request)
        except ChildDied as death:
            with self._lock:
                self._all.discard(worker)
                self._lock.notify_all()
            raise self._death(death.exit) from death
        self._give_back(worker)
        return answer

    def _asked(self, worker: Child, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        seconds = _SILENT_TIMES * self._seconds
        answer = worker.ask(request, seconds=seconds)
        while "large" in answer[0]:  # once for each way of reading a damaged file
            with self._large:
                answer = worker.ask({}, seconds=seconds)
        return answer

    def _death(self, ended: Exit) -> Exception:
        if self._closed:
            return BadImage("the decoders were closed")
        if ended.status == _TIME_IS_UP:
            return BadImage(f"took longer than {self._seconds:g} s")
        return _Crashed(ended.reason)

    def _taken(self) -> Child:
        """Return an idle process, else a new one, else the next one that another thread returns."""
        while True:
            with self._lock:
                if self._closed:
                    raise BadImage("the decoders were closed")
                if self._idle:
                    return self._idle.pop()
            try:
                return self._started()
            except NoProcess:
                with self._lock:
                    if not self._all:
                        raise
                    if not self._idle and not self._closed:
                        self._lock.wait()

    def _started(self) -> Child:
        with self._starting:
            # libtiff writes hundreds of lines to standard error.
            worker = Child(self._command, env={**os.environ, **_ENVIRONMENT})
            with self._lock:
                self._all.add(worker)
                if self._closed:  # meanwhile
                    worker.kill()
        return worker

    def _give_back(self, worker: Child) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(worker)
                self._lock.notify()
                return
        worker.terminate()


class _Crashed(Exception):
    """A decode process died during a file; the message says how."""


def _decoded(message: dict[str, Any], payload: bytes) -> Decoded:
    width, height = message["size"]
    shape = message["views"], height, width, 3
    views = np.frombuffer(payload, np.uint8, prod(shape)).reshape(shape)
    facts, digest = PhotoFacts(**message["facts"]), bytes.fromhex(message["digest"])
    return Decoded(views[0], facts, digest, payload[views.nbytes :], sides=list(views[1:]))
