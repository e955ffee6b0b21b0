"""Owns a residency's state: its lock, the published snapshot with its deadlines, and their timer.  Moves nothing."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from photomap_cli.encoder.idle_timer import IdleTimer
from photomap_cli.errors import EncoderClosed
from photomap_cli.records import ResidencySnapshot, ResidencyState

if TYPE_CHECKING:
    from photomap_cli.encoder.idle_timer import Timer


class GuardedState:
    """What is known of the encoder's place.  Hold `lock` for everything but reading `snapshot`.

    Args:
        idle_timeout, release_timeout: see `Residency`; they can change.
        clock, timer: time, passed in.
        on_change: called without the lock after a move.
        on_due: called without the lock, on the timer's thread, when a deadline may have come.

    Attributes:
        lock: a condition, notified whenever a move or a use has ended.
        snapshot: replaced at every change, so it can be read without the lock.
        users: number of uses that are running.
        background: number of background uses; while there is one, nothing is due.
        idle_since: when idle time began, on the clock.
        asked_at: when a query last ended, or the encoder was last wanted for one.
        is_closed: nothing moves any more.
    """

    def __init__(
        self,
        *,
        idle_timeout: float,
        release_timeout: float,
        clock: Callable[[], float],
        timer: Callable[[float, Callable[[], None]], Timer],
        on_change: Callable[[], None],
        on_due: Callable[[], None],
    ) -> None:
        self.lock = threading.Condition(threading.RLock())
        self.snapshot = ResidencySnapshot(idle_timeout=idle_timeout, release_timeout=release_timeout)
        self.users = self.background = 0
        self.idle_since, self.asked_at = clock(), -math.inf
        self.is_closed = False
        self._clock, self._on_change = clock, on_change
        self._timer = IdleTimer(self.lock, clock, timer, on_due)

    @property
    def is_quiet(self) -> bool:
        """Whether the encoder is neither used nor moved."""
        return self.users == 0 and not self.snapshot.state.is_moving

    @property
    def due(self) -> float | None:
        """The next deadline, on the clock; None if there is none."""
        return self.snapshot.release_at if self.snapshot.offload_at is None else self.snapshot.offload_at

    def require_open(self) -> None:
        """Raise EncoderClosed after `close`."""
        if self.is_closed:
            raise EncoderClosed("the encoder is closed")

    def publish(self, **changes: Any) -> None:
        """Replace the snapshot, with its deadlines, and arm the timer.  The only place where the snapshot changes."""
        self.snapshot = replace(self.snapshot, **changes)
        offload_at, release_at = self._deadlines()
        self.snapshot = replace(self.snapshot, offload_at=offload_at, release_at=release_at)
        self.arm_timer()

    def arm_timer(self) -> None:
        """Have `on_due` called at the next deadline."""
        self._timer.aim(self.due)

    def settle(self, state: ResidencyState, *, restart_countdown: bool | None = None, **changes: Any) -> None:
        """End a move: publish where the weights are now and wake waiting threads.  Takes the lock itself.

        Args:
            state: where they are.
            restart_countdown: whether idle time begins now; by default after a load and in VRAM.
            changes: of the snapshot's other fields.
        """
        with self.lock:
            arrived = state is ResidencyState.VRAM or self.snapshot.state is ResidencyState.LOADING
            if arrived if restart_countdown is None else restart_countdown:
                self.idle_since = self._clock()
            self.publish(state=state, **changes)
            self.lock.notify_all()
        self._on_change()

    def close(self) -> None:
        """Cancel the timer, and wake waiting threads; nothing is due any more."""
        self.is_closed = True
        self._timer.cancel()
        self.publish(offload_at=None, release_at=None)
        self.lock.notify_all()

    def _deadlines(self) -> tuple[float | None, float | None]:
        """Return when the weights leave VRAM and when they leave RAM; None for never, or while in use."""
        snapshot = self.snapshot
        if self.is_closed or self.background or not self.is_quiet or snapshot.state is ResidencyState.OFF:
            return None, None
        in_vram = snapshot.state is ResidencyState.VRAM
        stays = in_vram and snapshot.idle_timeout <= 0
        offload_at = self.idle_since + snapshot.idle_timeout if in_vram and not stays else None
        if stays or snapshot.release_timeout <= 0:
            return offload_at, None
        return offload_at, max(self.idle_since + snapshot.release_timeout, offload_at or 0.0)
