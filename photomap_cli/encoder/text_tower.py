"""Owns encoding texts without PyTorch: a plain CLIP text transformer in numpy, over the weights as they lie on disk.

Attention is causal, so only the tokens up to the end of the text are computed: 4 to 15 of 77 for what people type.
What remains is reading the weights once.  Whether this is what the library's encoder computes is for `probes` to check;
nothing here is trusted because of its name.
"""

from __future__ import annotations

import threading
from itertools import count
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from photomap_cli.encoder import blas
from photomap_cli.encoder.mapped_tensors import MappedTensors
from photomap_cli.errors import TowerUnfit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from photomap_cli.encoder.bpe import Tokenizer
    from photomap_cli.encoder.mapped_tensors import MappedTensor
    from photomap_cli.encoder.text_recipe import TextRecipe

    Array = NDArray[np.float32]

_PREFIXES = ("", "text.")  # as open_clip stores a CLIP, and one whose text tower is a part of its own
_BLOCK = (
    *("ln_1.weight", "ln_1.bias", "attn.in_proj_weight", "attn.in_proj_bias"),
    *("attn.out_proj.weight", "attn.out_proj.bias", "ln_2.weight", "ln_2.bias"),
    *("mlp.c_fc.weight", "mlp.c_fc.bias", "mlp.c_proj.weight", "mlp.c_proj.bias"),
)


class TextTower:
    """A text transformer over the mapped weights.  Any thread; one text at a time.

    Args:
        path: the weights, in a safetensors file.
        recipe: the rest of what there is to know.
        tokenizer: made for the same recipe.

    Raises TowerUnfit where the file holds no plain CLIP text transformer; OSError where it cannot be read.
    """

    def __init__(self, path: Path, recipe: TextRecipe, tokenizer: Tokenizer) -> None:
        self.path, self._recipe, self._tokenizer, self._lock = path, recipe, tokenizer, threading.Lock()
        self._act = _activation(recipe.activation)
        tensors = MappedTensors(path)
        prefix = next((each for each in _PREFIXES if f"{each}token_embedding.weight" in tensors), None)
        if prefix is None or f"{prefix}cls_emb" in tensors:
            raise TowerUnfit("its text transformer is of another kind than CLIP's")
        self._embedding = tensors[f"{prefix}token_embedding.weight"]
        self._positions = tensors[f"{prefix}positional_embedding"]
        self._final = tensors[f"{prefix}ln_final.weight"], tensors[f"{prefix}ln_final.bias"]
        self._projection = _projection(tensors, prefix)
        self._blocks = _blocks(tensors, f"{prefix}transformer.resblocks.")
        self._require_sense()

    @property
    def nbytes(self) -> int:
        """The bytes of the weights that every text reads."""
        blocks = sum(each.nbytes for block in self._blocks for each in block.values())
        return blocks + sum(each.nbytes for each in (self._positions, *self._final, *self._projection.values()))

    @property
    def dim(self) -> int:
        """The length of its vectors."""
        if "text_projection" in self._projection:
            return self._projection["text_projection"].shape[1]
        whole = self._projection.get("text_projection.weight")
        return whole.shape[0] if whole else self._embedding.shape[1]

    def tokens(self, text: str) -> list[int]:
        """Return a text's tokens, from the start to the end of text."""
        return self._tokenizer.ids(text)

    def _pooled(self, text: str) -> list[int]:
        """Return a text's tokens up to the one whose vector stands for it."""
        ids = self.tokens(text)
        end = max(ids) if self._recipe.end_token is None else self._recipe.end_token
        return ids[: ids.index(end) + 1] if end in ids else ids[:1]

    def encode(self, texts: Sequence[str]) -> Array:
        """Encode texts.  Returns (n, dim) float32, rows of unit length; longer texts are cut at the context length."""
        with self._lock, blas.one_thread():
            rows = [self._encoded(self._pooled(text)) for text in texts]
        return np.stack(rows) if rows else np.empty((0, self.dim), np.float32)

    # One text -------------------------------------------------------------------------------------------------------

    def _encoded(self, ids: list[int]) -> Array:
        x = self._embedding.rows(ids) + self._positions.rows(range(len(ids)))
        after = np.triu(np.full((len(ids), len(ids)), -np.inf, np.float32), 1)
        for block in self._blocks:
            x = self._through(block, x, after)
        (last,) = self._norm(x[-1:], *self._final)
        vector = self._projected(last)
        length = np.linalg.norm(vector)
        if not np.isfinite(length) or length == 0:
            raise TowerUnfit("its vectors are not finite")
        return (vector / length).astype(np.float32)

    def _through(self, block: dict[str, MappedTensor], x: Array, after: Array) -> Array:
        """Return what a block makes of a text's tokens: (tokens, width)."""
        y = self._norm(x, block["ln_1.weight"], block["ln_1.bias"])
        y = y @ block["attn.in_proj_weight"].values().T + block["attn.in_proj_bias"].values()
        x = x + _linear(_attended(y, self._recipe.heads, after), block, "attn.out_proj")
        y = self._norm(x, block["ln_2.weight"], block["ln_2.bias"])
        return x + _linear(self._act(_linear(y, block, "mlp.c_fc")), block, "mlp.c_proj")

    def _norm(self, x: Array, weight: MappedTensor, bias: MappedTensor) -> Array:
        centred = x - x.mean(-1, keepdims=True)
        variance = (centred * centred).mean(-1, keepdims=True)
        normed: Array = centred / np.sqrt(variance + np.float32(self._recipe.norm_eps))
        return normed * weight.values() + bias.values()

    def _projected(self, x: Array) -> Array:
        if "text_projection" in self._projection:
            return x @ self._projection["text_projection"].values()
        if "text_projection.weight" in self._projection:
            x = x @ self._projection["text_projection.weight"].values().T
        bias = self._projection.get("text_projection.bias")
        return x if bias is None else x + bias.values()

    def _require_sense(self) -> None:
        width, context = self._embedding.shape[-1], self._recipe.context_length
        is_wide = all(block["attn.in_proj_weight"].shape == (3 * width, width) for block in self._blocks)
        if not (self._blocks and is_wide and self._positions.shape == (context, width)) or width % self._recipe.heads:
            raise TowerUnfit("its text transformer is not built as CLIP's")


