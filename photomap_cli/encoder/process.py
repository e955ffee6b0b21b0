"""Owns the session's end of the encoder process: starts it, asks it, notices its death, ends it.  Imports no torch.

The child (`worker.py`) is started with a clean module path, in its own process group so that Ctrl-C in the terminal
can't reach it, and it ends by itself when its standard input closes, so no orphan survives the session.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np

from photomap_cli import subprocesses
from photomap_cli.encoder.models import open_clip_name
from photomap_cli.encoder.watchdog import RELEASED_STATUS
from photomap_cli.errors import EncoderClosed, EncoderDied, EncoderReleased, PhotomapError
from photomap_cli.records import EncoderInfo, MemoryReport
from photomap_cli.subprocesses import Child, ChildDied, Exit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photomap_cli.encoder.image_probes import ImageProbes
    from photomap_cli.encoder.interface import Tower
    from photomap_cli.encoder.probes import Probes

_SILENT_SECONDS = {"load": 900.0}
"""How long the process may be silent before giving up on it; loading from a slow disk takes longest."""
_USUAL_SILENT_SECONDS, _SECONDS_A_PICTURE = 300.0, 60.0


class EncoderProcess:
    """An `Encoder` in a child process.  Requests are answered one at a time; `close` may interrupt one.

    Args:
        spec: an encoder's spec string, resolved (not `auto`).
        device: "auto", "cuda:N", "mps" or "cpu".
        precision: "auto", "float32", "bfloat16" or "float16".
        on_progress, on_exit: the attributes.
        allow_download: whether weights that are not on disk may be fetched.
        may_pin: whether RAM may be page-locked for faster copies.
        worker: the module that the child runs; tests pass one with a pretended device.

    Attributes:
        on_progress: called with bytes (done, total) while weights are fetched.
        on_exit: called from another thread when the process ends unasked; requests wait meanwhile.
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
        self.on_progress, self.on_exit = on_progress, on_exit
        self._allow_download, self._may_pin, self._worker = allow_download, may_pin, worker
        self._asking = threading.Lock()  # held for a request and its reply
        self._rest = (0.0, 0.0)
        self._child: Child | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The child's process id, or None when there is none."""
        child = self._child
        return child.pid if child else None

    # The Encoder protocol -------------------------------------------------------------------------------------------

    def load(self) -> EncoderInfo:
        """Start the process if necessary and load the weights; does nothing if they are loaded.

        Raises NoProcess if the system can't start one.
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
        return EncoderInfo.from_json(message["info"])

    def to_vram(self, tower: Tower) -> None:
        """Copy one tower to the device.  Raises EncoderOutOfMemory when it is full."""
        self._ask("to_vram", tower=tower)

    def to_ram(self) -> None:
        """Free everything on the device except its context."""
        self._ask("to_ram")

    def memory(self) -> MemoryReport:
        """Measure what the process holds."""
        return MemoryReport.from_json(self._ask("memory")[0]["memory"])

    def probes(self) -> Probes | None:
        """Return the encoder's vectors of the probe texts."""
        from photomap_cli.encoder.probes import Probes

        return Probes.from_frame(*self._ask("probes"))

    def image_probes(self) -> ImageProbes | None:
        """Return the encoder's vectors of the probe pictures."""
        from photomap_cli.encoder.image_probes import ImageProbes

        return ImageProbes.from_frame(*self._ask("image_probes"))

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
        """Tell the process when to free the device and to end by itself, without waiting for a reply."""
        self._rest = (idle, release)
        if child := self._child:  # a running request says as much
            self._say_when_to_rest(child)

    def release(self) -> None:
        """End the process after the request in flight."""
        with self._asking:
            if child := self._child:
                self._child = None
                child.terminate()

    def close(self) -> None:
        """End the process at once and for good; a request in flight fails with EncoderClosed."""
        self._closed = True
        if child := self._child:
            child.kill()
        self.release()

    # One request ----------------------------------------------------------------------------------------------------

    def _ask(self, op: str, payload: bytes | memoryview = b"", **values: Any) -> tuple[dict[str, Any], bytes]:
        """Send one request and return its reply; progress events on the way go to `on_progress`."""
        seconds = _SILENT_SECONDS.get(op, _USUAL_SILENT_SECONDS)
        if op == "encode_images":
            seconds += _SECONDS_A_PICTURE * values["shape"][0]
        with self._asking:
            if self._closed:
                raise EncoderClosed("the encoder is closed")
            child = self._living(may_start=op == "load")
            try:
                message, answer = child.ask({"op": op, **values}, payload, seconds=seconds)
                while "progress" in message:
                    self.on_progress(tuple(message["progress"]))
                    message, answer = child.receive()
            except ChildDied as death:
                self._child = None
                raise self._death(death.exit) from death
        if "error" in message:
            raise PhotomapError.from_json(message["error"])
        return message, answer

    # The process ----------------------------------------------------------------------------------------------------

    def _living(self, *, may_start: bool) -> Child:
        """Return the process; only loading may start one, as otherwise it has nothing to answer with."""
        child = self._child
        if child is not None and child.is_running():
            return child
        self._child, ended = None, child.terminate() if child else None
        if not may_start:
            raise self._death(ended)
        return self._started()

    def _started(self) -> Child:
        with subprocesses.refusals(), ExitStack() as undo:
            child = Child(subprocesses.python(self._worker), keep_words=True)
            undo.callback(child.terminate)
            undo.callback(child.kill)
            threading.Thread(target=self._watch, args=(child,), name="encoder-watch", daemon=True).start()
            undo.pop_all()
        self._child = child
        self._say_when_to_rest(child)
        if self._closed:  # close() came between the check and the start
            child.kill()
        return child

    def _say_when_to_rest(self, child: Child) -> None:
        idle, release = self._rest
        child.put({"op": "rest", "idle": idle, "release": release})

    def _watch(self, child: Child) -> None:
        """Wait for the process's end, and report it if it wasn't ended from here."""
        child.wait()
        with self._asking:  # no other process can replace it while its end is reported
            if self._child is child and not self._closed:
                self.on_exit(_end_of(child.terminate()))

    def _death(self, ended: Exit | None) -> PhotomapError:
        return EncoderClosed("the encoder is closed") if self._closed else _end_of(ended)


def _end_of(ended: Exit | None) -> EncoderDied:
    """Return the error for a process that has ended; None if there is none."""
    if ended is None:
        return EncoderDied("the encoder process ended (earlier)")
    if ended.status == RELEASED_STATUS:
        return EncoderReleased("the encoder process ended because nothing used it")
    return EncoderDied(f"the encoder process ended ({ended.reason})", hint=ended.last_words)


def _vectors(message: dict[str, Any], payload: bytes) -> NDArray[np.float32]:
    """Return the rows in a reply's payload as a writable array, (n, dim) float32."""
    return np.frombuffer(payload, dtype="<f4").reshape(message["shape"]).astype(np.float32)
