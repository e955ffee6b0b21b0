"""Owns the interface between residency and encoders: what an encoder does, and a permitted use of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from photomap_cli.encoder.image_probes import ImageProbes
    from photomap_cli.encoder.probes import Probes
    from photomap_cli.records import EncoderInfo, MemoryReport

Tower = Literal["text", "image"]


class Encoder(Protocol):
    """What Residency moves, and what `use` hands out.  Calls are serialised by the implementation."""

    def load(self) -> EncoderInfo:
        """Bring the weights from disk to RAM.  Raises PhotomapError."""

    def to_vram(self, tower: Tower) -> None:
        """Copy one tower's weights to the device.  After an exception it is intact in RAM."""

    def to_ram(self) -> None:
        """Free everything on the device."""

    def rest_after(self, idle: float, release: float) -> None:
        """Tell the encoder that it is still wanted, and when to free the device and to end if it hears no more.

        In seconds; 0 = never.  A little later the encoder acts by itself, in case this process was suspended.
        Never waits.
        """

    def release(self) -> None:
        """End the encoder process; `load` starts it again."""

    def close(self) -> None:
        """End the encoder process now and for good, even from another thread during a call."""

    def memory(self) -> MemoryReport:
        """Measure the bytes in use."""

    def probes(self) -> Probes | None:
        """Return the encoder's vectors of the probe texts; None if it keeps none.  Call inside `use("text")`."""

    def image_probes(self) -> ImageProbes | None:
        """Return the encoder's vectors of the probe pictures, as `probes`.  Call inside `use("image")`."""

    def encode_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode texts.  Returns (n, dim) float32, rows of unit length.  Call inside `use("text")`.

        Raises:
            EncoderOffloaded: it should have run on the device, which the encoder has freed by itself.
        """

    def letters_read(self, text: str) -> int:
        """Return how many letters of a text it reads; fewer than all if its context ends earlier."""

    def encode_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Encode pictures, (n, height, width, 3) uint8 RGB.  Returns and raises as `encode_text`."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A permitted use of the encoder: what it waited for, and why it must run on the CPU of a GPU host, or ""."""

    encoder: Encoder
    info: EncoderInfo
    load_ms: float
    reload_ms: float
    refusal: str

    @property
    def fell_back(self) -> bool:
        """Whether the CPU stands in for the GPU."""
        return bool(self.refusal)
