"""Owns the encoder process: a loop that reads requests, runs them and answers.  The session's end is `process.py`.

Standard input and output are the pipes; whatever a library prints goes to standard error.  When standard input closes
the session is gone, and the process ends at once, whatever it is doing.  When the session says nothing for too long it
may be suspended: between two requests, on the thread that answers them, the device is freed, and later the process
ends (`watchdog.py`).  A separate thread sends replies, as a suspended session doesn't read them.
"""

from __future__ import annotations

import gc
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

from photomap_cli.encoder.watchdog import RELEASED_STATUS, IdleGuard
from photomap_cli.errors import (
    EncoderDied,
    EncoderFailed,
    EncoderOffloaded,
    EncoderOutOfMemory,
    InternalError,
    PhotomapError,
    ProtocolMismatch,
    of_the_system,
)
from photomap_cli.framing import Writable, read_frame, write_frame

if TYPE_CHECKING:
    from photomap_cli.encoder.openclip import OpenClipEncoder

Request = tuple[dict[str, Any], bytes]
QUIET_SECONDS = 0.5  # seconds without a request before chores are done
LONGEST_WAIT_SECONDS = 3600.0  # seconds until the next check


class Worker:
    """Answers requests one at a time; holds the encoder between them."""

    def __init__(self, replies: Writable, guard: IdleGuard | None = None) -> None:
        self._replies = replies
        self._guard = guard or IdleGuard()
        self._encoder: OpenClipEncoder | None = None
        self._may_pin = False
        self._lent: set[str] = set()  # towers on the device
        self._taken_back: set[str] = set()  # those the session still believes there

    def answer(self, message: dict[str, Any], payload: bytes) -> None:
        """Run one request and send its reply, an error included."""
        op = message.pop("op")
        if op == "rest":  # a message without a reply
            self._guard.expect(**message)
            return
        try:
            self._answer(op, message, payload)
        finally:
            self._guard.heard()

    def _answer(self, op: str, message: dict[str, Any], payload: bytes) -> None:
        device_is_full = False
        try:
            values, result = getattr(self, f"_do_{op}")(payload, **message)
        except EncoderDied as error:
            _end(error)
        except PhotomapError as error:
            device_is_full = isinstance(error, EncoderOutOfMemory)
            self._send({"error": error.to_json()})
        except Exception as error:
            self._send({"error": (of_the_system(error) or _defect(op, error)).to_json()})
        else:
            self._send(values, result)
        if device_is_full:  # only now are the failed call's frames and tensors gone
            self._trim()

    @property
    def request_timeout(self) -> float:
        """Seconds without a request after which `be_idle` has something to do."""
        left = self._guard.left(on_device=bool(self._lent))
        waits = (LONGEST_WAIT_SECONDS, left, QUIET_SECONDS if self.has_chores else None)
        return min(wait for wait in waits if wait is not None)

    def be_idle(self) -> None:
        """Handle a pause without requests: offload or end if that is due, else do chores."""
        if self._guard.left(on_device=bool(self._lent)) == 0:
            self._take_back() if self._lent else _release()
        elif self.has_chores:
            self.do_chores()

    def _take_back(self) -> None:
        """Free the device unasked; if that fails, the end of the process does it."""
        try:
            self._require_encoder().to_ram()
        except Exception as error:
            _note(f"not offloaded: {error}")
            _release()
        self._taken_back |= self._lent
        self._lent.clear()

    @property
    def has_chores(self) -> bool:
        """Whether there are chores to do while nobody waits for an answer."""
        return self._may_pin and self._encoder is not None and self._encoder.wants_pinning

    def do_chores(self) -> None:
        """Page-lock what has been on the device: after the first answer, never before one."""
        try:
            self._require_encoder().pin()
        except PhotomapError as error:
            self._may_pin = False
            _note(f"not pinned: {error}")

    def _trim(self) -> None:
        """Return to the driver what a full device freed; if not even a context fits, that is logged."""
        try:
            if self._encoder is not None:
                self._encoder.trim()
        except EncoderDied as error:
            _end(error)
        except PhotomapError as error:
            _note(f"not trimmed: {error}")

    def _send(self, message: dict[str, Any], payload: bytes | memoryview = b"") -> None:
        write_frame(self._replies, message, payload)

    def _require_encoder(self) -> OpenClipEncoder:
        if self._encoder is None:
            raise EncoderFailed("no encoder is loaded")
        return self._encoder

    def _encoder_for(self, tower: str) -> OpenClipEncoder:
        """Return what encodes, if the tower is where the session believes it."""
        if tower in self._taken_back:
            raise EncoderOffloaded("the device has been given back meanwhile")
        return self._require_encoder()

    def _do_load(self, _: bytes, *, may_pin: bool, **how: Any) -> tuple[dict[str, Any], bytes]:
        self._may_pin = may_pin
        if self._encoder is None:
            from photomap_cli.encoder import lazy_imports

            with _collecting_no_garbage():
                lazy_imports.import_open_clip(how["name"])
                from photomap_cli.encoder import openclip

                self._encoder = openclip.load(
                    **how, may_pin=may_pin, on_progress=lambda *bytes_: self._send({"progress": bytes_})
                )
        return {"info": self._encoder.info.to_json()}, b""

    def _do_to_vram(self, _: bytes, *, tower: str) -> tuple[dict[str, Any], bytes]:
        self._require_encoder().to_vram(tower)
        self._lent.add(tower)
        self._taken_back.discard(tower)
        return {}, b""

    def _do_to_ram(self, _: bytes) -> tuple[dict[str, Any], bytes]:
        self._require_encoder().to_ram()
        self._lent.clear()
        self._taken_back.clear()
        return {}, b""

    def _do_memory(self, _: bytes) -> tuple[dict[str, Any], bytes]:
        return {"memory": self._require_encoder().memory().to_json()}, b""

    def _do_probes(self, _: bytes) -> tuple[dict[str, Any], bytes]:
        return self._require_encoder().probes().to_frame()

    def _do_image_probes(self, _: bytes) -> tuple[dict[str, Any], bytes]:
        return self._require_encoder().image_probes().to_frame()

    def _do_encode_text(self, _: bytes, *, texts: list[str]) -> tuple[dict[str, Any], memoryview]:
        rows = self._encoder_for("text").encode_text(texts)
        return {"shape": list(rows.shape)}, rows.data.cast("B")

    def _do_letters_read(self, _: bytes, *, text: str) -> tuple[dict[str, Any], bytes]:
        return {"letters": self._require_encoder().letters_read(text)}, b""

    def _do_encode_images(self, payload: bytes, *, shape: list[int]) -> tuple[dict[str, Any], memoryview]:
        import numpy as np

        pixels = np.frombuffer(bytearray(payload), dtype=np.uint8).reshape(shape)
        rows = self._encoder_for("image").encode_images(pixels)
        return {"shape": list(rows.shape)}, rows.data.cast("B")


