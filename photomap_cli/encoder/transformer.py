"""Owns the transformer blocks of CLIP's text and image towers, in numpy over memory-mapped weights."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from photomap_cli.encoder import blas
from photomap_cli.errors import TowerUnfit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photomap_cli.encoder.mapped_tensors import MappedTensor, MappedTensors

    Array = NDArray[np.float32]
    Block = dict[str, MappedTensor]

_BLOCK = (
    *("ln_1.weight", "ln_1.bias", "attn.in_proj_weight", "attn.in_proj_bias"),
    *("attn.out_proj.weight", "attn.out_proj.bias", "ln_2.weight", "ln_2.bias"),
    *("mlp.c_fc.weight", "mlp.c_fc.bias", "mlp.c_proj.weight", "mlp.c_proj.bias"),
)


class Transformer:
    """Plain pre-norm residual attention blocks.  Any thread.

    Args:
        tensors: the weights.
        prefix: the beginning of their names, before the block's number.
        heads: attention heads per block.
        activation: "gelu", "gelu_tanh" or "quick_gelu".
        norm_eps: epsilon of the layer norms.

    Raises TowerUnfit if a block has more or fewer parts than CLIP's.
    """

    def __init__(self, tensors: MappedTensors, prefix: str, *, heads: int, activation: str, norm_eps: float) -> None:
        self._heads, self._act, self._norm_eps = heads, _activation(activation), norm_eps
        self._blocks = _blocks(tensors, prefix)
        width = self.width
        is_wide = all(block["attn.in_proj_weight"].shape == (3 * width, width) for block in self._blocks)
        if not self._blocks or not is_wide or width % heads:
            raise TowerUnfit("its transformer isn't built like CLIP's")

    @property
    def width(self) -> int:
        """The dimension of a token's vector."""
        return self._blocks[0]["ln_1.weight"].shape[0] if self._blocks else 0

    @property
    def nbytes(self) -> int:
        """The bytes of the weights."""
        return sum(each.nbytes for block in self._blocks for each in block.values())

    def multiplications(self, tokens: int) -> int:
        """Return the multiplications for this many tokens of one text or picture."""
        pair, mixing = 2 * self.width * self.width, 2 * tokens * self.width  # a token's key and value; its attention
        others = [sum(block[name].size for name in _PRODUCTS) - pair + mixing for block in self._blocks]
        return len(others) * tokens * pair + tokens * sum(others[:-1]) + others[-1]

    def __call__(self, x: Array, *, tokens: int, pooled: int, mask: Array | None = None) -> Array:
        """Run the blocks on some texts or pictures; returns (n, width), of each the token that its vector is made of.

        Args:
            x: (n * tokens, width).
            tokens: the number of tokens of each of the n.
            pooled: the place of that token, the only one that the last block computes.
            mask: (tokens, tokens), added to the attention scores; None for no mask.
        """
        for block in self._blocks[:-1]:
            x = self._block(block, x, slice(None), tokens, mask)
        mask = None if mask is None else mask[pooled]
        return self._block(self._blocks[-1], x, slice(pooled, None, tokens), tokens, mask)

    def _block(self, block: Block, x: Array, used: slice, tokens: int, mask: Array | None) -> Array:
        """Return a block's output for the rows of `x` that are used; they attend to all rows."""
        weight, bias = block["attn.in_proj_weight"].values(), block["attn.in_proj_bias"].values()
        y = self.norm(x, block["ln_1.weight"], block["ln_1.bias"])
        queries = _product(y[used], weight[: self.width]) + bias[: self.width]
        pairs = _product(y, weight[self.width :]) + bias[self.width :]
        x = x[used] + _linear(_attended(queries, pairs, self._heads, tokens, mask), block, "attn.out_proj")
        y = self.norm(x, block["ln_2.weight"], block["ln_2.bias"])
        return x + _linear(self._act(_linear(y, block, "mlp.c_fc")), block, "mlp.c_proj")

    def norm(self, x: Array, weight: MappedTensor, bias: MappedTensor) -> Array:
        """Return the layer norm of each row."""
        centred = x - x.mean(-1, keepdims=True)
        variance = (centred * centred).mean(-1, keepdims=True)
        normed: Array = centred / np.sqrt(variance + np.float32(self._norm_eps))
        return normed * weight.values() + bias.values()


_SMALL_PRODUCT = 10**6  # multiplications
_FEWEST_ROWS = 32

_PRODUCTS = frozenset({"attn.in_proj_weight", "attn.out_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight"})


