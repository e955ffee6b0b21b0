"""Owns encoding texts without PyTorch: a plain CLIP text transformer in numpy, over the memory-mapped weights.

Attention is causal, so only the tokens up to the end of the text are computed: 4 to 15 of 77 for typical searches.
What remains is reading the weights once.  The probes check that this gives the vectors of the library's encoder;
nothing here is trusted because of its name.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from photomap_cli.encoder import blas
from photomap_cli.encoder.mapped_tensors import MappedTensors
from photomap_cli.encoder.transformer import Transformer, unit_rows
from photomap_cli.errors import TowerUnfit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photomap_cli.encoder.bpe import Tokenizer
    from photomap_cli.encoder.mapped_tensors import MappedTensor
    from photomap_cli.encoder.text_recipe import TextRecipe

    Array = NDArray[np.float32]

_PREFIXES = ("", "text.")  # as open_clip stores a CLIP, and a model with a separate text tower


class TextTower:
    """A text transformer over the mapped weights.  Any thread; one text at a time.

    Args:
        path: the weights, in a safetensors file.
        recipe: the rest that must be known.
        tokenizer: made for the same recipe.

    Raises TowerUnfit if the file holds no plain CLIP text transformer; OSError if it can't be read.
    """

    def __init__(self, path: Path, recipe: TextRecipe, tokenizer: Tokenizer) -> None:
        self.path, self._recipe, self._tokenizer, self._lock = path, recipe, tokenizer, threading.Lock()
        tensors = MappedTensors(path)
        prefix = next((each for each in _PREFIXES if f"{each}token_embedding.weight" in tensors), None)
        if prefix is None or f"{prefix}cls_emb" in tensors:
            raise TowerUnfit("its text transformer isn't CLIP's")
        self._embedding = tensors[f"{prefix}token_embedding.weight"]
        self._positions = tensors[f"{prefix}positional_embedding"]
        self._final = tensors[f"{prefix}ln_final.weight"], tensors[f"{prefix}ln_final.bias"]
        self._projection = _projection(tensors, prefix)
        self._transformer = Transformer(
            tensors,
            f"{prefix}transformer.resblocks.",
            heads=recipe.heads,
            activation=recipe.activation,
            norm_eps=recipe.norm_eps,
        )
        width = self._embedding.shape[-1]
        if self._transformer.width != width or self._positions.shape != (recipe.context_length, width):
            raise TowerUnfit("its transformer is not built as CLIP's")

    @property
    def nbytes(self) -> int:
        """Bytes of weights that are read for each text."""
        others = (self._positions, *self._final, *self._projection.values())
        return self._transformer.nbytes + sum(each.nbytes for each in others)

    @property
    def dim(self) -> int:
        """The dimension of its vectors."""
        if "text_projection" in self._projection:
            return self._projection["text_projection"].shape[1]
        whole = self._projection.get("text_projection.weight")
        return whole.shape[0] if whole else self._embedding.shape[1]

    def tokens(self, text: str) -> list[int]:
        """Return a text's token ids, from the start-of-text to the end-of-text token."""
        return self._tokenizer.ids(text)

    def _pooled(self, text: str) -> list[int]:
        """Return a text's token ids up to the one whose vector is used."""
        ids = self.tokens(text)
        end = max(ids) if self._recipe.end_token is None else self._recipe.end_token
        return ids[: ids.index(end) + 1] if end in ids else ids[:1]

    def encode(self, texts: Sequence[str]) -> Array:
        """Encode texts.  Returns (n, dim) float32, rows of unit length; longer texts are cut at the context length."""
        with self._lock, blas.one_thread():
            rows = [self._encoded(self._pooled(text)) for text in texts]
        return np.stack(rows) if rows else np.empty((0, self.dim), np.float32)

    def _encoded(self, ids: list[int]) -> Array:
        x = self._embedding.rows(ids) + self._positions.rows(range(len(ids)))
        after = np.triu(np.full((len(ids), len(ids)), -np.inf, np.float32), 1)
        x = self._transformer(x, tokens=len(ids), pooled=len(ids) - 1, mask=after)
        (last,) = self._transformer.norm(x, *self._final)
        return unit_rows(self._projected(last))

    def _projected(self, x: Array) -> Array:
        if "text_projection" in self._projection:
            return x @ self._projection["text_projection"].values()
        if "text_projection.weight" in self._projection:
            x = x @ self._projection["text_projection.weight"].values().T
        bias = self._projection.get("text_projection.bias")
        return x if bias is None else x + bias.values()


def _projection(tensors: MappedTensors, prefix: str) -> dict[str, MappedTensor]:
    names = ("text_projection", "text_projection.weight", "text_projection.bias")
    return {name: tensors[prefix + name] for name in names if prefix + name in tensors}
