"""Owns the decode process: a loop that reads requests, decodes and answers.  The other end is `decode_pool.py`.

Starts in some 0.1 s, as it imports no numpy.  It is expendable: its memory is limited, output of C libraries goes
nowhere, and it ends by itself when a picture's time is up, or at the end of standard input.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from photomap_cli.errors import BadImage, ProtocolMismatch
from photomap_cli.framing import read_frame, write_frame
from photomap_cli.images import memory_limits
from photomap_cli.images.decode import ALONE_MEGAPIXELS, ReadOptions, read
from photomap_cli.images.decode_errors import NO_MEMORY
from photomap_cli.images.preprocess import PixelFit

GENTLE = "--gentle"
"""The argument that makes a decode process run at low priority."""

_NICENESS = 10


class DecodeWorker:
    """Answers requests one at a time, over two pipes."""

    def __init__(self, requests: BinaryIO, replies: BinaryIO) -> None:
        self._requests, self._replies = requests, replies

    def run(self) -> None:
        """Answer until the other end is gone."""
        memory_limits.no_core_dumps()
        memory_limits.limit_memory(ALONE_MEGAPIXELS)
        try:
            while frame := read_frame(self._requests.read):
                write_frame(self._replies, *self._answer(frame[0]))
        except (OSError, ProtocolMismatch):
            return

    def _answer(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        self._seconds = request["seconds"]
        fit = PixelFit(**{**request["fit"], "image_size": tuple(request["fit"]["image_size"])})
        options = ReadOptions(request["max_megapixels"], request["thumbnail_px"], self._alone)
        end_after(self._seconds)
        try:
            picture = read(Path(request["path"]), fit, options)
            answer = {"facts": asdict(picture.facts), "size": picture.image.size, "digest": picture.digest.hex()}
            views = [picture.image, *picture.sides]
            return {**answer, "views": len(views)}, b"".join(each.tobytes() for each in views) + picture.thumbnail
        except BadImage as error:
            return {"reason": error.message}, b""
        except MemoryError:
            return {"reason": NO_MEMORY}, b""
        finally:
            end_after(0)

    @contextmanager
    def _alone(self, megapixels: float) -> Iterator[None]:
        """Wait for the turn from the other end; then raise the limits of memory and time for a large picture."""
        end_after(0)
        write_frame(self._replies, {"large": True})
        if read_frame(self._requests.read) is None:
            raise ProtocolMismatch("the other end is gone")
        end_after(self._seconds * megapixels / ALONE_MEGAPIXELS)
        memory_limits.limit_memory(megapixels)
        try:
            yield
        finally:
            memory_limits.limit_memory(ALONE_MEGAPIXELS)


def end_after(seconds: float) -> None:
    """End this process after some seconds, even in native code; 0 for never."""
    if sys.platform != "win32":  # its unhandled signal ends the process; takes a microsecond
        signal.setitimer(signal.ITIMER_REAL, seconds)
    elif seconds:  # a thread: 0.1 ms
        faulthandler.dump_traceback_later(seconds, exit=True)
    else:
        faulthandler.cancel_dump_traceback_later()


def main() -> None:
    """Be a decode process."""
    if GENTLE in sys.argv and hasattr(os, "nice"):
        os.nice(_NICENESS)
    if sys.platform != "win32":
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # the parent of photomap may have ignored it
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as replies:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print must not come between the replies
        DecodeWorker(sys.stdin.buffer, replies).run()


if __name__ == "__main__":
    main()
