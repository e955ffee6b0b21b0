"""Values and backends for the terminal's tests: scripted ones, and one with real, short timers."""

from __future__ import annotations

import io
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from PIL import Image

from photomap_cli.errors import BadQuery, SessionGone
from photomap_cli.records import (
    DateSource,
    Facets,
    Hit,
    IndexReport,
    PhotoDetails,
    ResidencyState,
    SearchResult,
    SessionStatus,
    Thumbnail,
    Timings,
)
from photomap_cli.settings import Settings

if TYPE_CHECKING:
    from photomap_cli.records import SearchRequest

State = ResidencyState
MB = 1_000_000

VRAM = SessionStatus(
    pid=4242,
    kind="repl",
    library="/lib",
    started_at="2026-01-02T03:04:05+00:00",
    encoder="ViT-L-14/datacomp_xl_s13b_b90k",
    device="cuda:0",
    device_name="NVIDIA A100",
    dtype="float16",
    can_offload=True,
    state=State.VRAM,
    busy=False,
    vram_weight_bytes=352 * MB,
    vram_process_bytes=None,
    ram_bytes=352 * MB,
    pinned=False,
    idle_seconds=12.0,
    idle_timeout_seconds=30.0,
    offload_in_seconds=17.2,
    release_timeout_seconds=600.0,
    release_in_seconds=587.2,
    last_reload_ms=None,
    last_offload_ms=None,
    reloads=0,
    offloads=0,
    cpu_fallbacks=0,
    last_error=None,
    photos=12034,
)
RAM = replace(VRAM, state=State.RAM, vram_weight_bytes=0, offload_in_seconds=None, offloaded_seconds_ago=180.0)
OFF = replace(RAM, state=State.OFF, ram_bytes=0, release_in_seconds=None)
LOADING = replace(OFF, state=State.LOADING)
RELOADING = replace(RAM, state=State.RELOADING)
OFFLOADING = replace(VRAM, state=State.OFFLOADING, offload_in_seconds=None)
RELEASING = replace(RAM, state=State.RELEASING, release_in_seconds=None)
CPU = replace(RAM, device="cpu", device_name="cpu", can_offload=False, ram_bytes=12 * MB, encoder="tiny")
EVERY_STATE = (VRAM, RAM, OFF, LOADING, RELOADING, OFFLOADING, RELEASING)


def make_hit(rank: int, path: str | None = None) -> Hit:
    return Hit(
        rank,
        path or f"/photos/photo-{rank:03d}.jpg",
        0.4 - rank / 1000,
        f"2023-06-{rank % 28 + 1:02d}T10:22:00",
        40,
        30,
    )


def make_result(
    count: int = 3, *, query: str = "dog", timings: Timings | None = None, **values: object
) -> SearchResult:
    hits = tuple(make_hit(rank) for rank in range(1, count + 1))
    result = SearchResult(query, "tiny", 41.2, "local", timings or Timings(encode=12.1, search=3.0), hits)
    return replace(result, **values)


class FakeHost:
    """A prompt's host over one backend; keywords are settings."""

    def __init__(self, backend: FakeBackend | None = None, **settings: object) -> None:
        self.backend = backend or FakeBackend()
        self.subscribers: list[Callable[[], None]] = []
        self._settings = Settings(**{"results": 3, "prewarm": False} | settings)

    def open_backend(self) -> FakeBackend:
        return self.backend

    def settings(self) -> Settings:
        return self._settings

    def first_scope(self) -> None:
        return None

    def default_folder(self) -> str:
        return ""

    def first_note(self) -> str:
        return ""

    def index(self, backend: FakeBackend, folders: Sequence[Path]) -> tuple[bool, IndexReport]:
        return False, IndexReport(tuple(map(str, folders)))

    def facets(self) -> Facets:
        return Facets()

    def subscribe(self, on_change: Callable[[], None]) -> None:
        self.subscribers.append(on_change)


class FakeBackend:
    """Answers at once, from a script; remembers what it was asked."""

    keeps_library = True

    def __init__(
        self,
        *,
        status: SessionStatus = CPU,
        answer: Callable[[SearchRequest], SearchResult] | None = None,
        photos: int = 1000,
    ) -> None:
        self.current, self.photos = status, photos
        self.requests: list[SearchRequest] = []
        self.calls: list[str] = []
        self._answer = answer or self._photos

    def _photos(self, request: SearchRequest) -> SearchResult:
        return make_result(min(self.photos, request.limit or 10), query=request.text)

    def search(self, request: SearchRequest) -> SearchResult:
        self.requests.append(request)
        return self._answer(request)

    def details(self, path: str) -> PhotoDetails:
        taken = "2018-05-14T00:00:00"
        return PhotoDetails(path, 3_400_000, taken, taken, DateSource.NAME_DAY, 40, 30, "Canon", None, 47.1, 8.5)

    def status(self) -> SessionStatus:
        return self.current

    def offload(self) -> SessionStatus:
        self.calls.append("offload")
        return self.current

    def load(self) -> SessionStatus:
        self.calls.append("load")
        return self.current

    def progress(self) -> str:
        return ""

    def prewarm(self) -> None:
        self.calls.append("prewarm")

    def set_idle_timeout(self, seconds: float) -> SessionStatus:
        self.calls.append(f"timeout {seconds:g}")
        self.current = replace(self.current, idle_timeout_seconds=seconds)
        return self.current

    def pause(self) -> None:
        self.calls.append("pause")

    def resume(self) -> bool:
        self.calls.append("resume")
        return self.keeps_library

    def close(self) -> None:
        self.calls.append("close")


