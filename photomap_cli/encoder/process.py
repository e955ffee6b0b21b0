"""Owns the session's end of the encoder process: start it, ask it, notice its death, end it.  Imports no torch.

The child (`worker.py`) is started with a clean module path, in its own process group so that Ctrl-C in the terminal
cannot reach it, and it ends by itself when its standard input closes: no orphan survives the session.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from photomap_cli import subprocesses
from photomap_cli.encoder.models import open_clip_name
from photomap_cli.encoder.watchdog import RELEASED_STATUS
from photomap_cli.errors import EncoderClosed, EncoderDied, EncoderReleased, NoProcess, PhotomapError, ProtocolMismatch
from photomap_cli.framing import frame, read_frame, write_frame
from photomap_cli.records import EncoderInfo, MemoryReport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from photomap_cli.encoder.interface import Tower
    from photomap_cli.encoder.probes import Probes

_EXIT_SECONDS = 5.0
_SILENT_SECONDS = {"load": 900.0}
"""How long the process may say nothing before it is given up; loading from a slow disk takes longer than all else."""
_USUAL_SILENT_SECONDS, _SECONDS_A_PICTURE = 300.0, 60.0


class EncoderProcess:
    """An `Encoder` in a child process.  Requests are answered one at a time; `close` may interrupt one.

    Args:
        spec: an encoder's spec string, resolved (not `auto`).
        device: "auto", "cuda:N", "mps" or "cpu".
        precision: "auto", "float32", "bfloat16" or "float16".
        on_progress: called with bytes (done, total) while weights are fetched.
        on_exit: called from another thread when the process ends though nobody asked for it; requests wait meanwhile.
        allow_download: whether weights that are not on disk may be fetched.
        may_pin: whether RAM may be page-locked for faster reloads.
        worker: the module that the child runs; tests pass one with a pretended device.
    """

    def __init__(
        self,
        spec: str,
        *,
        device: str = "auto",
        precision: str = "auto",
        on_progress: Callable[[tuple[int, int]], None] = lambda _: None,
        on_exit: Callable[[EncoderDied], None] = lambda _: None,
        allow_download: bool = True,
        may_pin: bool = True,
        worker: str = "photomap_cli.encoder.worker",
    ) -> None:
        self._spec, self._device, self._precision = spec, device, precision
        self._on_progress, self._on_exit = on_progress, on_exit
        self._allow_download, self._may_pin, self._worker = allow_download, may_pin, worker
        self._asking = threading.Lock()  # held for a request and its reply
        self._writing = threading.Lock()  # held while something is written, or the pipe closed
        self._rest = (0.0, 0.0)
        self._child: subprocess.Popen[bytes] | None = None
        self._channel: subprocesses.Channel | None = None
        self._stderr: IO[bytes] | None = None
        self._closing = threading.Event()

    @property
    def _closed(self) -> bool:
        return self._closing.is_set()

    @property
    def pid(self) -> int | None:
        """The child's process id, or None when there is none."""
        child = self._child
        return child.pid if child else None

    # The Encoder protocol -------------------------------------------------------------------------------------------

    def load(self) -> EncoderInfo:
        """Start the process if there is none and load the weights; does nothing when that has been done.

        Raises NoProcess where the system has no room for it.
        """
        name, tag = open_clip_name(self._spec)
        message, _ = self._ask(
            "load",
            name=name,
            tag=tag,
            spec=self._spec,
            device=self._device,
            precision=self._precision,
            allow_download=self._allow_download,
            may_pin=self._may_pin,
        )
        return EncoderInfo(**{**message["info"], "image_size": tuple(message["info"]["image_size"])})

    def to_vram(self, tower: Tower) -> None:
        """Copy one tower to the device.  Raises EncoderOutOfMemory when it is full."""
        self._ask("to_vram", tower=tower)

    def to_ram(self) -> None:
        """Give back everything on the device but its context."""
        self._ask("to_ram")

    def memory(self) -> MemoryReport:
        """Measure what the process holds."""
        return MemoryReport(**self._ask("memory")[0]["memory"])

    def probes(self) -> Probes | None:
        """Return what the encoder makes of the probe texts."""
        from photomap_cli.encoder.probes import Probes

        return Probes.from_frame(*self._ask("probes"))

    def encode_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode texts.  Returns (n, dim) float32, rows of unit length."""
        message, payload = self._ask("encode_text", texts=list(texts))
        return _vectors(message, payload)

    def letters_read(self, text: str) -> int:
        """Return how many letters of a text the encoder reads."""
        return int(self._ask("letters_read", text=text)[0]["letters"])

    def encode_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Encode pictures, (n, height, width, 3) uint8 RGB.  Returns (n, dim) float32, rows of unit length."""
        contiguous = np.ascontiguousarray(pixels)
        message, payload = self._ask("encode_images", contiguous.data.cast("B"), shape=list(contiguous.shape))
        return _vectors(message, payload)

    def rest_after(self, idle: float, release: float) -> None:
        """Tell the process when to give the device back and to end by itself; without waiting, and without a reply."""
        self._rest = (idle, release)
        if not self._writing.acquire(blocking=False):
            return  # a request is on its way, which says as much
        try:
            self._say_when_to_rest()
        finally:
            self._writing.release()

    def release(self) -> None:
        """End the process after the request in flight."""
        with self._asking:
            self._end(kill_now=False)

    def close(self) -> None:
        """End the process at once and for good; a request in flight fails with EncoderClosed."""
        self._closing.set()
        child = self._child
        if child is not None:
            child.kill()
        with self._asking:
            self._end(kill_now=True)

    # One request ----------------------------------------------------------------------------------------------------

    def _ask(self, op: str, payload: bytes | memoryview = b"", **values: Any) -> tuple[dict[str, Any], bytes]:
        """Send one request and return its reply; progress events on the way go to `on_progress`."""
        with self._asking:
            if self._closed:
                raise EncoderClosed("the encoder is closed")
            channel = self._living(may_start=op == "load")
            channel.most_seconds = _SILENT_SECONDS.get(op, _USUAL_SILENT_SECONDS)
            if op == "encode_images":
                channel.most_seconds += _SECONDS_A_PICTURE * values["shape"][0]
            try:
                with self._writing:
                    write_frame(channel, {"op": op, **values}, payload)
                return self._reply(channel)
            except (OSError, ProtocolMismatch) as error:
                raise self._death(str(error) if isinstance(error, subprocesses.Silent) else "") from error

    def _say_when_to_rest(self) -> None:
        """Call with `_writing` held.  A stopped process takes nothing once its pipe is full, and a dead one nothing."""
        idle, release = self._rest
        if self._channel is not None:
            self._channel.put(frame({"op": "rest", "idle": idle, "release": release}))

    def _living(self, *, may_start: bool) -> subprocesses.Channel:
        """Return the way to the process; only loading may start one, for another has nothing to answer from."""
        if self._channel is not None and self._child is not None and self._child.poll() is None:
            return self._channel
        if not may_start:
            raise self._death()
        self._end(kill_now=True)
        return self._start()

    def _reply(self, channel: subprocesses.Channel) -> tuple[dict[str, Any], bytes]:
        while True:
            reply = read_frame(channel.read)
            if reply is None:
                raise ProtocolMismatch("the encoder process ended")
            message, payload = reply
            if "error" in message:
                raise PhotomapError.from_json(message["error"])
            if "progress" not in message:
                return message, payload
            self._on_progress(tuple(message["progress"]))

    # The process ----------------------------------------------------------------------------------------------------

    def _start(self) -> subprocesses.Channel:
        """Start the process; a few times where the system has no room for it.  Raises NoProcess."""
        for pause in subprocesses.PAUSES:
            try:
                return self._started()
            except NoProcess:
                if self._closing.wait(pause):
                    raise EncoderClosed("the encoder is closed") from None
        return self._started()

    def _started(self) -> subprocesses.Channel:
        with subprocesses.refusals(), ExitStack() as undo:
            undo.callback(self._end, kill_now=True)
            self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  closed in _end
            self._child = child = subprocesses.start(subprocesses.python(self._worker), stderr=self._stderr)
            with self._writing:
                self._channel = channel = subprocesses.Channel(child)
                self._say_when_to_rest()
            threading.Thread(target=self._watch, args=(child,), name="encoder-watch", daemon=True).start()
            undo.pop_all()
        if self._closed:  # close() came between the check and the start
            child.kill()
        return channel

    def _watch(self, child: subprocess.Popen[bytes]) -> None:
        """Wait for the process's end, and tell it if nobody here brought it about."""
        if hasattr(os, "waitid"):
            try:
                os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
            except ChildProcessError:
                return  # ended and waited for
        child.wait()
        with self._asking:  # no other process can take its place while its end is told
            if self._child is child and not self._closed:
                self._on_exit(_end_of(child))

    def _death(self, why: str = "") -> PhotomapError:
        """Clean up after a child that is gone, or of no use any more, and say how it went."""
        child, last_words = self._child, self._last_words()
        self._end(kill_now=True)
        if self._closed:
            return EncoderClosed("the encoder is closed")
        return _end_of(child, why, last_words)

    def _last_words(self) -> str:
        """Return the last line the child wrote to standard error."""
        if self._stderr is None:
            return ""
        self._stderr.seek(0, 2)
        self._stderr.seek(max(0, self._stderr.tell() - 2000))
        lines = self._stderr.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def _end(self, *, kill_now: bool) -> None:
        """Take the child away: closing its standard input asks it to end, a kill makes it."""
        child, self._child = self._child, None
        with self._writing:
            self._channel = None  # nobody may write to a descriptor that somebody else has by now
        if child is not None:
            _see_off(child, kill_now=kill_now)
        if self._stderr is not None:
            self._stderr.close()
            self._stderr = None