@contextmanager
def _collecting_no_garbage() -> Iterator[None]:
    """Don't collect garbage in the block, nor its objects later: they stay, and collecting is a fifth of the start."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _defect(op: str, error: Exception) -> InternalError:
    import traceback

    traceback.print_exc()
    return InternalError(f"{op}: {type(error).__name__}: {error}")


def _end(error: EncoderDied) -> NoReturn:
    """End the process: only a new one gets a lost device back."""
    _note(str(error))
    os._exit(1)


def _release() -> NoReturn:
    """End the process, as its suspended session would have ended it by now."""
    os._exit(RELEASED_STATUS)


def _note(words: str) -> None:
    """Write a line to standard error, whose last line the session shows when this process ends."""
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


def _read_requests(stream: BinaryIO, requests: queue.SimpleQueue[Request]) -> None:
    """Pass requests to the main thread; end the process when the session closes its end of the pipe."""
    try:
        while frame := read_frame(stream.read):
            requests.put(frame)
    except (ProtocolMismatch, OSError):
        os._exit(1)
    os._exit(0)


class _Outgoing:
    """An outgoing queue of replies: `write` never waits for the session to read them."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._parts: queue.SimpleQueue[bytes | memoryview] = queue.SimpleQueue()
        self.write = self._parts.put
        threading.Thread(target=self._run, name="replies", daemon=True).start()

    def flush(self) -> None:
        """Do nothing; nothing is buffered."""

    def _run(self) -> None:
        try:
            while True:
                self._stream.write(self._parts.get())
                self._stream.flush()
        except OSError:
            os._exit(1)


def main() -> None:
    """Run until standard input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Let torch's waiting threads sleep soon.  With two decoders beside them on two cores a picture
    # took 97-110 ms of CPU with libgomp's default of 300,000 spins, and takes 66 with 1,000; a text is as fast (30 ms).
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
    reader = threading.Thread(target=_read_requests, args=(sys.stdin.buffer, requests), name="requests", daemon=True)
    reader.start()
    worker = Worker(_Outgoing(replies))
    while True:
        try:
            request = requests.get(timeout=worker.request_timeout)
        except queue.Empty:
            worker.be_idle()
        else:
            worker.answer(*request)


if __name__ == "__main__":
    main()
