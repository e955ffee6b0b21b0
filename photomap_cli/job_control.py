"""Owns Ctrl-Z: what is given to others before this process stops, and taken again when it goes on.  Reads no key."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

TIMEOUT_SECONDS = 2.0
"""How long giving and taking may keep the user waiting; what takes longer goes on, or goes on after the stop."""

_SIGTSTP: int | None = getattr(signal, "SIGTSTP", None)


class Suspension:
    """While this context lasts Ctrl-Z calls `give` first and then stops the process; `take` is called once it goes on.

    Does nothing where there is no such signal, or somebody else handles it.  SIGSTOP gives nobody a chance; for that
    the encoder process has deadlines of its own.

    Args:
        give, take: called on another thread, as the signal may come while locks are held; waited for, but not for long.
        leave, return_: called around the stop itself, for the terminal's mode.
        defer: called when the signal comes; True when somebody will call `stop` at a better moment.
    """

    def __init__(
        self,
        *,
        give: Callable[[], object] = lambda: None,
        take: Callable[[], object] = lambda: None,
        leave: Callable[[], object] = lambda: None,
        return_: Callable[[], object] = lambda: None,
        defer: Callable[[], bool] = lambda: False,
    ) -> None:
        self._give, self._take, self._leave, self._return, self._defer = give, take, leave, return_, defer
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
        """A context, in the main thread, at whose end a stop is made that was asked for meanwhile."""
        self._is_postponing, self._is_due = True, False
        try:
            yield
        finally:
            self._is_postponing = False
        if self._is_due:
            self.stop()

    def stop(self, *, whole_group: bool = False) -> None:
        """Give, stop until SIGCONT, take.  Call from the main thread.

        Args:
            whole_group: stop the other processes of a pipeline too, as the terminal does by itself.
        """
        if not self._is_ours or self._is_stopping or _SIGTSTP is None:
            return
        self._is_stopping = True
        giving = _begun(self._give, "photomap-give")
        giving.join(TIMEOUT_SECONDS)
        self._leave()
        signal.signal(_SIGTSTP, signal.SIG_DFL)
        os.kill(0 if whole_group else os.getpid(), _SIGTSTP)  # stops here, unless no shell could let it go on
        signal.signal(_SIGTSTP, self._on_signal)
        self._return()
        _begun(lambda: self._take_after(giving), "photomap-take").join(TIMEOUT_SECONDS)
        self._is_stopping = False

    def _take_after(self, giving: threading.Thread) -> None:
        giving.join()
        self._take()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._is_postponing:
            self._is_due = True
        elif not self._is_stopping and not self._defer():
            self.stop()


def _begun(work: Callable[[], object], name: str) -> threading.Thread:
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread
