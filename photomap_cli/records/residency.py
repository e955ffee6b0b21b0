"""Owns the values that describe an encoder and where its weights are."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from photomap_cli.records.record import Record

LONGEST_TIMEOUT_SECONDS = 366 * 86_400.0
"""The longest idle or release timeout; 0 is never."""


class ResidencyState(StrEnum):
    """Where the encoder's weights are; users see these names."""

    OFF = "OFF"  # no encoder process: nothing in VRAM, nothing in RAM
    LOADING = "LOADING"  # OFF -> RAM: the process starts, the weights are mapped
    RAM = "RAM"  # weights in RAM; answers from there only without a GPU, or when the GPU is full
    RELOADING = "RELOADING"  # RAM -> VRAM
    VRAM = "VRAM"  # weights on the device, ready
    OFFLOADING = "OFFLOADING"  # VRAM -> RAM
    RELEASING = "RELEASING"  # RAM -> OFF: the process ends

    @property
    def is_moving(self) -> bool:
        """Whether the weights are being moved; no query can run until they have arrived."""
        return self in _MOVING


_MOVING = frozenset(
    {ResidencyState.LOADING, ResidencyState.RELOADING, ResidencyState.OFFLOADING, ResidencyState.RELEASING}
)


@dataclass(frozen=True, slots=True)
class EncoderInfo(Record):
    """The facts of a loaded encoder.

    Attributes:
        spec: the encoder's spec string, such as `tiny` or `ViT-B-32-256/datacomp_s34b_b86k`.
        dim: length of its vectors.
        image_size: (height, width) in pixels of the pictures it takes.
        resize_mode: how a photo is fitted: "shortest" (resize the shorter side, crop the centre), "longest" (resize the
            longer side, pad) or "squash".
        interpolation: "bicubic" or "bilinear".
        fill: grey level 0..255 that "longest" pads with.
        device: "cuda:0", "mps" or "cpu".
        device_name: the hardware's name, with a word on unified memory where nothing can be offloaded.
        dtype: "float32", "bfloat16" or "float16".
        can_offload: whether the device has memory of its own that can be given back.
        notice: why an existing GPU isn't used, for users; empty if there is nothing to tell.
        fingerprint: tells these weights from others with the same spec; empty if unknown.
        few_pictures: the most pictures for which it is faster than an encoder that has to start first; 0 for no limit.
    """

    spec: str
    dim: int
    image_size: tuple[int, int]
    resize_mode: str
    interpolation: str
    fill: int
    device: str
    device_name: str
    dtype: str
    can_offload: bool
    notice: str = ""
    fingerprint: str = ""
    few_pictures: int = 0


@dataclass(frozen=True, slots=True)
class MemoryReport(Record):
    """Bytes the encoder holds; all 0 when there is no process.

    Attributes:
        vram_weight_bytes: of the weights on the device.
        vram_process_bytes: of the whole process on the device, its context included; None if the driver hides it.
        ram_bytes: of the process in RAM.
        pinned: whether the weights in RAM are page-locked.
        staging_bytes: of the page-locked staging buffer for batches; part of `ram_bytes`.
        loose_tensors: tensors that are moved one by one, as they can't be in a flat buffer.
    """

    vram_weight_bytes: int = 0
    vram_process_bytes: int | None = 0
    ram_bytes: int = 0
    pinned: bool = False
    staging_bytes: int = 0
    loose_tensors: int = 0


@dataclass(frozen=True, slots=True)
class EncoderFailure(Record):
    """What went wrong with the encoder last: the code of a `PhotomapError`, and a line for people."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ResidencySnapshot:
    """Everything there is to know about the encoder's place at one moment.

    Times are seconds on the residency's clock.  A new snapshot replaces the old one at every change, so it can be read
    from any thread without a lock.
    """

    state: ResidencyState = ResidencyState.OFF
    info: EncoderInfo | None = None
    memory: MemoryReport = field(default_factory=MemoryReport)
    busy: bool = False
    last_used: float | None = None
    offload_at: float | None = None
    release_at: float | None = None
    offloaded_at: float | None = None
    idle_timeout: float = 30.0
    release_timeout: float = 600.0
    last_reload_ms: float | None = None
    last_offload_ms: float | None = None
    reloads: int = 0
    offloads: int = 0
    cpu_fallbacks: int = 0
    last_error: EncoderFailure | None = None
    progress: tuple[int, int] | None = None
    """Bytes (done, total) of a weights download under way."""
