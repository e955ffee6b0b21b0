"""Owns the indexer's view of a session's encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from photomap_cli.encoder.residency import Residency


class ImageEncoder:
    """The indexer's view of the encoder: each batch is one use, so a long run keeps it in place and then lets it go."""

    def __init__(self, residency: Residency) -> None:
        self._residency = residency
        residency.load("image")
        info = residency.snapshot().info
        assert info is not None
        self.info = info

    def encode_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Encode a batch, (n, height, width, 3) uint8.  Returns (n, dim) float32, rows of unit length."""
        return self._residency.run("image", lambda encoder: encoder.encode_images(pixels))[0]
