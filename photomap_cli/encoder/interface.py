"""Owns the seam between residency and encoders: what an encoder can do, and what a permitted use of it is."""

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
        """Copy one tower's weights to the device.  An exception leaves it whole in RAM."""

    def to_ram(self) -> None:
        """Give back everything on the device."""

    def rest_after(self, idle: float, release: float) -> None:
        """Say that the encoder is still wanted, and when to give the device back and to end should nobody say more.

        Seconds; 0 = never.  A little later than these the encoder acts by itself: this process may have been stopped.
        Never waits.
        """

    def release(self) -> None:
        """End the encoder process; `load` starts it again."""

    def close(self) -> None:
        """End the encoder process now, also from another thread and amid a call, for good."""

    def memory(self) -> MemoryReport:
        """Measure the bytes held."""

    def probes(self) -> Probes | None:
        """Return what the encoder makes of the probe texts; None where it keeps none.  Call inside `use("text")`."""

    def image_probes(self) -> ImageProbes | None:
        """Return what the encoder makes of the probe pictures, as `probes`.  Call inside `use("image")`."""

    def encode_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode texts.  Returns (n, dim) float32, rows of unit length.  Call inside `use("text")`.

        Raises:
            EncoderOffloaded: it was to run on the device, which the encoder has given back by itself.
        """

    def letters_read(self, text: str) -> int:
        """Return how many letters of a text it reads; fewer than there are where its context ends before."""

    def encode_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Encode pictures, (n, height, width, 3) uint8 RGB.  Returns and raises as `encode_text`."""


@dataclass(frozen=True, slots=True)
class Lease:
    """One permitted use of the encoder: what it waited for, and why it must run on the CPU of a GPU host; or ""."""

    encoder: Encoder
    info: EncoderInfo
    load_ms: float
    reload_ms: float
    refusal: str

    @property
    def fell_back(self) -> bool:
        """Whether the CPU stands in for the device."""
        return bool(self.refusal)
