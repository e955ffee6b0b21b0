"""Owns which compressed rows there are for a search, and that one process at a time makes them.  Knows no catalogue."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from photomap_cli.library.compressed import CompressedFile
from photomap_cli.library.compression import Job, compress, is_due
from photomap_cli.library.locks import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import numpy as np

    from photomap_cli.library.compressed import Compressed
    from photomap_cli.library.view import View

LOCK_NAME = "vectors.pq.lock"

log = logging.getLogger(__name__)


class Tier:
    """The compressed rows of the library in a folder.  Any thread may use it.

    `say` is told, once, of a file that is of no use.
    """

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self._file, self._lock_path = CompressedFile(folder), folder / LOCK_NAME
        self._say = say
        self._lock = threading.Lock()
        self._held: Compressed | None = None
        self._signature: object = None
        self._gave_up = False

    def usable(self, view: View) -> Compressed | None:
        """Return what a search may use; None where a scan of all rows is the way."""
        held = self._of(view)
        return held if held and held.header.depth else None

    def is_due(self, view: View) -> bool:
        """Whether `make` has something to do here; two dimensions go together, so their number has to be even."""
        held = self._of(view)
        return not self._gave_up and not view.rows.dim % 2 and is_due(view.count, held.header if held else None)

    def make(self, view: View, queries: Sequence[np.ndarray]) -> Iterator[int]:
        """Make what is due, and yield how many rows are done.

        Does nothing while another process does it, nor where nothing can be written: such a library stays exact.
        """
        if not self.is_due(view):
            return
        only_maker = FileLock(self._lock_path)
        try:
            if only_maker.try_acquire():
                yield from self._made(view, queries)
        except (OSError, MemoryError, RuntimeError) as error:  # faiss's errors are the last; a search does without
            log.warning("the vectors are not compressed: %s", error)
            self._gave_up = True
        finally:
            only_maker.release()

    def discard(self) -> None:
        """Take the file away, for its library has begun again."""
        with self._lock:
            self._file.discard()
            self._held = self._signature = None

    def _made(self, view: View, queries: Sequence[np.ndarray]) -> Iterator[int]:
        if not self.is_due(view):  # another process has just done it
            return
        made = yield from compress(Job(view.library_id, view.rows, self._of(view), queries))
        made = self._file.write(made)
        with self._lock:
            self._held, self._signature = made, self._file.signature()

    def _of(self, view: View) -> Compressed | None:
        """Return what there is of these rows, read when the file is a new one."""
        with self._lock:
            signature = self._file.signature()
            if signature != self._signature:
                self._held, self._signature = self._read() if signature else None, signature
            if self._held and self._held.header.count > view.count:
                return None  # of photos that this view does not see yet, or that a power cut took
            if self._held and not self._held.is_of(view.library_id, view.rows):
                self._held = None
                self._refuse("is of other photos")
            return self._held

    def _read(self) -> Compressed | None:
        try:
            held = self._file.read()
        except FileNotFoundError:  # taken away since
            return None
        except OSError:
            held = None
        if held is None:
            self._refuse("is damaged")
        return held

    def _refuse(self, reason: str) -> None:
        self._say(f"{self._file.path.name} {reason} and will be made anew; until then a search scans every photo")
        with suppress(OSError):  # where nothing can be written, it is said again by the next process
            self._file.discard()
