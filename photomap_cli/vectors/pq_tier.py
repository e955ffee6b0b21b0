"""Owns the compressed rows for searches, and making them in one process at a time.  Knows no catalogue."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from photomap_cli import files
from photomap_cli.library.file_lock import FileLock
from photomap_cli.records import Check, CheckState
from photomap_cli.vectors.pq_file import FILE_NAME, PqFile
from photomap_cli.vectors.pq_training import Job, compress, is_due

if TYPE_CHECKING:
    import numpy as np

    from photomap_cli.vectors.pq_file import PqRows
    from photomap_cli.vectors.view import View

LOCK_NAME = "vectors.pq.lock"

RETRY_SECONDS, LONGEST_RETRY_SECONDS = 60.0, 3600.0
"""How long to wait after a failure, doubled each time, as a full disk may stay full for days, and a million rows
take half a minute."""

log = logging.getLogger(__name__)


class PqTier:
    """The compressed rows of the library in a folder.  Any thread may use it.

    `say` is called once about a useless file, and about one that can't be made.
    """

    def __init__(
        self, folder: Path, say: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._file, self._lock_path = PqFile(folder), folder / LOCK_NAME
        self._say, self._clock = say, clock
        self._lock = threading.Lock()
        self._held: PqRows | None = None
        self._signature: object = None
        self._failures, self._retry_at = 0, 0.0

    def usable(self, view: View) -> PqRows | None:
        """Return the compressed rows for a search; None if all rows should be scanned."""
        held = self._of(view)
        return held if held and held.header.depth else None

    def is_due(self, view: View) -> bool:
        """Whether `make` has something to do here."""
        held = self._of(view)
        is_due_now = not self._failures or self._clock() >= self._retry_at
        return is_due_now and (_wants(view, held) or self._is_left_over(view))

    def make(self, take_view: Callable[[], View], queries: Sequence[np.ndarray]) -> Iterator[int]:
        """Make what is due, yielding how many rows are done.

        Uses a view taken while no other process makes them.  Does nothing while another one does.  What
        fails is retried later; if nothing can be written, searches stay exact.
        """
        lock = FileLock(self._lock_path)
        try:
            if lock.try_acquire() and self.is_due(view := take_view()):
                yield from self._made(view, queries)
                self._failures = 0
        except (OSError, MemoryError, RuntimeError) as error:  # faiss's errors come last
            self._fail(error)
        finally:
            lock.release()

    def discard(self) -> None:
        """Delete the file, as its library was cleared."""
        with self._lock:
            self._file.discard()
            self._held = self._signature = None

    def _made(self, view: View, queries: Sequence[np.ndarray]) -> Generator[int, None, None]:
        earlier = self._of(view)
        if not _wants(view, earlier):
            self.discard()
            return
        made = yield from compress(Job(view, earlier, queries))
        made = self._file.write(made)
        with self._lock:
            self._held, self._signature = made, self._file.signature()

    def _is_left_over(self, view: View) -> bool:
        """Return whether the file's rows now belong to other photos."""
        held = self._held
        return held is not None and bool(view.count) and held.header.library_id != view.library_id

    def _fail(self, error: Exception) -> None:
        """Wait before the next try, and report the error once."""
        log.warning("the vectors are not compressed: %s", error)
        wait = min(RETRY_SECONDS * 2**self._failures, LONGEST_RETRY_SECONDS)
        if not self._failures and not isinstance(error, PermissionError):  # a user who may not write can't fix it
            reason = (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()
            self._say(f"{self._file.path.name} could not be made and will be tried again ({reason}); {_MEANWHILE}")
        self._failures, self._retry_at = self._failures + 1, self._clock() + wait

    def _of(self, view: View) -> PqRows | None:
        """Return the compressed rows, reading the file if it is new."""
        with self._lock:
            signature = self._file.signature()
            if signature != self._signature:
                self._held, self._signature = self._read() if signature else None, signature
            held = self._held
            if held is None or held.header.library_id != view.library_id:
                return None  # of rows that changed, or a view that doesn't know them yet
            if held.header.count > view.count:
                return None  # of photos that this view doesn't see yet, or that a power cut lost
            if not held.is_of(view):
                self._held = None
                self._refuse("belongs to other photos")
            return self._held

    def _read(self) -> PqRows | None:
        try:
            held = self._file.read()
        except files.NotPlain:
            held = None
        except FileNotFoundError:  # deleted since
            return None
        except OSError:
            held = None
        if held is None:
            self._refuse("is damaged")
        return held

    def _refuse(self, reason: str) -> None:
        self._say(f"{self._file.path.name} {reason} and will be rebuilt; {_MEANWHILE}")
        with suppress(OSError):  # if nothing can be written, the next process says it again
            self._file.discard()


_MEANWHILE = "until then, searches scan every photo"


def check(folder: Path, library_id: str, count: int) -> Check | None:
    """Return the state of the compressed rows of a library with `count` rows; empty if there are none."""
    file = PqFile(folder)
    if file.signature() is None:
        return None
    try:
        held = file.read()
    except OSError:
        held = None
    if held and held.header.library_id == library_id and held.header.count <= count:
        return Check(FILE_NAME, CheckState.OK, f"{held.header.count:,} of {count:,} vectors compressed")
    return Check(FILE_NAME, CheckState.ADVICE, "damaged, or made from other photos", "`photomap index` rebuilds it")


def _wants(view: View, held: PqRows | None) -> bool:
    """Return whether rows can be compressed: dimensions are compressed in pairs, so their number must be even."""
    return not view.rows.dim % 2 and is_due(view.count, held.header if held else None)