class PaintedThumbnailer:
    """Has a photo of its own colour for every path, made up; `gone` in a path is one that is gone."""

    def thumbnails(self, paths: Sequence[str]) -> list[Thumbnail]:
        return [Thumbnail(fault="no longer there") if "gone" in path else painted(path, (320, 240)) for path in paths]

    def picture(self, path: str, *, long_side_px: int) -> Thumbnail:
        if "gone" in path:
            return Thumbnail(fault="no longer there")
        return painted(path, (long_side_px, long_side_px * 3 // 4))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        pass


def colour_of(path: str) -> tuple[int, int, int]:
    """The colour of a made-up photo, far from that of its neighbours."""
    return tuple(zlib.crc32(path.encode("utf-8", "surrogateescape")).to_bytes(4, "big")[:3])


def painted(path: str, size: tuple[int, int]) -> Thumbnail:
    file = io.BytesIO()
    Image.new("RGB", size, colour_of(path)).save(file, "WEBP", lossless=True)
    return Thumbnail(file.getvalue())


class TimedBackend:
    """Moves between OFF, RAM and VRAM with real timers, as a session does.

    The query decides what happens: `slow` takes an hour, `nothing` finds nothing, `bad` is refused at its third
    word, `boom` is a defect, `gone` ends the session.
    """

    def __init__(
        self,
        *,
        load: float = 0.1,
        reload: float = 0.05,
        idle: float = 30.0,
        release: float = 600.0,
        device: str = "cuda:0",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._load, self._reload, self._idle, self._release = load, reload, idle, release
        self._has_card = device != "cpu"
        self._base = OFF if self._has_card else replace(OFF, device="cpu", device_name="cpu", can_offload=False)
        self._state, self._last_used = State.OFF, clock()
        self._moving = threading.RLock()
        self._closed = threading.Event()
        self._is_gone = False
        self.on_change: Callable[[], None] = lambda: None
        threading.Thread(target=self._watch, daemon=True).start()

    # -- places ------------------------------------------------------------------------------------------------------

    def _go(self, state: State, seconds: float = 0.0) -> None:
        self._state = state
        self.on_change()
        self._pass(seconds)

    def _pass(self, seconds: float) -> None:
        """Take some time of the clock's."""
        end = self._clock() + seconds
        while self._clock() < end and not self._closed.wait(0.01):
            pass

    def load(self) -> SessionStatus:
        with self._moving:
            if self._state is State.OFF:
                self._go(State.LOADING, self._load)
                self._go(State.RAM)
            if self._has_card and self._state is State.RAM:
                self._go(State.RELOADING, self._reload)
                self._go(State.VRAM)
            self._last_used = self._clock()
        return self.status()

    def offload(self) -> SessionStatus:
        with self._moving:
            if self._state is State.VRAM:
                self._go(State.OFFLOADING, self._reload)
                self._go(State.RAM)
        return self.status()

    def _watch(self) -> None:
        while not self._closed.wait(0.02):
            idle = self._clock() - self._last_used
            if self._state is State.VRAM and 0 < self._idle <= idle:
                self.offload()
            elif self._state is State.RAM and 0 < self._release <= idle and self._moving.acquire(blocking=False):
                self._go(State.OFF)
                self._moving.release()

    # -- the rest of a backend ---------------------------------------------------------------------------------------

    def progress(self) -> str:
        return ""

    def prewarm(self) -> None:
        threading.Thread(target=self.load, daemon=True).start()

    def set_idle_timeout(self, seconds: float) -> SessionStatus:
        self._idle = seconds
        return self.status()

    def search(self, request: SearchRequest) -> SearchResult:
        if "gone" in request.text and not self._is_gone:
            self._is_gone = True
            raise SessionGone("the session is gone")
        self._refuse(request.text)
        before = self._state
        self.load()
        self._pass(3600 if "slow" in request.text else 0)
        self._last_used = self._clock()
        timings = Timings(reload=self._reload * 1000 if before is State.RAM else 0.0, encode=9.0, search=1.0)
        return make_result(
            0 if "nothing" in request.text else (request.limit or 10), query=request.text, timings=timings
        )

    def _refuse(self, text: str) -> None:
        if "bad" in text:
            raise BadQuery("a quote is not closed", hint='close it with "', position=text.index("bad"))
        if "boom" in text:
            raise ValueError("a defect\nof two lines")

    def status(self) -> SessionStatus:
        idle = self._clock() - self._last_used
        in_vram = self._state is State.VRAM
        return replace(
            self._base,
            state=self._state,
            vram_weight_bytes=352 * MB if in_vram else 0,
            ram_bytes=0 if self._state is State.OFF else 352 * MB,
            idle_seconds=idle,
            idle_timeout_seconds=self._idle,
            offload_in_seconds=max(0.0, self._idle - idle) if in_vram and self._idle else None,
            release_in_seconds=max(0.0, self._release - idle) if self._state in (State.VRAM, State.RAM) else None,
        )

    def pause(self) -> None:
        self.offload()

    def resume(self) -> bool:
        return True

    def close(self) -> None:
        self._closed.set()
