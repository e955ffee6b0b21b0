from itertools import product
from math import erf, sqrt
from typing import ClassVar

import numpy as np
import pytest

from photomap_cli.encoder import blas
from photomap_cli.encoder.transformer import _BLOCK, _BLOCK_SIZE, _SMALL_PRODUCT, Transformer, _activation, _product


@pytest.mark.parametrize("shape", [(0, 4), (1, 1), (3, 5), (2, _BLOCK_SIZE // 2), (3, _BLOCK_SIZE // 2 + 1)], ids=str)
def test_gelu_is_right_whatever_number_of_blocks_it_takes(shape):
    x = np.random.default_rng(1).normal(0, 3, shape).astype(np.float32)
    x.reshape(-1)[-1:] = -1e4
    right = [0.5 * value * (1 + erf(value / sqrt(2))) for value in x.reshape(-1).tolist()]
    assert np.abs(_activation("gelu")(x) - np.reshape(right, shape)).max(initial=0) < 1e-6


class Tensors(dict):
    """Random weights of blocks of width 8, as they are mapped from a file."""

    def __init__(self, blocks):
        random = np.random.default_rng(2)
        shapes = {"attn.in_proj": (24, 8), "attn.out_proj": (8, 8), "mlp.c_fc": (32, 8), "mlp.c_proj": (8, 32)}
        for number, name in product(range(blocks), _BLOCK):
            part, _, kind = name.replace("in_proj_", "in_proj.").rpartition(".")
            shape = shapes.get(part, (8, 8))
            self[f"{number}.{name}"] = Tensor(
                random.normal(0, 1, shape if len(part) > 4 and kind == "weight" else shape[:1])
            )

    @property
    def names(self):
        return list(self)


class Tensor:
    def __init__(self, numbers):
        self.numbers = numbers.astype(np.float32)
        self.shape, self.size = numbers.shape, numbers.size

    def values(self):
        return self.numbers


@pytest.fixture
def transformer():
    return Transformer(Tensors(3), "", heads=2, activation="gelu", norm_eps=1e-5)


@pytest.mark.parametrize("pooled", [0, 4])
@pytest.mark.parametrize("is_causal", [False, True])
def test_the_last_block_computes_only_the_token_that_is_used(transformer, monkeypatch, pooled, is_causal):
    mask = np.triu(np.full((5, 5), -np.inf, np.float32), 1) if is_causal else None
    x = np.random.default_rng(3).normal(0, 1, (3 * 5, 8)).astype(np.float32)
    whole = x
    for block in transformer._blocks:
        whole = transformer._block(block, whole, slice(None), 5, mask)
    rows = []
    act = transformer._act
    monkeypatch.setattr(transformer, "_act", lambda y: rows.append(len(y)) or act(y))
    assert np.allclose(transformer(x, tokens=5, pooled=pooled, mask=mask), whole[pooled::5], rtol=1e-4, atol=1e-4)
    assert rows == [15, 15, 3]


def test_operations_are_counted_as_they_are_made(transformer):
    whole, last = 15 * (24 + 8 + 32 + 32) * 8, 15 * 16 * 8 + 3 * (8 + 8 + 32 + 32) * 8
    attention = 2 * 3 * 5 * 8
    assert 3 * transformer.multiplications(5) == 2 * (whole + 5 * attention) + last + attention


@pytest.mark.parametrize("shape", [(1, 8, 24), (4, 512, 2048), (4, 2048, 512), (9, 500, 1111), (70, 512, 600)], ids=str)
@pytest.mark.parametrize("has_small_products", [False, True])
def test_a_product_is_the_same_however_it_is_made(shape, has_small_products, monkeypatch):
    monkeypatch.setattr(blas, "has_small_products", lambda: has_small_products)
    few, columns, rows = shape
    random = np.random.default_rng(4)
    x, weight = (random.normal(0, 1, each).astype(np.float32) for each in ((few, columns), (rows, columns)))
    weight = np.vstack([weight, weight])[rows // 2 : rows // 2 + rows]
    made = _product(x, weight)
    assert np.allclose(made, x.astype(float) @ weight.T.astype(float), rtol=1e-3, atol=1e-3)
    assert made.dtype == np.float32
    assert made.flags.c_contiguous


class Seen(np.ndarray):
    """Weights that note how many multiplications each product with them takes."""

    products: ClassVar[list[int]] = []

    def __array_ufunc__(self, ufunc, _method, *given, **_named):
        left, right = (np.asarray(each) for each in given)
        self.products.append(left.shape[0] * left.shape[1] * right.shape[1])
        return ufunc(left, right)


def test_a_few_tokens_are_multiplied_in_small_products_where_these_are_faster(monkeypatch):
    x, weight = np.ones((4, 512), np.float32), np.ones((2048, 512), np.float32).view(Seen)
    for has_small_products in (True, False):
        monkeypatch.setattr(blas, "has_small_products", lambda has=has_small_products: has)
        monkeypatch.setattr(Seen, "products", [])
        _product(x, weight)
        assert sum(Seen.products) == 4 * 512 * 2048
        assert (max(Seen.products) <= _SMALL_PRODUCT) is has_small_products
