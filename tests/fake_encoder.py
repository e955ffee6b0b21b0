"""An encoder without weights, a clock without time and a timer without threads."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import numpy as np
from waiting import LONG_SECONDS

from photomap_cli.encoder.watchdog import IdleGuard, idle_clock
from photomap_cli.errors import EncoderDied, EncoderOffloaded, EncoderOutOfMemory, EncoderReleased
from photomap_cli.records import EncoderInfo, MemoryReport

GPU = EncoderInfo("fake", 8, (16, 16), "shortest", "bicubic", 0, "cuda:0", "Fake GPU", "float16", can_offload=True)
CPU = EncoderInfo("fake", 8, (16, 16), "shortest", "bicubic", 0, "cpu", "CPU", "float32", can_offload=False)


def text_vector(text):
    """Return the vector this fake gives a text: unit length, the same for the same text."""
    seed = int.from_bytes(text.encode()[:8].ljust(8, b"."), "big")
    vector = np.random.default_rng(seed).normal(size=8).astype(np.float32)
    return vector / np.linalg.norm(vector)


class FakeEncoder:
    """Keeps the rules that a real one has, and complains when a caller breaks them.

    It acts by itself, as a real one does whose session has been stopped, when `be_idle` is called.
    """

    def __init__(self, info=GPU, clock=idle_clock):
        self.info = info
        self.guard = IdleGuard(clock)
        self.taken_back = set()
        self.has_left = False
        self.calls = []
        self.resident = set()
        self.alive = False
        self.closed = False
        self.full = False
        self.context_letters = None
        self.fail_next = {}
        self.gates = {}
        self.encoding = 0
        self._lock = threading.Lock()

    def _do(self, name):
        self.calls.append(name)
        self.guard.heard()
        if self.has_left and name not in ("load", "release"):
            raise EncoderReleased("it ended by itself")
        if gate := self.gates.get(name):
            gate["entered"].set()
            assert gate["go"].wait(LONG_SECONDS), f"{name} was never let go"
        if error := self.fail_next.pop(name, None):
            if isinstance(error, EncoderDied):
                self.alive = False
                self.resident.clear()
            raise error

    def hold(self, name):
        """Make the next calls of `name` wait; returns the events (entered, go)."""
        gate = {"entered": threading.Event(), "go": threading.Event()}
        self.gates[name] = gate
        return gate["entered"], gate["go"]

    def rest_after(self, idle, release):
        self.guard.expect(idle, release)

    @property
    def is_due(self):
        """Whether it would act by itself now."""
        return self.alive and self.guard.left(on_device=bool(self.resident)) == 0

    def be_idle(self):
        """Let it do by itself what is due."""
        while self.is_due:
            if self.resident:
                self.taken_back |= self.resident
                self.resident.clear()
            else:
                self.alive, self.has_left = False, True

    def load(self):
        self._do("load")
        self.alive, self.has_left = True, False
        self.taken_back.clear()
        return self.info

    def to_vram(self, tower):
        self._do("to_vram")
        assert self.alive
        assert not self.encoding, "weights moved during an encode"
        if self.full:
            raise EncoderOutOfMemory("no room")
        self.resident.add(tower)
        self.taken_back.discard(tower)

    def to_ram(self):
        self._do("to_ram")
        assert not self.encoding, "weights moved during an encode"
        self.resident.clear()
        self.taken_back.clear()

    def release(self):
        self._do("release")
        assert not self.encoding
        self.alive = self.has_left = False
        self.resident.clear()

    def close(self):
        self.closed = True
        self.alive = False

    def memory(self):
        return MemoryReport(vram_weight_bytes=100 * len(self.resident), ram_bytes=1000)

    @contextmanager
    def _one_encode(self, tower):
        with self._lock:
            self.encoding += 1
            try:
                self._do("encode")
                if tower in self.taken_back:
                    raise EncoderOffloaded("meanwhile")
                assert self.alive, "encode without a process"
                yield
            finally:
                self.encoding -= 1

    def encode_text(self, texts):
        with self._one_encode("text"):
            return np.stack([text_vector(text) for text in texts])

    def letters_read(self, text):
        return len(text) if self.context_letters is None else min(len(text), self.context_letters)

    def encode_images(self, pixels):
        with self._one_encode("image"):
            flat = pixels.reshape(len(pixels), -1)[:, :8].astype(np.float32) + 1
            return flat / np.linalg.norm(flat, axis=1, keepdims=True)


class ManualTime:
    """A clock that moves when told to, and the timers that hang on it."""

    def __init__(self):
        self.now = 1000.0
        self.timers = []

    def clock(self):
        return self.now

    def timer(self, delay, callback):
        return ManualTimer(self, self.now + delay, callback)

    @property
    def armed(self):
        return [timer for timer in self.timers if timer.armed]

    def advance(self, seconds):
        """Move on, firing every timer at its time."""
        end = self.now + seconds
        while due := sorted((timer for timer in self.armed if timer.due <= end), key=lambda timer: timer.due):
            self.now = max(self.now, due[0].due)
            due[0].fire()
        self.now = end


class ManualTimer:
    def __init__(self, owner, due, callback):
        self.owner, self.due, self.callback = owner, due, callback
        self.armed = False
        self.daemon = False

    def start(self):
        assert self.daemon, "a timer that is no daemon keeps a finished program alive"
        self.armed = True
        self.owner.timers.append(self)

    def cancel(self):
        self.armed = False

    def fire(self):
        self.armed = False
        self.callback()
