"""Owns when an encoder process acts by itself: its session, which should have told it, may have been stopped.

Whoever stops a session (Ctrl-Z, SIGSTOP) stops its timers as well, but not this process.  The session says how long it
would wait; this much later, and a little more, nobody is there to say it.  Knows no torch.
"""

from __future__ import annotations

import time
from collections.abc import Callable

GRACE_SECONDS = 2.0
"""The session comes first: it knows more, and its state follows at once."""

RELEASED_STATUS = 86
"""The exit status of a process that ended by itself for this reason."""


def idle_clock() -> float:
    """Return seconds that also count while the computer is suspended, where the system has such a clock."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class IdleGuard:
    """Counts from the last word of the session.  Belongs to one thread.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = idle_clock) -> None:
        self._clock = clock
        self._heard_at = clock()
        self._idle = self._release = 0.0

    def expect(self, idle: float, release: float) -> None:
        """The session would offload and release after these seconds (0 = never); it has said something."""
        self._idle, self._release = idle, release
        self.heard()

    def heard(self) -> None:
        """The session has said something, or has just been answered."""
        self._heard_at = self._clock()

    def left(self, *, on_device: bool) -> float | None:
        """Return the seconds until this process shall act: offload what is on the device, else end.  None = never."""
        after = self._idle if on_device else self._release
        return max(0.0, self._heard_at + after + GRACE_SECONDS - self._clock()) if after > 0 else None