def unit_rows(rows: Array) -> Array:
    """Return rows of unit length.  Raises TowerUnfit if one is zero or not finite."""
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    if not np.isfinite(lengths).all() or not lengths.all():
        raise TowerUnfit("its vectors are not finite")
    unit: Array = (rows / lengths).astype(np.float32)
    return unit


def _blocks(tensors: MappedTensors, prefix: str) -> list[Block]:
    """Return the tensors of each block.  Raises TowerUnfit if there are others than a plain block has."""
    names = {name.removeprefix(prefix) for name in tensors.names if name.startswith(prefix)}
    blocks = []
    for at in count():
        if not any(name.startswith(f"{at}.") for name in names):
            break
        blocks.append({part: tensors[f"{prefix}{at}.{part}"] for part in _BLOCK})
    if len(names) != len(blocks) * len(_BLOCK):
        raise TowerUnfit("its transformer has parts that CLIP's doesn't")
    return blocks


def _linear(x: Array, block: Block, name: str) -> Array:
    y = _product(x, block[f"{name}.weight"].values())
    y += block[f"{name}.bias"].values()
    return y


def _product(x: Array, weight: Array) -> Array:
    """Return `x @ weight.T`.

    OpenBLAS copies the weights first, unless the product is small; for the few tokens of a query, copying takes longer
    than multiplying.  So they are multiplied by some of the weights' rows at a time, which is 1.5 to 2.5 times as fast
    where OpenBLAS has code for small products.
    """
    rows = _SMALL_PRODUCT // x.size
    if rows < _FEWEST_ROWS or len(x) == 1 or not blas.has_small_products():
        product: Array = x @ weight.T
        return product
    columns = np.ascontiguousarray(x.T)
    parts = [weight[first : first + rows] @ columns for first in range(0, len(weight), rows)]
    return np.ascontiguousarray(np.concatenate(parts).T)


def _attended(queries: Array, pairs: Array, heads: int, tokens: int, mask: Array | None) -> Array:
    """Return each query's mix of the values of the tokens that it attends to, (n * queries, width)."""
    width = queries.shape[1]
    key, value = pairs.reshape(-1, tokens, 2, heads, width // heads).transpose(2, 0, 3, 1, 4)
    query = queries.reshape(len(key), -1, heads, width // heads).transpose(0, 2, 1, 3)
    scores = query @ key.transpose(0, 1, 3, 2) / np.float32(sqrt(width // heads))  # (n, heads, queries, tokens)
    if mask is not None:
        scores += mask
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    shares /= shares.sum(-1, keepdims=True)
    mixed: Array = (shares @ value).transpose(0, 2, 1, 3).reshape(-1, width)
    return mixed


# Activations ------------------------------------------------------------------------------------------------------


_BLOCK_SIZE = 32_768  # numbers whose intermediate results stay in the processor's cache: five times as fast
_ERF: tuple[np.float32, ...] = tuple(map(np.float32, (-1.453152027, 1.421413741, -0.284496736, 0.254829592)))


def _activation(name: str) -> Callable[[Array], Array]:
    try:
        return {"gelu": _gelu, "gelu_tanh": _gelu_tanh, "quick_gelu": _quick_gelu}[name]
    except KeyError as error:
        raise TowerUnfit(f"its activation is {name}") from error


def _gelu(x: Array) -> Array:
    numbers, result = x.reshape(-1), np.empty(x.shape, np.float32)
    for at in range(0, x.size, _BLOCK_SIZE):
        result.reshape(-1)[at : at + _BLOCK_SIZE] = _gelu_of_block(numbers[at : at + _BLOCK_SIZE])
    return result


def _gelu_of_block(x: Array) -> Array:
    """Return x/2 (1 + erf(x/√2)), with the error function to 1.5e-7: Abramowitz and Stegun, 7.1.26."""
    size: Array = np.abs(x)
    t = np.reciprocal(np.float32(0.3275911 / sqrt(2)) * size + np.float32(1))
    rest = np.float32(1.061405429) * t  # of the error function to 1
    for coefficient in _ERF:
        rest += coefficient
        rest *= t
    rest *= np.exp(np.float32(-0.5) * size * size)
    size -= rest * size
    size += x
    size *= np.float32(0.5)
    return size


def _gelu_tanh(x: Array) -> Array:
    share: Array = 1 + np.tanh(np.float32(sqrt(2 / np.pi)) * (x + np.float32(0.044715) * x * x * x))
    half: Array = np.float32(0.5) * x
    return half * share


def _quick_gelu(x: Array) -> Array:
    with np.errstate(over="ignore"):  # far below zero the exponential is infinite and the quotient 0, which is correct
        shrunk: Array = x / (1 + np.exp(np.float32(-1.702) * x))
    return shrunk
