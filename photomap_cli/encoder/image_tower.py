"""Owns encoding pictures without PyTorch: a plain CLIP vision transformer in numpy, over the weights on disk.

For one or a few pictures, as starting PyTorch takes longer.  For more, PyTorch is much faster, as it computes
in half precision.  The probes check that this gives the vectors of the library's encoder.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from photomap_cli import processors
from photomap_cli.encoder import blas
from photomap_cli.encoder.mapped_tensors import MappedTensors
from photomap_cli.encoder.transformer import Transformer, unit_rows
from photomap_cli.errors import TowerUnfit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photomap_cli.encoder.image_recipe import ImageRecipe

    Array = NDArray[np.float32]

_AT_ONCE = 4  # pictures whose tokens share a matrix product; more of them wouldn't be faster


class ImageTower:
    """A vision transformer over the mapped weights.  Any thread; one call at a time.

    Args:
        path: the weights, in a safetensors file.
        recipe: the rest that must be known.

    Raises TowerUnfit if the file holds no plain CLIP vision transformer; OSError if it can't be read.
    """

    def __init__(self, path: Path, recipe: ImageRecipe) -> None:
        self.path, self.recipe, self._lock = path, recipe, threading.Lock()
        tensors = MappedTensors(path)
        self._patches, self._class = tensors["visual.conv1.weight"], tensors["visual.class_embedding"]
        self._positions, self._proj = tensors["visual.positional_embedding"], tensors["visual.proj"]
        norms = [f"visual.{norm}.{part}" for norm in ("ln_pre", "ln_post") for part in ("weight", "bias")]
        self._before = None if norms[0] not in tensors else (tensors[norms[0]], tensors[norms[1]])
        self._final = tensors[norms[2]], tensors[norms[3]]
        self._transformer = Transformer(
            tensors,
            "visual.transformer.resblocks.",
            heads=recipe.heads,
            activation=recipe.activation,
            norm_eps=recipe.norm_eps,
        )
        self._require_sense()
        mean, std = (255 * np.asarray(each, np.float32) for each in (recipe.mean, recipe.std))
        self._mean, self._std = mean, std

    @property
    def nbytes(self) -> int:
        """Bytes of weights that are read for each picture."""
        others = [self._patches, self._class, self._positions, self._proj, *self._final, *(self._before or ())]
        nbytes: int = self._transformer.nbytes + sum(each.nbytes for each in others)
        return nbytes

    @property
    def dim(self) -> int:
        """The dimension of its vectors."""
        dim: int = self._proj.shape[1]
        return dim

    @property
    def operations(self) -> int:
        """Multiplications and additions per picture."""
        multiplications = self._transformer.multiplications(self._tokens) + self._tokens * self._patches.size
        return 2 * multiplications

    def encode(self, pixels: NDArray[np.uint8]) -> Array:
        """Encode pictures, (n, height, width, 3) uint8 RGB of the recipe's size.

        Returns (n, dim) float32, rows of unit length.
        """
        cores = processors.usable()
        rounds = -(-len(pixels) // (_AT_ONCE * cores))
        parts = np.array_split(pixels, min(len(pixels), rounds * cores)) if len(pixels) else []
        with self._lock, blas.one_thread():
            if len(parts) < 2:
                rows = [self._encoded(part) for part in parts]
            else:  # products release the GIL, and two callers with one thread each are faster than one with two
                with ThreadPoolExecutor(min(len(parts), cores), "image-tower") as threads:
                    rows = list(threads.map(self._encoded, parts))
        return np.concatenate(rows) if rows else np.empty((0, self.dim), np.float32)

    # Some pictures --------------------------------------------------------------------------------------------------

    @property
    def _tokens(self) -> int:
        return int(self._positions.shape[0])

    def _encoded(self, pixels: NDArray[np.uint8]) -> Array:
        count, width = len(pixels), self._transformer.width
        patches = self._patched((pixels - self._mean) / self._std) @ self._patches.values().reshape(width, -1).T
        classes = np.broadcast_to(self._class.values(), (count, 1, width))
        x = np.concatenate([classes, patches.reshape(count, -1, width)], 1) + self._positions.values()
        x = x.reshape(-1, width)
        if self._before is not None:
            x = self._transformer.norm(x, *self._before)
        pooled = self._transformer.norm(self._transformer(x, tokens=self._tokens, pooled=0), *self._final)
        return unit_rows(pooled @ self._proj.values())

    def _patched(self, pixels: Array) -> Array:
        """Return each patch's values as a row, in the order of the weights: colour, row, column."""
        count, height, width, _ = pixels.shape
        tall, wide = self._patches.shape[2:]
        cut = pixels.reshape(count, height // tall, tall, width // wide, wide, 3)
        return np.ascontiguousarray(cut.transpose(0, 1, 3, 5, 2, 4)).reshape(-1, 3 * tall * wide)

    def _require_sense(self) -> None:
        height, width = self.recipe.image_size
        channels = self._transformer.width
        shape = self._patches.shape
        if len(shape) != 4 or shape[:2] != (channels, 3) or height % shape[2] or width % shape[3]:
            raise TowerUnfit("its image transformer isn't built like CLIP's")
        tokens = 1 + (height // shape[2]) * (width // shape[3])
        if self._positions.shape != (tokens, channels) or self._class.shape != (channels,):
            raise TowerUnfit("its image transformer isn't built like CLIP's")
        if len(self._proj.shape) != 2 or self._proj.shape[0] != channels:
            raise TowerUnfit("its image transformer isn't built like CLIP's")
