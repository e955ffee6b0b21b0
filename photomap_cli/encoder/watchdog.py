"""Owns when an encoder process acts by itself, as its session may have been suspended.

Suspending a session (Ctrl-Z, SIGSTOP) stops its timers too, but not this process.  The session says how long it
would wait; a little after that, the session must be gone or suspended.  Knows no torch.
"""

from __future__ import annotations

import time
from collections.abc import Callable

GRACE_SECONDS = 2.0
"""Extra seconds, so that the session acts first: it knows more, and its state follows at once."""

RELEASED_STATUS = 86
"""The exit status of a process that ended by itself for this reason."""


def idle_clock() -> float:
    """Return seconds of a clock that also runs while the computer is suspended, if the system has one."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class IdleGuard:
    """Counts from the session's last message.  Belongs to one thread.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = idle_clock) -> None:
        self._clock = clock
        self._heard_at = clock()
        self._idle = self._release = 0.0

    def expect(self, idle: float, release: float) -> None:
        """Note a message: the session would offload and release after these seconds (0 = never)."""
        self._idle, self._release = idle, release
        self.heard()

    def heard(self) -> None:
        """Note that the session sent a message, or was just answered."""
        self._heard_at = self._clock()

    def left(self, *, on_device: bool) -> float | None:
        """Return the seconds until this process should act: offload what is on the device, else end.  None = never."""
        after = self._idle if on_device else self._release
        return max(0.0, self._heard_at + after + GRACE_SECONDS - self._clock()) if after > 0 else None
