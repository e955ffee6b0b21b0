"""Owns what Residency moves besides an encoder process: the text tower, mapped and unmapped, and nothing at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from photomap_cli.encoder import context_length
from photomap_cli.errors import EncoderClosed, EncoderDied, EncoderFailed, TowerUnfit
from photomap_cli.records import EncoderInfo, MemoryReport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from photomap_cli.encoder.fingerprint import WeightsFile
    from photomap_cli.encoder.interface import Tower
    from photomap_cli.encoder.probes import Probes
    from photomap_cli.encoder.text_tower import TextTower

DEVICE_NAME = "text tower"


class NoEncoder:
    """Stands for an encoder process where none may be started: whoever needs one finds out when it is loaded."""

    def load(self) -> NoReturn:
        """Refuse."""
        raise EncoderFailed("an encoder process is needed, and may not be started here")

    def to_vram(self, tower: Tower) -> None:
        """Do nothing."""

    def to_ram(self) -> None:
        """Do nothing."""

    def rest_after(self, idle: float, release: float) -> None:
        """Do nothing."""

    def release(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

    def memory(self) -> MemoryReport:
        """Return nothing."""
        return MemoryReport()

    def probes(self) -> None:
        """Return nothing."""

    def encode_text(self, texts: Sequence[str]) -> NoReturn:
        """Refuse."""
        self.load()

    def letters_read(self, text: str) -> NoReturn:
        """Refuse."""
        self.load()

    def encode_images(self, pixels: NDArray[np.uint8]) -> NoReturn:
        """Refuse."""
        self.load()


class TowerEncoder:
    """Encodes texts in this process.  Loading maps the weights, releasing gives the mapping back.

    Args:
        spec: the encoder's spec string.
        fingerprint: returns that of the weights that made the library's vectors; "" where it is not known.
        read_probes: returns the probes that are stored with the library.
    """

    def __init__(self, spec: str, fingerprint: Callable[[], str], read_probes: Callable[[], Probes | None]) -> None:
        self._spec, self._fingerprint, self._read_probes = spec, fingerprint, read_probes
        self._tower: TextTower | None = None
        self._file: WeightsFile | None = None
        self._closed = False

    def load(self) -> EncoderInfo:
        """Map the weights.  Raises TowerUnfit where the tower cannot stand in for the library's encoder."""
        from photomap_cli.encoder import tower_trust
        from photomap_cli.encoder.fingerprint import WeightsFile

        if self._closed:
            raise EncoderClosed("the encoder is closed")
        fingerprint = self._fingerprint()
        if not fingerprint:
            raise TowerUnfit("the library does not know its weights yet")
        self._tower = tower_trust.open_tower(fingerprint, self._spec, self._read_probes)
        self._file = WeightsFile(self._tower.path)
        return EncoderInfo(
            spec=self._spec,
            dim=self._tower.dim,
            image_size=(0, 0),
            resize_mode="",
            interpolation="",
            fill=0,
            device="cpu",
            device_name=DEVICE_NAME,
            dtype="float32",
            can_offload=False,
            fingerprint=fingerprint,
        )

    def to_vram(self, tower: Tower) -> None:
        """Do nothing: it has no device."""

    def to_ram(self) -> None:
        """Do nothing: it has no device."""

    def rest_after(self, idle: float, release: float) -> None:
        """Do nothing: a mapping cannot let go by itself; its pages are the file's, and the system may take them."""

    def release(self) -> None:
        """Let go of the mapping."""
        self._tower = None

    def close(self) -> None:
        """Let go of the mapping, for good; a text under way is finished first by whoever asked for it."""
        self._closed, self._tower = True, None

    def memory(self) -> MemoryReport:
        """Return the bytes of the weights that texts read; they lie in the system's cache of the file as well."""
        return MemoryReport(ram_bytes=self._tower.nbytes if self._tower else 0)

    def encode_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode texts.  Returns (n, dim) float32, rows of unit length."""
        tower, file = self._tower, self._file
        if tower is None or file is None:
            raise EncoderClosed("the encoder is closed")
        if file.was_written_to:
            raise EncoderDied("its weights were written to while they were in use")
        return tower.encode(texts)

    def letters_read(self, text: str) -> int:
        """Return how many letters of a text are before the end of the context."""
        if self._tower is None:
            raise EncoderClosed("the encoder is closed")
        return context_length.letters_read(text, self._tower.tokens)

    def probes(self) -> None:
        """Return nothing: what is probed is this."""

    def encode_images(self, pixels: NDArray[np.uint8]) -> NoReturn:
        """Refuse: pictures are the encoder process's."""
        raise TowerUnfit("it encodes texts only")