def _see_off(child: subprocess.Popen[bytes], *, kill_now: bool) -> None:
    if kill_now:
        child.kill()
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            _close_quietly(stream)
    try:
        child.wait(_EXIT_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _end_of(child: subprocess.Popen[bytes] | None, why: str = "", last_words: str = "") -> EncoderDied:
    """Return the error for a process that has ended."""
    if child is not None and child.returncode == RELEASED_STATUS:
        return EncoderReleased("the encoder process ended by itself, as nobody asked it anything")
    return EncoderDied(f"the encoder process ended ({why or _how(child)})", hint=last_words)


def _how(child: subprocess.Popen[bytes] | None) -> str:
    """Return how a process ended, in words."""
    status = child.returncode if child else None
    if status is None:
        return "earlier"
    return f"signal {-status}" if status < 0 else f"exit status {status}"


def _close_quietly(stream: IO[bytes]) -> None:
    """Close a pipe whose other end may be gone with bytes still buffered here."""
    try:
        stream.close()
    except OSError:
        return


def _vectors(message: dict[str, Any], payload: bytes) -> NDArray[np.float32]:
    """Return the rows in a reply's payload as a writable array of the process's own."""
    return np.frombuffer(payload, dtype="<f4").reshape(message["shape"]).astype(np.float32)
