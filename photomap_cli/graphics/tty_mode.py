"""Owns the terminal's mode between two prompts: no echo, no line editing, signals on.  Reads no keys.

What is typed while a query runs stays in the terminal's queue for the next prompt, instead of being echoed into the
results; so does a Ctrl-D.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, NoReturn, Self

from photomap_cli.job_control import Suspension

_FATAL = ("SIGTERM", "SIGHUP")


class TtyMode:
    """A context in which the terminal doesn't echo; restores its old mode at the end, even on SIGTERM and SIGHUP.

    Ctrl-Z leaves the shell a terminal that echoes, and `fg` restores the mode.
    Does nothing if `fd` isn't a terminal or the platform has no termios.

    Args:
        fd: the terminal; None for standard input.
        pause, resume, defer: see `Suspension`.
    """

    def __init__(
        self,
        fd: int | None = None,
        *,
        pause: Callable[[], object] = lambda: None,
        resume: Callable[[], object] = lambda: None,
        defer: Callable[[], bool] = lambda: False,
    ) -> None:
        self._fd = _stdin_fd() if fd is None else fd
        self._saved: list[Any] | None = None
        self._at_stop: list[Any] | None = None
        self._handlers: dict[int, Any] = {}
        self.suspension = Suspension(
            pause=pause, resume=resume, release_tty=self._release, reclaim_tty=self._reclaim, defer=defer
        )

    def __enter__(self) -> Self:
        self._saved = _mode(self._fd)
        if self._saved is not None and threading.current_thread() is threading.main_thread():
            self._handlers = _leave_on_signals()
        self.suspension.__enter__()
        self.disable_echo()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.suspension.__exit__()
        if self._saved is not None:
            _set_mode(self._fd, self._saved)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def disable_echo(self) -> None:
        """Turn off echo (again: a shell's `fg` may have changed the mode)."""
        if self._saved is not None:
            _set_mode(self._fd, _quiet(self._saved))

    def _release(self) -> None:
        """Restore the shell's mode."""
        self._at_stop = _mode(self._fd)
        if self._saved is not None:
            _set_mode(self._fd, self._saved)

    def _reclaim(self) -> None:
        """Restore the mode from before the stop: quiet, or raw if a line was being typed."""
        if self._at_stop is not None:
            _set_mode(self._fd, self._at_stop)


def _stdin_fd() -> int:
    with suppress(OSError, ValueError, AttributeError):
        return sys.stdin.fileno()
    return -1


def _mode(fd: int) -> list[Any] | None:
    try:
        import termios

        return termios.tcgetattr(fd) if fd >= 0 else None
    except (ImportError, termios.error):
        return None


def _set_mode(fd: int, mode: list[Any]) -> None:
    import termios

    with suppress(termios.error):  # the terminal may be gone
        termios.tcsetattr(fd, termios.TCSANOW, mode)


def _quiet(mode: list[Any]) -> list[Any]:
    import termios

    quiet = [*mode[:6], list(mode[6])]
    quiet[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN)  # ISIG stays: Ctrl-C is still SIGINT
    quiet[6][termios.VMIN], quiet[6][termios.VTIME] = 1, 0
    return quiet


def _leave_on_signals() -> dict[int, Any]:
    """Turn fatal signals into an orderly exit; signals that are ignored or already handled are left alone."""
    numbers = [getattr(signal, name) for name in _FATAL if hasattr(signal, name)]
    replaced = {number: signal.SIG_DFL for number in numbers if signal.getsignal(number) is signal.SIG_DFL}
    for number in replaced:
        signal.signal(number, _leave)
    return dict(replaced)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
