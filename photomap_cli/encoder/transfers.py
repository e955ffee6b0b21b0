"""Owns the moves between VRAM, RAM and OFF: each asks the encoder without the lock, then publishes the outcome.

The caller has published the moving state, which keeps every other thread away until the move has settled.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from photomap_cli.encoder.watchdog import idle_clock
from photomap_cli.errors import (
    EncoderClosed,
    EncoderDied,
    EncoderOutOfMemory,
    EncoderReleased,
    InternalError,
    PhotomapError,
)
from photomap_cli.records import EncoderFailure, MemoryReport, ResidencyState

if TYPE_CHECKING:
    from photomap_cli.encoder.backoff import RetryPolicy
    from photomap_cli.encoder.interface import Encoder, Tower
    from photomap_cli.encoder.residency_state import GuardedState

log = logging.getLogger(__name__)
SUSPENDED_SECONDS = 1.0  # two clocks read in succession differ by far less


def suspended_seconds() -> float:
    """Return the seconds the computer has been suspended since it booted; 0 if unknown."""
    return idle_clock() - time.monotonic()


class Transfers:
    """Carries out one move at a time.

    Args:
        encoder: what is moved.
        state: where the outcome is published.
        retry_policy: hears of failures.
        clock: in seconds; that of the snapshot's times.
        suspended: returns the seconds this computer has been suspended.
        on_change: called without the lock when a move away begins, or the encoder process is gone.

    Attributes:
        resident: the towers in VRAM.
    """

    def __init__(
        self,
        encoder: Encoder,
        state: GuardedState,
        retry_policy: RetryPolicy,
        *,
        clock: Callable[[], float],
        suspended: Callable[[], float],
        on_change: Callable[[], None],
    ) -> None:
        self._encoder, self._state, self._retry_policy = encoder, state, retry_policy
        self._clock, self._suspended, self._on_change = clock, suspended, on_change
        self._suspended_at_reload = 0.0
        self.resident: frozenset[Tower] = frozenset()

    @property
    def may_be_wiped(self) -> bool:
        """Whether the computer was suspended since the weights came to the device, which may have lost them."""
        return bool(self.resident) and self._suspended() - self._suspended_at_reload > SUSPENDED_SECONDS

    def load(self) -> None:
        """Do LOADING -> RAM, or go back to OFF with the reason."""
        try:
            info = self._encoder.load()
        except BaseException as error:
            if isinstance(error, EncoderDied):
                self._retry_policy.died(self._clock())
            reason = failure(error) if isinstance(error, Exception) else None  # Ctrl-C isn't a failure
            self._state.settle(ResidencyState.OFF, memory=MemoryReport(), last_error=reason, progress=None)
            if self._state.is_closed:
                raise EncoderClosed("the encoder was closed while it loaded") from error
            raise
        self._state.settle(
            ResidencyState.RAM,
            info=info,
            memory=self.measured(),
            progress=None,
            **({} if self._retry_policy.saw_deaths else {"last_error": None}),
        )

    def reload(self, tower: Tower) -> None:
        """Do RELOADING -> VRAM; if the device refuses, go back to where the weights were and answer from there."""
        started, suspended = time.perf_counter(), self._suspended()
        try:
            self._encoder.to_vram(tower)
        except EncoderDied as error:
            self.note_death(error)
            raise
        except PhotomapError as error:
            self._retry_policy.device_refused(self._clock(), is_full=isinstance(error, EncoderOutOfMemory))
            self._state.settle(self._where_it_was(), memory=self.measured(), last_error=failure(error))
            return
        except BaseException:
            self._state.settle(self._where_it_was())
            raise
        self._suspended_at_reload = suspended
        self.resident |= {tower}
        self._state.settle(
            ResidencyState.VRAM,
            memory=self.measured(),
            last_reload_ms=milliseconds_since(started),
            reloads=self._state.snapshot.reloads + 1,
            **({} if self._retry_policy.saw_deaths else {"last_error": None}),
        )

    def _where_it_was(self) -> ResidencyState:
        """Return the state before a failed reload: the other tower may be in VRAM."""
        return ResidencyState.VRAM if self.resident else ResidencyState.RAM

    def offload(self) -> None:
        """Do OFFLOADING -> RAM; a failure leaves the weights in VRAM, to be retried after the next idle time."""
        self._on_change()
        started = time.perf_counter()
        try:
            self._encoder.to_ram()
        except EncoderDied as error:
            self.note_death(error)
        except Exception as error:
            log.exception("offload failed")
            self._state.settle(ResidencyState.VRAM, restart_countdown=True, last_error=failure(error))
        else:
            self.resident = frozenset()
            self._state.settle(
                ResidencyState.RAM,
                memory=self.measured(),
                offloaded_at=self._clock(),
                last_offload_ms=milliseconds_since(started),
                offloads=self._state.snapshot.offloads + 1,
            )

    def release(self) -> None:
        """Do RELEASING -> OFF; the process ends, whatever it answers."""
        self._on_change()
        try:
            self._encoder.release()
        except Exception:
            log.exception("release failed")
        self.resident = frozenset()
        self._state.settle(ResidencyState.OFF, memory=MemoryReport())

    def note_death(self, error: EncoderDied, *, in_use: bool = True) -> None:
        """Note that the encoder process is gone, with all it held."""
        state = self._state
        with state.lock:
            if state.snapshot.state in (ResidencyState.OFF, ResidencyState.LOADING):
                return  # another thread noticed it first, and may already have started the next process
            self.resident = frozenset()
            is_death = not isinstance(error, EncoderReleased)
            if in_use and is_death:
                self._retry_policy.died(self._clock())
            told = {"last_error": failure(error)} if is_death else {}
            state.publish(state=ResidencyState.OFF, memory=MemoryReport(), progress=None, **told)
            state.lock.notify_all()
        self._on_change()

    def measured(self) -> MemoryReport:
        """Ask the encoder what it holds; without an answer nothing changes."""
        try:
            return self._encoder.memory()
        except PhotomapError:
            return self._state.snapshot.memory


def milliseconds_since(started: float) -> float:
    """Return the milliseconds since a `time.perf_counter` reading."""
    return 1e3 * (time.perf_counter() - started)


def failure(error: BaseException) -> EncoderFailure:
    """Return an error as the snapshot keeps it: its code, and one line for users."""
    if isinstance(error, EncoderOutOfMemory):
        return EncoderFailure(error.code, f"card full (out of memory), answering from RAM: {error}")
    code = error.code if isinstance(error, PhotomapError) else InternalError.code
    message = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return EncoderFailure(code, message)
