"""Owns what Residency moves besides an encoder process: towers, mapped and unmapped, and a placeholder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from photomap_cli import processors
from photomap_cli.encoder import context_length
from photomap_cli.errors import EncoderClosed, EncoderDied, EncoderFailed, TowerUnfit
from photomap_cli.records import EncoderInfo, MemoryReport

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from photomap_cli.encoder.fingerprint import WeightsFile
    from photomap_cli.encoder.image_probes import ImageProbes
    from photomap_cli.encoder.image_tower import ImageTower
    from photomap_cli.encoder.interface import Tower
    from photomap_cli.encoder.probes import Probes
    from photomap_cli.encoder.text_tower import TextTower

MOST_OPERATIONS = 15e9
"""Most multiplications and additions of a picture: some 0.3 s of a core, while starting PyTorch takes two seconds.

A ViT-B-32-256 takes 10.7 billion, a ViT-B-16 33, a ViT-L-14 156.
"""

_OPERATIONS_A_CORE = 2.5e11
"""The head start over PyTorch, in operations of one core, as PyTorch has to start: 23 pictures of a ViT-B-32-256."""

_MOST_CORES = 8  # matrix products were measured to scale up to this many

MOST_PICTURES = 256
"""The most pictures it is used for, however small their cost."""


class NoEncoder:
    """Placeholder for an encoder process that may not be started; loading it raises the error."""

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

    def image_probes(self) -> None:
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


class _TowerEncoder:
    """Encodes in this process.  Loading maps the weights, releasing unmaps them.

    Args:
        spec: the encoder's spec string.
        fingerprint: returns the fingerprint of the weights that made the library's vectors; "" if unknown.
    """

    def __init__(self, spec: str, fingerprint: Callable[[], str]) -> None:
        self._spec, self._fingerprint = spec, fingerprint
        self._tower: TextTower | ImageTower | None = None
        self._file: WeightsFile | None = None
        self._closed = False

    def _opened(self, fingerprint: str) -> tuple[TextTower | ImageTower, dict[str, Any]]:
        """Return the tower and the picture part of its `EncoderInfo`.  Raises TowerUnfit."""
        raise NotImplementedError

    def load(self) -> EncoderInfo:
        """Map the weights.  Raises TowerUnfit if the tower can't stand in for the library's encoder."""
        from photomap_cli.encoder.fingerprint import WeightsFile

        if self._closed:
            raise EncoderClosed("the encoder is closed")
        fingerprint = self._fingerprint()
        if not fingerprint:
            raise TowerUnfit("the library does not know its weights yet")
        tower, pictures = self._opened(fingerprint)
        self._tower, self._file = tower, WeightsFile(tower.path)
        return EncoderInfo(
            spec=self._spec,
            dim=tower.dim,
            device="cpu",
            dtype="float32",
            can_offload=False,
            fingerprint=fingerprint,
            **pictures,
        )

    def to_vram(self, tower: Tower) -> None:
        """Do nothing: it has no device."""

    def to_ram(self) -> None:
        """Do nothing: it has no device."""

    def rest_after(self, idle: float, release: float) -> None:
        """Do nothing: the mapping's pages belong to the file, and the system may evict them."""

    def release(self) -> None:
        """Unmap the weights."""
        self._tower = None

    def close(self) -> None:
        """Unmap for good; a running encode keeps its mapping until it ends."""
        self._closed, self._tower = True, None

    def memory(self) -> MemoryReport:
        """Return the bytes of weights that are read; they are also in the system's file cache."""
        tower = self._tower
        return MemoryReport(ram_bytes=tower.nbytes if tower else 0)

    def probes(self) -> None:
        """Return None: this is what probes are for."""

    def image_probes(self) -> None:
        """Return None: this is what probes are for."""

    def _in_use(self) -> Any:
        """Return the tower.  Raises EncoderClosed, and EncoderDied if its weights have changed."""
        tower, file = self._tower, self._file
        if tower is None or file is None:
            raise EncoderClosed("the encoder is closed")
        if file.was_written_to:
            raise EncoderDied("its weights were changed while in use")
        return tower


class TextTowerEncoder(_TowerEncoder):
    """Encodes texts in this process.

    Args:
        spec, fingerprint: see the base class.
        read_probes: returns the probe texts stored with the library.
    """

    def __init__(self, spec: str, fingerprint: Callable[[], str], read_probes: Callable[[], Probes | None]) -> None:
        super().__init__(spec, fingerprint)
        self._read_probes = read_probes

    def _opened(self, fingerprint: str) -> tuple[TextTower, dict[str, Any]]:
        from photomap_cli.encoder import tower_verification

        tower = tower_verification.open_text_tower(fingerprint, self._spec, self._read_probes)
        nothing = {"image_size": (0, 0), "resize_mode": "", "interpolation": "", "fill": 0}
        return tower, {**nothing, "device_name": "text tower"}

    def encode_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode texts.  Returns (n, dim) float32, rows of unit length."""
        rows: NDArray[np.float32] = self._in_use().encode(texts)
        return rows

    def letters_read(self, text: str) -> int:
        """Return how many letters of a text fit into the context."""
        return context_length.letters_read(text, self._in_use().tokens)

    def encode_images(self, pixels: NDArray[np.uint8]) -> NoReturn:
        """Refuse, as this tower encodes texts only."""
        raise TowerUnfit("it encodes texts only")


def few_pictures(operations: int) -> int:
    """Return how many pictures are encoded sooner here than by PyTorch, which has to start.

    `operations` are the multiplications and additions for one picture.
    """
    return min(MOST_PICTURES, int(_OPERATIONS_A_CORE * min(processors.usable(), _MOST_CORES) / operations))


class ImageTowerEncoder(_TowerEncoder):
    """Encodes a few pictures in this process, if each takes at most `MOST_OPERATIONS`.

    Args:
        spec, fingerprint: see the base class.
        read_probes: returns the probe pictures stored with the library.
    """

    def __init__(
        self, spec: str, fingerprint: Callable[[], str], read_probes: Callable[[], ImageProbes | None]
    ) -> None:
        super().__init__(spec, fingerprint)
        self._read_probes = read_probes

    def _opened(self, fingerprint: str) -> tuple[ImageTower, dict[str, Any]]:
        from photomap_cli.encoder import tower_verification

        tower = tower_verification.open_image_tower(fingerprint, self._spec, self._read_probes)
        if tower.operations > MOST_OPERATIONS:
            raise TowerUnfit(f"a picture takes {tower.operations / 1e9:.0f} billion operations: PyTorch is quicker")
        names = ("image_size", "resize_mode", "interpolation", "fill")
        pictures = {name: getattr(tower.recipe, name) for name in names}
        return tower, {**pictures, "device_name": "image tower", "few_pictures": few_pictures(tower.operations)}

    def encode_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Encode pictures, (n, height, width, 3) uint8 RGB.  Returns (n, dim) float32, rows of unit length."""
        rows: NDArray[np.float32] = self._in_use().encode(pixels)
        return rows

    def encode_text(self, texts: Sequence[str]) -> NoReturn:
        """Refuse, as this tower encodes pictures only."""
        raise TowerUnfit("it encodes pictures only")

    def letters_read(self, text: str) -> NoReturn:
        """Refuse, as this tower encodes pictures only."""
        raise TowerUnfit("it encodes pictures only")
