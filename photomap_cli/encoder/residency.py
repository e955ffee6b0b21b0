"""Owns where the encoder's weights are: the state machine VRAM / RAM / OFF, its lock, its timer.  Knows no torch.

    OFF --load--> RAM --reload--> VRAM --idle_timeout--> RAM --release_timeout--> OFF

Rules that keep it right (each has a test):

* the lock guards memory only; a transfer runs outside it, under a moving state that everybody else waits for;
* idle time counts from the end of the last use, and the timer re-checks everything under the lock before it moves;
* every change replaces one frozen snapshot, which anybody may read without a lock;
* a failed transfer leaves the weights where they were, and a full device means an answer from RAM, never no answer.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from photomap_cli.encoder.countdown import Countdown
from photomap_cli.errors import EncoderClosed, EncoderDied, EncoderFailed, EncoderOutOfMemory, PhotomapError
from photomap_cli.records import MemoryReport, ResidencySnapshot, ResidencyState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from photomap_cli.encoder.countdown import Timer
    from photomap_cli.records import EncoderInfo

log = logging.getLogger(__name__)
Tower = Literal["text", "image"]
T = TypeVar("T")
FIRST_BACK_OFF_SECONDS, LAST_BACK_OFF_SECONDS = 2.0, 60.0


class Encoder(Protocol):
    """What Residency moves, and what `use` hands out.  Calls are serialised by the implementation."""

    def load(self) -> EncoderInfo:
        """Bring the weights from disk to RAM.  Raises PhotomapError."""

    def to_vram(self, tower: Tower) -> None:
        """Copy one tower's weights to the device.  An exception leaves it whole in RAM."""

    def to_ram(self) -> None:
        """Give back everything on the device."""

    def release(self) -> None:
        """End the encoder process; `load` starts it again."""

    def close(self) -> None:
        """End the encoder process now, also from another thread and amid a call, for good."""

    def memory(self) -> MemoryReport:
        """Measure the bytes held."""

    def encode_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode texts.  Returns (n, dim) float32, rows of unit length.  Call inside `use("text")`."""

    def encode_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Encode pictures, (n, height, width, 3) uint8 RGB.  Returns (n, dim) float32, rows of unit length."""


@dataclass(frozen=True, slots=True)
class Use:
    """One permitted use of the encoder: what it waited for, and whether it must run on the CPU of a GPU host."""

    encoder: Encoder
    info: EncoderInfo
    load_ms: float
    reload_ms: float
    fell_back: bool


