"""Owns the decode processes: which there are, and which file goes to which.  The other end is `decode_worker.py`.

Decoders are native code that damaged files crash and hang.  In a process of its own each file costs itself alone, and
the processes decode side by side where threads share one interpreter.
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
"""How long one file may take; larger ones than ALONE_MEGAPIXELS in proportion."""

_COMMAND = subprocesses.python("photomap_cli.images.decode_worker")
_ENVIRONMENT = {
    # One thread each: there is one process a core, and each thread takes address space.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # glibc keeps a picture's memory for the next: 42 page faults for 800 x 600 pixels instead of 1,145, 13.7 ms of CPU
    # instead of 16.9; 7 MiB more in each process.
    "MALLOC_MMAP_THRESHOLD_": str(4 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(16 << 20),
}
_SILENT_TIMES = 20  # so many times what a file may take: its own process ends it in time, unless the disk hangs
_TIME_IS_UP = -signal.SIGALRM if sys.platform != "win32" else 1


class DecodePool:
    """Decodes pictures in processes of their own.  A context manager; starts a process whenever none is idle.

    Where the system has no room for another one, those that there are do it.

    Args:
        max_megapixels: larger pictures are refused; None to go by the memory there is.
        thumbnail_px: the longer side of the thumbnail made beside the pixels; 0 for none.
        seconds: how long one file may take.
        is_gentle: the processes leave the processor to others, where the system can do that.
        command: what to start; tests pass a worker that misbehaves.
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
        self._lock = threading.Condition()  # for what follows; held for moments only, and told what comes and goes
        self._idle: list[Child] = []
        self._all: set[Child] = set()
        self._closed = False
        self._starting = threading.Lock()  # held around each start: who is refused one knows of all that there are
        self._large = threading.Lock()  # held while a large picture is decoded

    def start(self, count: int) -> None:
        """Have this many processes ready; they import what they need while the caller does something else."""
        with suppress(NoProcess):  # fewer may do; `decode` finds out whether there are any
            for _ in range(count - len(self._all)):
                self._give_back(self._started())

    def decode(self, path: Path, fit: PixelFit) -> Decoded:
        """Read a picture file.  Any thread may.

        Raises:
            BadImage: it cannot be read; the message is the reason alone.
            NoProcess: there is no room for a single process.
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
        except _Crashed:  # perhaps for what an earlier file has done to the process
            try:
                message, payload = self._ask(request)
            except _Crashed as crash:
                raise BadImage(f"the decoder crashed ({crash})") from crash
        if "reason" in message:
            raise BadImage(message["reason"])
        return _decoded(message, payload)

    def close(self) -> None:
        """End every process, whatever it is doing; safe to call twice.  What is being decoded fails."""
        with self._lock:
            self._closed = True
            workers, idle = self._all, self._idle
            self._all, self._idle = set(), []
            self._lock.notify_all()
        for worker in workers:
            worker.kill()
        for worker in idle:  # of the others, those who wait for their answers take leave
            worker.terminate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Have one process answer.  Raises _Crashed; BadImage where the time was up."""
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
        while "large" in answer[0]:  # once for each way to read a damaged one
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
        """Return an idle process, else a new one, else the next that another thread gives back."""
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
            # libtiff writes to standard error by the hundred lines.
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
    """A decode process ended in the middle of a file; the message says how."""


def _decoded(message: dict[str, Any], payload: bytes) -> Decoded:
    width, height = message["size"]
    shape = message["views"], height, width, 3
    views = np.frombuffer(payload, np.uint8, prod(shape)).reshape(shape)
    facts, digest = PhotoFacts(**message["facts"]), bytes.fromhex(message["digest"])
    return Decoded(views[0], facts, digest, payload[views.nbytes :], sides=list(views[1:]))
