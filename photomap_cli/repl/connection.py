"""Owns the prompt's connection to its backend: opened once, and again if the session is gone.  Prints nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING, TypeVar

from photomap_cli.errors import EncoderClosed, PhotomapError, SessionGone

if TYPE_CHECKING:
    from photomap_cli.session.backend import Backend

T = TypeVar("T")

REOPENED = "the session ended; a new one was opened"
TAKEN_OVER = "another session took over the library meanwhile"
_CLOSE_WAIT_SECONDS = 0.3  # leaving while the backend is still being opened must not hang


class Connection:
    """A backend that is opened when first needed.  Methods may be called from any thread."""

    def __init__(self, open_backend: Callable[[], Backend]) -> None:
        self._open_backend = open_backend
        self._opening = threading.Lock()
        self._backend: Backend | None = None
        self._closed = False
        self._notes: list[str] = []
        self.trouble: Exception | None = None
        """Why there is no backend, after opening it failed."""
        self.postponed: Callable[[], AbstractContextManager[None]] = nullcontext
        """Postpones Ctrl-Z while the backend is opened or closed; see `Suspension.postponed`."""

    @property
    def current(self) -> Backend | None:
        """The backend if it is open; never waits."""
        return self._backend

    def backend(self) -> Backend:
        """Return the backend, opening it if need be.  Raises what `open_backend` raises."""
        with self.postponed(), self._opening:
            if self._closed:
                raise EncoderClosed("the session is closed")
            if self._backend is None:
                self._backend = self._opened()
            return self._backend

    def _opened(self) -> Backend:
        try:
            backend = self._open_backend()
        except Exception as error:
            self.trouble = error
            raise
        self.trouble = None
        if self._closed:  # the user left meanwhile
            backend.close()
            raise EncoderClosed("the session is closed")
        return backend

    def ask(self, question: Callable[[Backend], T]) -> T:
        """Ask the backend; if its session is gone, ask a new one."""
        backend = self.backend()
        try:
            return question(backend)
        except (SessionGone, EncoderClosed):
            if self._closed:
                raise
            self._forget(backend)
            renewed = self.backend()
            self._notes.append(REOPENED)
            return question(renewed)

    def _forget(self, backend: Backend) -> None:
        with self.postponed():
            with self._opening:
                if self._backend is not backend:
                    return  # another thread has opened a new one already
                self._backend = None
            with suppress(PhotomapError, OSError):  # the other end is gone
                backend.close()

    def pause(self) -> None:
        """Leave the library and the GPU to others, as this process is about to be stopped."""
        with self._opening:  # a half-opened backend already holds the library
            backend = self._backend
        if backend is not None:
            backend.pause()

    def resume(self) -> None:
        """Continue as before, or with the session that has the library by now."""
        backend = self._backend
        if backend is not None and not backend.resume():
            self._forget(backend)
            self._notes.append(TAKEN_OVER)
            with suppress(Exception):  # the next question will meet the same error
                self.backend()

    def drain_notices(self) -> list[str]:
        """Return what the user should be told since the last call."""
        notes, self._notes = self._notes, []
        return notes

    def close(self) -> None:
        """Close the backend; one that is still being opened closes itself."""
        with self.postponed():
            self._close()

    def _close(self) -> None:
        self._closed = True
        acquired = self._opening.acquire(timeout=_CLOSE_WAIT_SECONDS)
        try:
            backend, self._backend = self._backend, None
        finally:
            if acquired:
                self._opening.release()
        if backend is not None:
            backend.close()
