"""Owns where the encoder's weights are: the state machine VRAM / RAM / OFF, its lock, its timer.  Knows no torch.

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
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from photomap_cli.encoder.backoff import RetryPolicy
from photomap_cli.encoder.idle_timer import IdleTimer
from photomap_cli.encoder.interface import Lease
from photomap_cli.encoder.watchdog import GRACE_SECONDS, idle_clock
from photomap_cli.errors import (
    EncoderClosed,
    EncoderDeviceFailed,
    EncoderDied,
    EncoderOffloaded,
    EncoderOutOfMemory,
    EncoderReleased,
    InternalError,
    PhotomapError,
)
from photomap_cli.records import EncoderFailure, MemoryReport, ResidencySnapshot, ResidencyState

if TYPE_CHECKING:
    from photomap_cli.encoder.idle_timer import Timer
    from photomap_cli.encoder.interface import Encoder, Tower
    from photomap_cli.records import EncoderInfo

log = logging.getLogger(__name__)
T = TypeVar("T")
SUSPENDED_SECONDS = 1.0  # two clocks read in succession differ by far less


def suspended_seconds() -> float:
    """Return the seconds the computer has been suspended since it booted; 0 if unknown."""
    return idle_clock() - time.monotonic()


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
        self._encoder, self._clock, self._suspended, self._on_change = encoder, clock, suspended, on_change
        self._accept = accept
        self._settled = threading.Condition(threading.RLock())
        self._idle_timer = IdleTimer(self._settled, clock, timer, self._do_what_is_due)
        self._snapshot = ResidencySnapshot(idle_timeout=idle_timeout, release_timeout=release_timeout)
        self._resident: frozenset[Tower] = frozenset()
        self._users = 0
        self._background = 0  # number of background uses
        self._asked_at = -math.inf  # when a query last ended, or the encoder was last wanted for one
        self._closed = False
        self._idle_since = clock()
        self._retry_policy = RetryPolicy()
        self._suspended_at_reload = 0.0
        self._told = ""
        encoder.rest_after(idle_timeout, release_timeout)

    # What is so -----------------------------------------------------------------------------------------------------

    def snapshot(self) -> ResidencySnapshot:
        """Return the current state; never waits."""
        return self._snapshot

    def now(self) -> float:
        """Return the time on the clock that the snapshot's times are on."""
        return self._clock()

    def drain_notices(self) -> tuple[str, ...]:
        """Return notices about the encoder, each once, such as why an existing GPU isn't used."""
        info = self._snapshot.info
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
        info = self._snapshot.info
        assert info is not None
        fell_back = info.can_offload and tower not in self._resident
        try:
            self._accept(info)
            yield Lease(self._encoder, info, load_ms, reload_ms, self._retry_policy.refusal if fell_back else "")
        except EncoderDied as error:
            self._note_death(error)
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
        with self._settled:
            self._background += 1
            idle_since = self._idle_since
            self._publish()
        try:
            yield
        finally:
            with self._settled:
                self._background -= 1
                self._idle_since = max(idle_since, self._asked_at)
                self._publish()
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
                if not self._resident:
                    raise
                self._leave_device(error)

    def touch(self) -> None:
        """Restart the idle countdown: a query was submitted."""
        now = self._clock()
        self._tell_encoder()
        self._catch_up()
        with self._settled:
            self._idle_since = self._asked_at = now
            self._publish(last_used=now)
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
            with self._settled:
                self._asked_at = self._idle_since

    def offload(self) -> None:
        """Move VRAM -> RAM as soon as no encode is running.  Does nothing if nothing is in VRAM."""
        with self._settled:
            self._settled.wait_for(lambda: self._closed or self._is_quiet())
            if self._closed or self._snapshot.state is not ResidencyState.VRAM:
                return
            self._publish(state=ResidencyState.OFFLOADING)
        self._move_to_ram()

    def release(self) -> None:
        """End the encoder process as soon as no encode is running; the next use loads what is on disk then."""
        with self._settled:
            self._settled.wait_for(lambda: self._closed or self._is_quiet())
            if self._closed or self._snapshot.state is ResidencyState.OFF:
                return
            self._publish(state=ResidencyState.RELEASING)
        self._move_to_off()

    def set_idle_timeout(self, seconds: float) -> None:
        """Change the idle timeout in seconds (0 = never); a running countdown follows at once."""
        self._catch_up()
        with self._settled:
            self._publish(idle_timeout=seconds)
        self._tell_encoder()
        self._on_change()

    def close(self) -> None:
        """End at once and for good: cancels the timer and ends the encoder process.  Idempotent."""
        with self._settled:
            if self._closed:
                return
            self._closed = True
            self._idle_timer.cancel()
            self._publish(offload_at=None, release_at=None)
            self._settled.notify_all()
        self._encoder.close()

    def note_exit(self, error: EncoderDied) -> None:
        """Note that the process ended between requests; the next use starts it again."""
        with self._settled:
            if self._closed or not self._is_quiet():
                return  # a caller with a running request finds out itself
        self._note_death(error, in_use=False)

    def note_progress(self, progress: tuple[int, int] | None) -> None:
        """Show the progress of a download of weights, in bytes (done, total)."""
        with self._settled:
            self._publish(progress=progress)
        self._on_change()

    # Moving towards use ---------------------------------------------------------------------------------------------

    def _bring(self, tower: Tower, *, begin_use: bool) -> tuple[float, float]:
        """Move until `tower` can run; then count a user.  Returns the (load, reload) milliseconds this call waited."""
        waited = dict.fromkeys((ResidencyState.LOADING, ResidencyState.RELOADING), 0.0)
        self._catch_up()
        while True:
            started = time.perf_counter()
            with self._settled:
                seen = self._snapshot.state
                if not self._await_turn(tower):
                    if seen in waited:
                        waited[seen] += _since(started)
                    continue
                move = self._next_move(tower)
                if move is None:
                    self._users += begin_use
                    self._publish(busy=self._users > 0)
                    break
                self._publish(state=move)
            self._on_change()
            self._make(move, tower)
            waited[move] = waited.get(move, 0.0) + _since(started)
        self._on_change()
        return waited[ResidencyState.LOADING], waited[ResidencyState.RELOADING]

    def _await_turn(self, tower: Tower) -> bool:
        """Return True if this thread may act now; otherwise wait for a change and return False."""
        self._require_open()
        moving = self._snapshot.state.is_moving
        # A tower joins the other in VRAM only while nothing is encoded: a running encode must not see weights move.
        if moving or (self._users and self._next_move(tower) is not None):
            self._settled.wait()
            return False
        return True

    def _next_move(self, tower: Tower) -> ResidencyState | None:
        """Return the move that brings `tower` closer to use, or None if it can run where it is."""
        if self._snapshot.state is ResidencyState.OFF:
            self._retry_policy.require_trust(self._snapshot.last_error)
            return ResidencyState.LOADING
        if self._resident and self._suspended() - self._suspended_at_reload > SUSPENDED_SECONDS:
            return ResidencyState.OFFLOADING
        info = self._snapshot.info
        assert info is not None
        if info.can_offload and tower not in self._resident and self._retry_policy.may_try_device(self._clock()):
            return ResidencyState.RELOADING
        return None

    def _make(self, move: ResidencyState, tower: Tower) -> None:
        match move:
            case ResidencyState.LOADING:
                self._load()
            case ResidencyState.RELOADING:
                self._reload(tower)
            case _:
                self._move_to_ram()

    def _load(self) -> None:
        """Do LOADING -> RAM, or go back to OFF with the reason."""
        try:
            info = self._encoder.load()
        except BaseException as error:
            if isinstance(error, EncoderDied):
                self._retry_policy.died(self._clock())
            failure = _failure(error) if isinstance(error, Exception) else None  # Ctrl-C isn't a failure
            self._settle(ResidencyState.OFF, memory=MemoryReport(), last_error=failure, progress=None)
            if self._closed:
                raise EncoderClosed("the encoder was closed while it loaded") from error
            raise
        self._settle(
            ResidencyState.RAM,
            info=info,
            memory=self._measured(),
            progress=None,
            **({} if self._retry_policy.saw_deaths else {"last_error": None}),
        )

    def _reload(self, tower: Tower) -> None:
        """Do RELOADING -> VRAM; if the device refuses, go back to where the weights were and answer from there."""
        started, suspended = time.perf_counter(), self._suspended()
        try:
            self._encoder.to_vram(tower)
        except EncoderDied as error:
            self._note_death(error)
            raise
        except PhotomapError as error:
            self._retry_policy.device_refused(self._clock(), is_full=isinstance(error, EncoderOutOfMemory))
            self._settle(self._where_it_was(), memory=self._measured(), last_error=_failure(error))
            return
        except BaseException:
            self._settle(self._where_it_was())
            raise
        self._suspended_at_reload = suspended
        self._resident |= {tower}
        self._settle(
            ResidencyState.VRAM,
            memory=self._measured(),
            last_reload_ms=_since(started),
            reloads=self._snapshot.reloads + 1,
            **({} if self._retry_policy.saw_deaths else {"last_error": None}),
        )

    def _where_it_was(self) -> ResidencyState:
        """Return the state before a failed reload: the other tower may be in VRAM."""
        return ResidencyState.VRAM if self._resident else ResidencyState.RAM

    def _leave_device(self, error: EncoderDeviceFailed) -> None:
        """Answer from RAM for a while, as the device can't compute now."""
        with self._settled:
            self._retry_policy.device_refused(self._clock(), is_full=isinstance(error, EncoderOutOfMemory))
            self._publish(last_error=_failure(error))
        self.offload()

    def _end_use(self, *, fell_back: bool, began: float, is_query: bool) -> None:
        self._tell_encoder()
        now = self._clock()
        with self._settled:
            self._users -= 1
            if is_query:
                self._idle_since = self._asked_at = now
                self._publish(last_used=now)
            self._publish(busy=self._users > 0, cpu_fallbacks=self._snapshot.cpu_fallbacks + fell_back)
            self._settled.notify_all()
            idle = self._snapshot.idle_timeout
            may_be_taken_back = self._is_quiet() and 0 < idle <= now - began - GRACE_SECONDS
        self._on_change()
        if may_be_taken_back and not self._measured().vram_weight_bytes:  # this process was suspended during the use
            self.offload()

    def _tell_encoder(self) -> None:
        """Tell the encoder when to act by itself, counted from now like the countdown here."""
        snapshot = self._snapshot
        self._encoder.rest_after(snapshot.idle_timeout, snapshot.release_timeout)

    def _note_death(self, error: EncoderDied, *, in_use: bool = True) -> None:
        """Note that the encoder process is gone, with all it held."""
        with self._settled:
            if self._snapshot.state in (ResidencyState.OFF, ResidencyState.LOADING):
                return  # another thread noticed it first, and may already have started the next process
            self._resident = frozenset()
            is_death = not isinstance(error, EncoderReleased)
            if in_use and is_death:
                self._retry_policy.died(self._clock())
            told = {"last_error": _failure(error)} if is_death else {}
            self._publish(state=ResidencyState.OFF, memory=MemoryReport(), progress=None, **told)
            self._settled.notify_all()
        self._on_change()

    # Moving away when idle ------------------------------------------------------------------------------------------

    def _do_what_is_due(self) -> None:
        """Handle the timer: check under the lock whether a deadline has come, and do what is due."""
        with self._settled:
            if self._closed or not self._is_quiet():
                return
            due = self._due()
            if due is None or due > self._clock():
                self._idle_timer.aim(due)
                return
            offload = self._snapshot.state is ResidencyState.VRAM
            self._publish(state=ResidencyState.OFFLOADING if offload else ResidencyState.RELEASING)
        (self._move_to_ram if offload else self._move_to_off)()

    def _catch_up(self) -> None:
        """Do what is long overdue, before the deadline is moved.

        The timer didn't fire while this process was suspended, and the encoder may have acted by itself.
        """
        with self._settled:
            due = self._due()
        if due is not None and due + GRACE_SECONDS / 2 < self._clock():
            self._do_what_is_due()

    def _move_to_ram(self) -> None:
        """Do OFFLOADING -> RAM; a failure leaves the weights in VRAM, to be retried after the next idle time."""
        self._on_change()
        started = time.perf_counter()
        try:
            self._encoder.to_ram()
        except EncoderDied as error:
            self._note_death(error)
        except Exception as error:
            log.exception("offload failed")
            self._settle(ResidencyState.VRAM, restart_countdown=True, last_error=_failure(error))
        else:
            self._resident = frozenset()
            self._settle(
                ResidencyState.RAM,
                memory=self._measured(),
                offloaded_at=self._clock(),
                last_offload_ms=_since(started),
                offloads=self._snapshot.offloads + 1,
            )

    def _move_to_off(self) -> None:
        """Do RELEASING -> OFF; the process ends, whatever it answers."""
        self._on_change()
        try:
            self._encoder.release()
        except Exception:
            log.exception("release failed")
        self._resident = frozenset()
        self._settle(ResidencyState.OFF, memory=MemoryReport())

    # The only place where state changes ------------------------------------------------------------------------------

    def _settle(self, state: ResidencyState, *, restart_countdown: bool | None = None, **changes: Any) -> None:
        """End a move: publish where the weights are now and wake waiting threads."""
        with self._settled:
            arrived = state is ResidencyState.VRAM or self._snapshot.state is ResidencyState.LOADING
            if arrived if restart_countdown is None else restart_countdown:
                self._idle_since = self._clock()
            self._publish(state=state, **changes)
            self._settled.notify_all()
        self._on_change()

    def _publish(self, **changes: Any) -> None:
        """Replace the snapshot, with its deadlines, and arm the timer.  Call with the lock held."""
        self._snapshot = replace(self._snapshot, **changes)
        offload_at, release_at = self._deadlines()
        self._snapshot = replace(self._snapshot, offload_at=offload_at, release_at=release_at)
        self._idle_timer.aim(self._due())

    def _deadlines(self) -> tuple[float | None, float | None]:
        """Return when the weights leave VRAM and when they leave RAM; None for never, or while in use."""
        snapshot = self._snapshot
        if self._closed or self._background or not self._is_quiet() or snapshot.state is ResidencyState.OFF:
            return None, None
        in_vram = snapshot.state is ResidencyState.VRAM
        stays = in_vram and snapshot.idle_timeout <= 0
        offload_at = self._idle_since + snapshot.idle_timeout if in_vram and not stays else None
        if stays or snapshot.release_timeout <= 0:
            return offload_at, None
        return offload_at, max(self._idle_since + snapshot.release_timeout, offload_at or 0.0)

    def _due(self) -> float | None:
        snapshot = self._snapshot
        return snapshot.release_at if snapshot.offload_at is None else snapshot.offload_at

    def _is_quiet(self) -> bool:
        return self._users == 0 and not self._snapshot.state.is_moving

    def _require_open(self) -> None:
        if self._closed:
            raise EncoderClosed("the encoder is closed")

    def _measured(self) -> MemoryReport:
        """Ask the encoder what it holds; without an answer nothing changes."""
        try:
            return self._encoder.memory()
        except PhotomapError:
            return self._snapshot.memory


def _since(started: float) -> float:
    """Return the milliseconds since a `time.perf_counter` reading."""
    return 1e3 * (time.perf_counter() - started)


def _failure(error: BaseException) -> EncoderFailure:
    """Return an error as the snapshot keeps it: its code, and one line for users."""
    if isinstance(error, EncoderOutOfMemory):
        return EncoderFailure(error.code, f"card full (out of memory), answering from RAM: {error}")
    code = error.code if isinstance(error, PhotomapError) else InternalError.code
    message = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return EncoderFailure(code, message)