def _blocks(tensors: MappedTensors, prefix: str) -> list[dict[str, MappedTensor]]:
    """Return the tensors of each block.  Raises TowerUnfit where there are others than a plain block has."""
    names = {name.removeprefix(prefix) for name in tensors.names if name.startswith(prefix)}
    blocks = []
    for at in count():
        if not any(name.startswith(f"{at}.") for name in names):
            break
        blocks.append({part: tensors[f"{prefix}{at}.{part}"] for part in _BLOCK})
    if len(names) != len(blocks) * len(_BLOCK):
        raise TowerUnfit("its text transformer has more to it than CLIP's")
    return blocks


def _projection(tensors: MappedTensors, prefix: str) -> dict[str, MappedTensor]:
    names = ("text_projection", "text_projection.weight", "text_projection.bias")
    return {name: tensors[prefix + name] for name in names if prefix + name in tensors}


_ERF: tuple[np.float32, ...] = tuple(map(np.float32, (-1.453152027, 1.421413741, -0.284496736, 0.254829592)))


def _linear(x: Array, block: dict[str, MappedTensor], name: str) -> Array:
    y: Array = x @ block[f"{name}.weight"].values().T + block[f"{name}.bias"].values()
    return y


def _attended(qkv: Array, heads: int, after: Array) -> Array:
    """Return each token's mix of the values of itself and those before it; `after` is -inf for the others."""
    tokens, width = len(qkv), qkv.shape[1] // 3
    query, key, value = (part.reshape(tokens, heads, -1).transpose(1, 0, 2) for part in np.split(qkv, 3, -1))
    scores = query @ key.transpose(0, 2, 1) / np.float32(sqrt(width // heads)) + after
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    shares /= shares.sum(-1, keepdims=True)
    mixed: Array = (shares @ value).transpose(1, 0, 2).reshape(tokens, width)
    return mixed


def _activation(name: str) -> Callable[[Array], Array]:
    try:
        return {"gelu": _gelu, "gelu_tanh": _gelu_tanh, "quick_gelu": _quick_gelu}[name]
    except KeyError as error:
        raise TowerUnfit(f"its activation is {name}") from error


def _gelu(x: Array) -> Array:
    share: Array = 1 + _erf(x / np.float32(sqrt(2)))
    return _half(x) * share


def _gelu_tanh(x: Array) -> Array:
    share: Array = 1 + np.tanh(np.float32(sqrt(2 / np.pi)) * (x + np.float32(0.044715) * x * x * x))
    return _half(x) * share


def _quick_gelu(x: Array) -> Array:
    with np.errstate(over="ignore"):  # far below zero the exponential is infinite and the quotient 0, as it should be
        shrunk: Array = x / (1 + np.exp(np.float32(-1.702) * x))
    return shrunk


def _half(x: Array) -> Array:
    half: Array = np.float32(0.5) * x
    return half


def _erf(x: Array) -> Array:
    """Return the error function to 1.5e-7: Abramowitz and Stegun, 7.1.26."""
    size = np.abs(x)
    t: Array = np.reciprocal(np.float32(0.3275911) * size + np.float32(1))
    polynomial: Array = np.full(t.shape, 1.061405429, np.float32)
    for coefficient in _ERF:
        polynomial = polynomial * t + coefficient
    value: Array = np.sign(x) * (1 - polynomial * t * np.exp(-size * size))
    return value
