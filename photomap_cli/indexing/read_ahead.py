"""Owns having files read from the disk before a decoder asks for them; reads nothing itself."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from queue import Empty, SimpleQueue

from photomap_cli import files
from photomap_cli.images.decode import MOST_AT_ONCE

_THREADS = 4  # each opens some 200 files a second on a disk that takes 5 ms for an answer


class ReadAhead:
    """Has the system read the files at some paths, as many ahead of those that are in work as `count`.

    Call `next_begins` for each file as its turn comes.  It never waits, nor does anything else here: who is late finds
    the file as it would have been.
    """

    def __init__(self, paths: Iterable[str], count: int) -> None:
        self._paths, self._lock = iter(paths), threading.Lock()
        self._wanted: SimpleQueue[str | None] = SimpleQueue()
        for _ in range(_THREADS):  # not a pool's, which the exit of the program would wait for
            threading.Thread(target=self._run, name="read-ahead", daemon=True).start()
        for _ in range(count):
            self.next_begins()

    def next_begins(self) -> None:
        """Have one more file read.  Any thread may."""
        with self._lock:
            path = next(self._paths, None)
        if path is not None:
            self._wanted.put(path)

    def close(self) -> None:
        """Have no more files read; one that a hanging disk doesn't open is not waited for."""
        with self._lock:
            self._paths = iter(())
        with suppress(Empty):
            while True:
                self._wanted.get_nowait()
        for _ in range(_THREADS):
            self._wanted.put(None)

    def _run(self) -> None:
        while (path := self._wanted.get()) is not None:
            _have_read(path)


def _have_read(path: str) -> None:
    with suppress(OSError), files.reading(path) as file:  # what is wrong with it the decoder says
        files.will_need(file.fileno(), min(os.fstat(file.fileno()).st_size, MOST_AT_ONCE))
