"""Owns when the encoder's weights move between VRAM, RAM and OFF, and who may use them meanwhile.  Knows no torch.

    OFF --load--> RAM --reload--> VRAM --idle_timeout--> RAM --release_timeout--> OFF

Rules that keep it right (each has a test):

* the lock guards memory only; a transfer runs outside it, in a moving state that everyone else waits for;
* idle time counts from the end of the last use, and the timer re-checks everything under the lock before it moves;
* every change replaces a frozen snapshot, which may be read without a lock;
* a failed transfer leaves the weights where they were, and a full or failing device means an answer from RAM,
  never no answer;
* what a suspend may have wiped from the device is dropped without reading it;
* an encoder process that dies is restarted, up to three times in a row, and then only if a user asks;
* while this process is suspended the encoder offloads and ends by itself, a little later than it would be told to;
  that doesn't count as dying, and is noticed before anything is computed elsewhere than shown.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from photomap_cli.encoder.backoff import RetryPolicy
from photomap_cli.encoder.interface import Lease
from photomap_cli.encoder.residency_state import GuardedState
from photomap_cli.encoder.transfers import Transfers, failure, milliseconds_since, suspended_seconds
from photomap_cli.encoder.watchdog import GRACE_SECONDS, idle_clock
from photomap_cli.errors import (
    EncoderDeviceFailed,
    EncoderDied,
    EncoderOffloaded,
    EncoderOutOfMemory,
    EncoderReleased,
)
from photomap_cli.records import ResidencyState

if TYPE_CHECKING:
    from photomap_cli.encoder.idle_timer import Timer
    from photomap_cli.encoder.interface import Encoder, Tower
    from photomap_cli.records import EncoderInfo, ResidencySnapshot

log = logging.getLogger(__name__)
T = TypeVar("T")


class Residency:
    """Keeps an encoder in the best place for its use.  Every method may be called from any thread.

    Args:
        encoder: what is moved; nothing else may call it.
        idle_timeout: seconds without a use before VRAM -> RAM; 0 = never.
        release_timeout: seconds without a use before RAM -> OFF; 0 = never.
        clock, timer, suspended: time, passed in.
        on_change: called without a lock after every change of the snapshot.
        accept: called without a lock at the start of every use with what is loaded; an exception from it ends the use.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        idle_timeout: float = 30.0,
        release_timeout: float = 600.0,
        clock: Callable[[], float] = idle_clock,
        timer: Callable[[float, Callable[[], None]], Timer] = threading.Timer,
        suspended: Callable[[], float] = suspended_seconds,
        on_change: Callable[[], None] = lambda: None,
        accept: Callable[[EncoderInfo], None] = lambda _: None,
    ) -> None:
        self._encoder, self._clock, self._on_change, self._accept = encoder, clock, on_change, accept
        self._state = GuardedState(
            idle_timeout=idle_timeout,
            release_timeout=release_timeout,
            clock=clock,
            timer=timer,
            on_change=on_change,
            on_due=self._do_what_is_due,
        )
        self._lock = self._state.lock
        self._retry_policy = RetryPolicy()
        self._transfers = Transfers(
            encoder, self._state, self._retry_policy, clock=clock, suspended=suspended, on_change=on_change
        )
        self._told = ""
        encoder.rest_after(idle_timeout, release_timeout)

    # What is known --------------------------------------------------------------------------------------------------

    def snapshot(self) -> ResidencySnapshot:
        """Return the current state; never waits."""
        return self._state.snapshot

    def now(self) -> float:
        """Return the time on the clock that the snapshot's times are on."""
        return self._clock()

    def drain_notices(self) -> tuple[str, ...]:
        """Return notices about the encoder, each once, such as why an existing GPU isn't used."""
        info = self._state.snapshot.info
        if info is None or info.notice == self._told:
            return ()
        self._told = info.notice
        return (info.notice,)

    # What users of the encoder do -----------------------------------------------------------------------------------

    @contextmanager
    def use(self, tower: Tower, *, is_query: bool = True) -> Iterator[Lease]:
        """Hold the encoder in place while the block runs; the only way to encode.

        Waits for a running transfer, loads or reloads if needed.  Idle time starts when the block ends, unless
        this isn't a query (see `in_background`).

        Raises:
            EncoderClosed: after `close`.
            EncoderFailed: its process died three times in a row.
            PhotomapError: the encoder could not be loaded, or `accept` refuses it.
        """
        load_ms, reload_ms = self._bring(tower, begin_use=True)
        began = self._clock()
        info = self._state.snapshot.info
        assert info is not None
        fell_back = info.can_offload and tower not in self._transfers.resident
        try:
            self._accept(info)
            yield Lease(self._encoder, info, load_ms, reload_ms, self._retry_policy.refusal if fell_back else "")
        except EncoderDied as error:
            self._transfers.note_death(error)
            raise
        else:
            self._retry_policy.answered(on_device=not fell_back)
        finally:
            self._end_use(fell_back=fell_back, began=began, is_query=is_query)

    @contextmanager
    def in_background(self) -> Iterator[None]:
        """Do background work in the block: between two uses the encoder stays where it is, however long that takes.

        Afterwards idle time counts as without that work, so whatever became due meanwhile happens at once.
        """
        with self._lock:
            self._state.background += 1
            idle_since = self._state.idle_since
            self._state.publish()
        try:
            yield
        finally:
            with self._lock:
                self._state.background -= 1
                self._state.idle_since = max(idle_since, self._state.asked_at)
                self._state.publish()
            self._on_change()

    def run(self, tower: Tower, work: Callable[[Encoder], T], *, is_query: bool = True) -> tuple[T, Lease]:
        """Run `work` on the encoder in one use, with retries.

        If the process dies or has ended by itself, retries with a new one; if it has freed the device
        by itself, after a reload; if the device has no room for the computation or fails at it, on the
        CPU.

        Raises:
            As `use`.
        """
        while True:
            try:
                with self.use(tower, is_query=is_query) as use:
                    return work(use.encoder), use
            except EncoderDied as error:
                log.warning("%s; starting it again", error)
            except EncoderOffloaded:
                self.offload()
            except EncoderDeviceFailed as error:
                if not self._transfers.resident:
                    raise
                self._leave_device(error)

    def touch(self) -> None:
        """Restart the idle countdown: a query was submitted."""
        now = self._clock()
        self._tell_encoder()
        self._do_what_is_overdue()
        with self._lock:
            self._state.idle_since = self._state.asked_at = now
            self._state.publish(last_used=now)
        self._on_change()

    def load(self, tower: Tower = "text", *, try_again: bool = False, is_query: bool = True) -> None:
        """Bring the encoder to where queries run, without counting as a query; the countdown starts afterwards.

        Args:
            tower: what to bring.
            try_again: even if the process died too often, or the device was full a moment ago.
            is_query: for a query that will follow, not for background work.
        """
        if try_again:
            self._retry_policy.start_afresh()
        try:
            self._bring(tower, begin_use=False)
        except EncoderReleased:  # meanwhile; now that is known
            self._bring(tower, begin_use=False)
        if is_query:
            with self._lock:
                self._state.asked_at = self._state.idle_since

    def offload(self) -> None:
        """Move VRAM -> RAM as soon as no encode is running.  Does nothing if nothing is in VRAM."""
        with self._lock:
            self._lock.wait_for(lambda: self._state.is_closed or self._state.is_quiet)
            if self._state.is_closed or self._state.snapshot.state is not ResidencyState.VRAM:
                return
            self._state.publish(state=ResidencyState.OFFLOADING)
        self._transfers.offload()

    def release(self) -> None:
        """End the encoder process as soon as no encode is running; the next use loads what is on disk then."""
        with self._lock:
            self._lock.wait_for(lambda: self._state.is_closed or self._state.is_quiet)
            if self._state.is_closed or self._state.snapshot.state is ResidencyState.OFF:
                return
            self._state.publish(state=ResidencyState.RELEASING)
        self._transfers.release()

    def set_idle_timeout(self, seconds: float) -> None:
        """Change the idle timeout in seconds (0 = never); a running countdown follows at once."""
        self._do_what_is_overdue()
        with self._lock:
            self._state.publish(idle_timeout=seconds)
        self._tell_encoder()
        self._on_change()

    def close(self) -> None:
        """End at once and for good: cancels the timer and ends the encoder process.  Idempotent."""
        with self._lock:
            if self._state.is_closed:
                return
            self._state.close()
        self._encoder.close()

    def note_exit(self, error: EncoderDied) -> None:
        """Note that the process ended between requests; the next use starts it again."""
        with self._lock:
            if self._state.is_closed or not self._state.is_quiet:
                return  # a caller with a running request finds out itself
        self._transfers.note_death(error, in_use=False)

    def note_progress(self, progress: tuple[int, int] | None) -> None:
        """Show the progress of a download of weights, in bytes (done, total)."""
        with self._lock:
            self._state.publish(progress=progress)
        self._on_change()

    # Moving towards use ---------------------------------------------------------------------------------------------

    def _bring(self, tower: Tower, *, begin_use: bool) -> tuple[float, float]:
        """Move until `tower` can run; then count a user.  Returns the (load, reload) milliseconds this call waited."""
        waited = dict.fromkeys((ResidencyState.LOADING, ResidencyState.RELOADING), 0.0)
        self._do_what_is_overdue()
        while True:
            started = time.perf_counter()
            with self._lock:
                seen = self._state.snapshot.state
                if not self._await_turn(tower):
                    if seen in waited:
                        waited[seen] += milliseconds_since(started)
                    continue
                move = self._next_move(tower)
                if move is None:
                    self._state.users += begin_use
                    self._state.publish(busy=self._state.users > 0)
                    break
                self._state.publish(state=move)
            self._on_change()
            self._make(move, tower)
            waited[move] = waited.get(move, 0.0) + milliseconds_since(started)
        self._on_change()
        return waited[ResidencyState.LOADING], waited[ResidencyState.RELOADING]

    def _await_turn(self, tower: Tower) -> bool:
        """Return True if this thread may act now; otherwise wait for a change and return False."""
        self._state.require_open()
        moving = self._state.snapshot.state.is_moving
        # A tower joins the other in VRAM only while nothing is encoded: a running encode must not see weights move.
        if moving or (self._state.users and self._next_move(tower) is not None):
            self._lock.wait()
            return False
        return True

    def _next_move(self, tower: Tower) -> ResidencyState | None:
        """Return the move that brings `tower` closer to use, or None if it can run where it is."""
        if self._state.snapshot.state is ResidencyState.OFF:
            self._retry_policy.require_trust(self._state.snapshot.last_error)
            return ResidencyState.LOADING
        if self._transfers.may_be_wiped:
            return ResidencyState.OFFLOADING
        info = self._state.snapshot.info
        assert info is not None
        is_elsewhere = info.can_offload and tower not in self._transfers.resident
        return ResidencyState.RELOADING if is_elsewhere and self._retry_policy.may_try_device(self._clock()) else None

    def _make(self, move: ResidencyState, tower: Tower) -> None:
        match move:
            case ResidencyState.LOADING:
                self._transfers.load()
            case ResidencyState.RELOADING:
                self._transfers.reload(tower)
            case _:
                self._transfers.offload()

    def _leave_device(self, error: EncoderDeviceFailed) -> None:
        """Answer from RAM for a while, as the device can't compute now."""
        with self._lock:
            self._retry_policy.device_refused(self._clock(), is_full=isinstance(error, EncoderOutOfMemory))
            self._state.publish(last_error=failure(error))
        self.offload()

    def _end_use(self, *, fell_back: bool, began: float, is_query: bool) -> None:
        self._tell_encoder()
        now = self._clock()
        with self._lock:
            state = self._state
            state.users -= 1
            if is_query:
                state.idle_since = state.asked_at = now
                state.publish(last_used=now)
            state.publish(busy=state.users > 0, cpu_fallbacks=state.snapshot.cpu_fallbacks + fell_back)
            self._lock.notify_all()
            may_be_taken_back = state.is_quiet and 0 < state.snapshot.idle_timeout <= now - began - GRACE_SECONDS
        self._on_change()
        if may_be_taken_back and not self._transfers.measured().vram_weight_bytes:  # suspended during the use
            self.offload()

    def _tell_encoder(self) -> None:
        """Tell the encoder when to act by itself, counted from now like the countdown here."""
        snapshot = self._state.snapshot
        self._encoder.rest_after(snapshot.idle_timeout, snapshot.release_timeout)

    # Moving away when idle ------------------------------------------------------------------------------------------

    def _do_what_is_due(self) -> None:
        """Handle the timer: check under the lock whether a deadline has come, and do what is due."""
        with self._lock:
            if self._state.is_closed or not self._state.is_quiet:
                return
            due = self._state.due
            if due is None or due > self._clock():
                self._state.arm_timer()
                return
            offload = self._state.snapshot.state is ResidencyState.VRAM
            self._state.publish(state=ResidencyState.OFFLOADING if offload else ResidencyState.RELEASING)
        (self._transfers.offload if offload else self._transfers.release)()

    def _do_what_is_overdue(self) -> None:
        """Do what is long overdue, before the deadline is moved.

        The timer didn't fire while this process was suspended, and the encoder may have acted by itself.
        """
        with self._lock:
            due = self._state.due
        if due is not None and due + GRACE_SECONDS / 2 < self._clock():
            self._do_what_is_due()
