"""Owns Ctrl-Z: what is paused before this process stops, and resumed when it continues.  Reads no keys."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self

TIMEOUT_SECONDS = 2.0
"""How long pausing and resuming may keep the user waiting, in seconds; longer work continues in the background."""

_SIGTSTP: int | None = getattr(signal, "SIGTSTP", None)


class Suspension:
    """In this context Ctrl-Z calls `pause` and then stops the process; `resume` is called once it continues.

    Does nothing if there is no such signal, or it is already handled.  SIGSTOP can't be handled; for that
    the encoder process has its own deadlines.

    Args:
        pause, resume: called on another thread, as locks may be held when the signal comes; waited for briefly.
        release_tty, reclaim_tty: called right before and after the stop, for the terminal's mode.
        defer: called when the signal comes; returns True if `stop` will be called at a better moment.
    """

    def __init__(
        self,
        *,
        pause: Callable[[], object] = lambda: None,
        resume: Callable[[], object] = lambda: None,
        release_tty: Callable[[], object] = lambda: None,
        reclaim_tty: Callable[[], object] = lambda: None,
        defer: Callable[[], bool] = lambda: False,
    ) -> None:
        self._pause, self._resume, self._defer = pause, resume, defer
        self._release_tty, self._reclaim_tty = release_tty, reclaim_tty
        self._is_ours = self._is_stopping = self._is_postponing = self._is_due = False

    def __enter__(self) -> Self:
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and _SIGTSTP is not None and signal.getsignal(_SIGTSTP) is signal.SIG_DFL:
            signal.signal(_SIGTSTP, self._on_signal)
            self._is_ours = True
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_ours and _SIGTSTP is not None:
            signal.signal(_SIGTSTP, signal.SIG_DFL)

    @contextmanager
    def postponed(self) -> Iterator[None]:
        """A context that postpones a stop requested meanwhile to its end, even if the block fails.

        For code that `pause` depends on or waits for, such as holding a lock.  Does nothing outside the main thread,
        which has the signals.
        """
        if self._is_postponing or threading.current_thread() is not threading.main_thread():
            yield
            return
        self._is_postponing, self._is_due = True, False
        try:
            yield
        finally:
            self._is_postponing = False
            if self._is_due and not self._defer():
                self.stop()

    @contextmanager
    def deferring(self, defer: Callable[[], bool]) -> Iterator[None]:
        """A context with another `defer` function."""
        before, self._defer = self._defer, defer
        try:
            yield
        finally:
            self._defer = before

    def stop(self, *, whole_group: bool = False) -> None:
        """Pause, stop until SIGCONT, resume.  Call from the main thread.

        Args:
            whole_group: stop the other processes of a pipeline too, as the terminal would.
        """
        if not self._is_ours or self._is_stopping or _SIGTSTP is None:
            return
        self._is_stopping = True
        pausing = _begun(self._pause, "photomap-pause")
        pausing.join(TIMEOUT_SECONDS)
        self._release_tty()
        signal.signal(_SIGTSTP, signal.SIG_DFL)
        os.kill(0 if whole_group else os.getpid(), _SIGTSTP)  # stops here, unless no shell could continue it
        signal.signal(_SIGTSTP, self._on_signal)
        self._reclaim_tty()
        _begun(lambda: self._resume_after(pausing), "photomap-resume").join(TIMEOUT_SECONDS)
        self._is_stopping = False

    def _resume_after(self, pausing: threading.Thread) -> None:
        pausing.join()
        self._resume()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._is_postponing:
            self._is_due = True
        elif not self._is_stopping and not self._defer():
            self.stop()


def _begun(work: Callable[[], object], name: str) -> threading.Thread:
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread
