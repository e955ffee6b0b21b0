"""Owns the decode processes: start them, ask them, notice their death, end them.  The other end is `decode_worker.py`.

Decoders are native code that damaged files crash and hang.  In a process of its own each file costs itself alone, and
the processes decode side by side where threads share one interpreter.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from photomap_cli import directories, subprocesses
from photomap_cli.errors import BadImage, NoProcess, ProtocolMismatch
from photomap_cli.framing import read_frame, write_frame
from photomap_cli.images.decode import Decoded
from photomap_cli.images.exif import PhotoFacts
from photomap_cli.images.memory_limits import default_max_megapixels

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from photomap_cli.images.preprocess import PixelFit

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
_EXIT_SECONDS = 5.0
_SILENT_TIMES = 20  # so many times what a file may take: its own process ends it in time, unless the disk hangs


class DecodePool:
    """Decodes pictures in processes of their own.  A context manager; starts a process whenever none is idle.

    Where the system has no room for another one, those that there are do it.

    Args:
        max_megapixels: larger pictures are refused; None to go by the memory there is.
        thumbnail_px: the longer side of the thumbnail made beside the pixels; 0 for none.
        seconds: how long one file may take.
        command: what to start; tests pass a worker that misbehaves.
    """

    def __init__(
        self,
        *,
        max_megapixels: float | None = None,
        thumbnail_px: int = 0,
        seconds: float = DECODE_SECONDS,
        command: Sequence[str] = _COMMAND,
    ) -> None:
        self._max_megapixels = max_megapixels or default_max_megapixels()
        self._thumbnail_px, self._seconds, self._command = thumbnail_px, seconds, command
        self._lock = threading.Condition()  # for what follows; held for moments only, and told what comes and goes
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._closed = False
        self._starting = threading.Lock()  # held around each start: who is refused one knows of all that there are
        self._large = threading.Lock()  # held while a large picture is decoded

    def start(self, count: int) -> None:
        """Have this many processes ready; they import what they need while the caller does something else."""
        with suppress(NoProcess):  # fewer may do; `decode` finds out whether there are any
            for _ in range(count - len(self._all)):
                self._give_back(self._started())

    def end_idle(self) -> None:
        """Leave their room to other processes; they are started again when needed, as many as there is room for."""
        with self._lock:
            idle, self._idle = self._idle, []
            self._all -= set(idle)
        for worker in idle:
            worker.end()
        with self._lock:
            self._lock.notify_all()

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
            worker.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Have one process answer.  Raises _Crashed; BadImage where the time was up."""
        worker = self._taken()
        try:
            answer = worker.ask(request, self._large)
        except (OSError, ProtocolMismatch) as error:
            status = worker.end()
            with self._lock:
                self._all.discard(worker)
                self._lock.notify_all()
            raise self._death(status) from error
        self._give_back(worker)
        return answer

    def _death(self, status: int) -> Exception:
        if self._closed:
            return BadImage("the decoders were closed")
        if status == _TIME_IS_UP:
            return BadImage(f"took longer than {self._seconds:g} s")
        return _Crashed(_how(status))

    def _taken(self) -> _Worker:
        """Return an idle process, else a new one, else the next that another thread gives back."""
        pauses = iter(subprocesses.PAUSES)
        while True:
            with self._lock:
                if self._closed:
                    raise BadImage("the decoders were closed")
                if self._idle:
                    return self._idle.pop()
            try:
                return self._started()
            except NoProcess as refusal:
                self._wait(refusal, pauses)

    def _wait(self, refusal: NoProcess, pauses: Iterator[float]) -> None:
        """Wait until another process is given back or ends; where there is none, a while, but not for ever."""
        with self._lock:
            if self._idle or self._closed:
                return
            if self._all:
                self._lock.wait()
            elif (pause := next(pauses, None)) is not None:
                self._lock.wait(pause)
            else:
                raise refusal

    def _started(self) -> _Worker:
        with self._starting:
            worker = _Worker(self._command, _SILENT_TIMES * self._seconds)
            with self._lock:
                self._all.add(worker)
                if self._closed:  # meanwhile
                    worker.kill()
        return worker

    def _give_back(self, worker: _Worker) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(worker)
                self._lock.notify()
                return
        worker.end()


class _Crashed(Exception):
    """A decode process ended in the middle of a file; the message says how."""


class _Worker:
    """One decode process, asked by one thread at a time."""

    def __init__(self, command: Sequence[str], most_seconds: float) -> None:
        # libtiff writes to standard error by the hundred lines.
        self._child = subprocesses.start(command, stderr=subprocess.DEVNULL, env={**os.environ, **_ENVIRONMENT})
        self._channel = subprocesses.Channel(self._child)
        self._channel.most_seconds = most_seconds

    def ask(self, request: dict[str, Any], large: threading.Lock) -> tuple[dict[str, Any], bytes]:
        """Send a request and return its reply.  Raises OSError or ProtocolMismatch where the process has ended."""
        try:
            write_frame(self._channel, request)
            message, payload = self._reply()
            while "large" in message:  # once for each way to read a damaged one
                with large:
                    write_frame(self._channel, {})
                    message, payload = self._reply()
            return message, payload
        except subprocesses.Silent:  # it does not hear that it shall end
            self._child.kill()
            raise

    def _reply(self) -> tuple[dict[str, Any], bytes]:
        frame = read_frame(self._channel.read)
        if frame is None:
            raise ProtocolMismatch("the decode process ended")
        return frame

    def kill(self) -> None:
        self._child.kill()

    def end(self) -> int:
        """See the process off and return its exit status."""
        for pipe in (self._child.stdin, self._child.stdout):
            assert pipe is not None
            pipe.close()
        try:
            return self._child.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            return self._child.wait()


_TIME_IS_UP = -signal.SIGALRM if sys.platform != "win32" else 1


def _how(status: int) -> str:
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"exit status {status}"


def _decoded(message: dict[str, Any], payload: bytes) -> Decoded:
    width, height = message["size"]
    pixels = np.frombuffer(payload, np.uint8, width * height * 3).reshape(height, width, 3)
    return Decoded(pixels, PhotoFacts(**message["facts"]), bytes.fromhex(message["digest"]), payload[pixels.nbytes :])