def idle_clock() -> float:
    """Return seconds that also count while the computer is suspended, where the system has such a clock."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class Residency:
    """Keeps one encoder where it is worth being.  Every method may be called from any thread.

    Args:
        encoder: what is moved; nobody else may call it.
        idle_timeout: seconds without a use before VRAM -> RAM; 0 = never.
        release_timeout: seconds without a use before RAM -> OFF; 0 = never.
        clock, timer: time, passed in.
        on_change: called without a lock after every change of the snapshot.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        idle_timeout: float = 30.0,
        release_timeout: float = 600.0,
        clock: Callable[[], float] = idle_clock,
        timer: Callable[[float, Callable[[], None]], Timer] = threading.Timer,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._encoder, self._clock, self._on_change = encoder, clock, on_change
        self._settled = threading.Condition(threading.RLock())
        self._countdown = Countdown(self._settled, clock, timer, self._on_timer)
        self._snapshot = ResidencySnapshot(idle_timeout=idle_timeout, release_timeout=release_timeout)
        self._resident: frozenset[Tower] = frozenset()
        self._users = 0
        self._closed = False
        self._idle_since = clock()
        self._failures = 0
        self._retry_at = 0.0

    # What is so -----------------------------------------------------------------------------------------------------

    def snapshot(self) -> ResidencySnapshot:
        """Return the state of this moment; never waits."""
        return self._snapshot

    def now(self) -> float:
        """Return the time on the clock that the snapshot's times are on."""
        return self._clock()

    # What users of the encoder do -----------------------------------------------------------------------------------

    @contextmanager
    def use(self, tower: Tower) -> Iterator[Use]:
        """Hold the encoder in place while the block runs; the only way to encode.

        Waits for a transfer under way, loads or reloads when needed.  Idle time starts when the block ends.

        Raises:
            EncoderClosed: after `close`.
            PhotomapError: the encoder could not be loaded.
        """
        load_ms, reload_ms = self._bring(tower, begin_use=True)
        info = self._snapshot.info
        assert info is not None
        fell_back = info.can_offload and tower not in self._resident
        try:
            yield Use(self._encoder, info, load_ms, reload_ms, fell_back)
        except EncoderDied as error:
            self._note_death(error)
            raise
        finally:
            self._end_use(fell_back=fell_back)

    def run(self, tower: Tower, work: Callable[[Encoder], T]) -> tuple[T, Use]:
        """Run `work` on the encoder in one use; when its process dies under it, once more on a fresh one.

        Raises:
            EncoderDied: it died again.  Otherwise as `use`.
        """
        try:
            with self.use(tower) as use:
                return work(use.encoder), use
        except EncoderDied as error:
            log.warning("%s; starting it again", error)
        with self.use(tower) as use:
            return work(use.encoder), use

    def touch(self) -> None:
        """Restart the idle countdown: a query was submitted."""
        with self._settled:
            self._idle_since = self._clock()
            self._publish(last_used=self._idle_since)
        self._on_change()

    def load(self, tower: Tower = "text") -> None:
        """Bring the encoder to where queries run, without counting as a query; the countdown starts then."""
        self._bring(tower, begin_use=False)

    def offload(self) -> None:
        """VRAM -> RAM now, as soon as no encode is in flight.  Does nothing when nothing is in VRAM."""
        with self._settled:
            self._settled.wait_for(lambda: self._closed or self._is_quiet())
            if self._closed or self._snapshot.state is not ResidencyState.VRAM:
                return
            self._publish(state=ResidencyState.OFFLOADING)
        self._move_to_ram()

    def set_idle_timeout(self, seconds: float) -> None:
        """Change the idle timeout (0 = never); a countdown under way follows it at once."""
        with self._settled:
            self._publish(idle_timeout=seconds)
        self._on_change()

    def close(self) -> None:
        """End for good, at once: cancels the timer and ends the encoder process.  Idempotent."""
        with self._settled:
            if self._closed:
                return
            self._closed = True
            self._countdown.cancel()
            self._publish(offload_at=None, release_at=None)
            self._settled.notify_all()
        self._encoder.close()

    def note_progress(self, progress: tuple[int, int] | None) -> None:
        """Show how far a download of weights is, in bytes (done, total)."""
        with self._settled:
            self._publish(progress=progress)
        self._on_change()

    # Moving towards use ---------------------------------------------------------------------------------------------

    def _bring(self, tower: Tower, *, begin_use: bool) -> tuple[float, float]:
        """Move until `tower` can run; then count a user.  Returns the (load, reload) milliseconds this call waited."""
        waited = dict.fromkeys((ResidencyState.LOADING, ResidencyState.RELOADING), 0.0)
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
            (self._load if move is ResidencyState.LOADING else self._reload)(tower)
            waited[move] += _since(started)
        self._on_change()
        return waited[ResidencyState.LOADING], waited[ResidencyState.RELOADING]

    def _await_turn(self, tower: Tower) -> bool:
        """Return True when this thread may act now; otherwise wait for a change and return False."""
        self._require_open()
        moving = self._snapshot.state.is_moving
        # A tower joins the other in VRAM only when nobody is encoding: an encode in flight must not see weights move.
        if moving or (self._users and self._next_move(tower) is not None):
            self._settled.wait()
            return False
        return True

    def _next_move(self, tower: Tower) -> ResidencyState | None:
        """Return the move that brings `tower` nearer to use, or None when it can run where it is."""
        if self._snapshot.state is ResidencyState.OFF:
            return ResidencyState.LOADING
        info = self._snapshot.info
        assert info is not None
        if info.can_offload and tower not in self._resident and self._clock() >= self._retry_at:
            return ResidencyState.RELOADING
        return None

    def _load(self, _: Tower) -> None:
        """LOADING -> RAM, or back to OFF with the reason."""
        try:
            info = self._encoder.load()
        except BaseException as error:
            self._settle(ResidencyState.OFF, last_error=_short(error), progress=None)
            if self._closed:
                raise EncoderClosed("the encoder was closed while it loaded") from error
            raise
        self._settle(
            ResidencyState.RAM,
            info=info,
            memory=self._measured(),
            last_error=None,
            progress=None,
        )

    def _reload(self, tower: Tower) -> None:
        """RELOADING -> VRAM; when the device refuses, back to where the weights were, to answer from there."""
        started = time.perf_counter()
        try:
            self._encoder.to_vram(tower)
        except EncoderDied as error:
            self._note_death(error)
            raise
        except PhotomapError as error:
            self._back_off()
            state = ResidencyState.VRAM if self._resident else ResidencyState.RAM
            self._settle(state, memory=self._measured(), last_error=_short(error))
            return
        except BaseException:
            self._settle(ResidencyState.RAM)
            raise
        self._failures, self._retry_at = 0, 0.0
        self._resident |= {tower}
        self._settle(
            ResidencyState.VRAM,
            memory=self._measured(),
            last_reload_ms=_since(started),
            reloads=self._snapshot.reloads + 1,
            last_error=None,
        )

    def _back_off(self) -> None:
        """Leave a full device alone for 2, 4, ... 60 s."""
        self._retry_at = self._clock() + min(FIRST_BACK_OFF_SECONDS * 2**self._failures, LAST_BACK_OFF_SECONDS)
        self._failures += 1

    def _end_use(self, *, fell_back: bool) -> None:
        with self._settled:
            self._users -= 1
            self._idle_since = self._clock()
            fallbacks = self._snapshot.cpu_fallbacks + fell_back
            self._publish(busy=self._users > 0, last_used=self._idle_since, cpu_fallbacks=fallbacks)
            self._settled.notify_all()
        self._on_change()

    def _note_death(self, error: EncoderDied) -> None:
        """The encoder process is gone, and all it held with it."""
        with self._settled:
            if self._snapshot.state in (ResidencyState.OFF, ResidencyState.LOADING):
                return  # another thread noted it first, and may have started the next process already
            self._resident = frozenset()
            self._settle(ResidencyState.OFF, memory=MemoryReport(), last_error=_short(error), progress=None)

    # Moving away when idle ------------------------------------------------------------------------------------------

    def _on_timer(self) -> None:
        """The timer fired: look again, under the lock, whether anything is due."""
        with self._settled:
            if self._closed or not self._is_quiet():
                return
            due = self._due()
            if due is None or due > self._clock():
                self._countdown.aim(due)
                return
            offload = self._snapshot.state is ResidencyState.VRAM
            self._publish(state=ResidencyState.OFFLOADING if offload else ResidencyState.RELEASING)
        (self._move_to_ram if offload else self._move_to_off)()

    def _move_to_ram(self) -> None:
        """OFFLOADING -> RAM; a failure leaves the weights in VRAM and is tried again after the next idle time."""
        self._on_change()
        started = time.perf_counter()
        try:
            self._encoder.to_ram()
        except EncoderDied as error:
            self._note_death(error)
        except Exception as error:
            log.exception("offload failed")
            self._settle(ResidencyState.VRAM, restart_countdown=True, last_error=_short(error))
        else:
            self._resident = frozenset()
            self._settle(
                ResidencyState.RAM,
                memory=self._measured(),
                last_offload_ms=_since(started),
                offloads=self._snapshot.offloads + 1,
            )

    def _move_to_off(self) -> None:
        """RELEASING -> OFF; the process ends, whatever it answers."""
        self._on_change()
        try:
            self._encoder.release()
        except Exception:
            log.exception("release failed")
        self._settle(ResidencyState.OFF, memory=MemoryReport())

    # The one place where state changes ------------------------------------------------------------------------------

    def _settle(self, state: ResidencyState, *, restart_countdown: bool | None = None, **changes: Any) -> None:
        """End a move: publish where the weights are now and wake whoever waits for that."""
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
        self._countdown.aim(self._due())

    def _deadlines(self) -> tuple[float | None, float | None]:
        """Return when the weights leave VRAM and when they leave RAM; None for never, or not while in use."""
        snapshot = self._snapshot
        if self._closed or not self._is_quiet() or snapshot.state is ResidencyState.OFF:
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
        """Ask the encoder what it holds; an unanswered question changes nothing."""
        try:
            return self._encoder.memory()
        except EncoderFailed:
            return self._snapshot.memory


def _since(started: float) -> float:
    """Return the milliseconds since a `time.perf_counter` reading."""
    return 1e3 * (time.perf_counter() - started)


def _short(error: BaseException) -> str:
    """Return an error in one line for people."""
    if isinstance(error, EncoderOutOfMemory):
        return f"card full (out of memory), answering from RAM: {error}"
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
