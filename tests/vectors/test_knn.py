"""Pairs of near vectors: all of them in a small library, nearly all in a large one, none that is not near."""

from __future__ import annotations

import numpy as np
import pytest

from photomap_cli.vectors import knn
from photomap_cli.vectors.knn import near

DIM = 64


def bursts(count, *, length=4, seed=0):
    """Return half precision vectors in which each run of `length` is one burst."""
    dice = np.random.default_rng(seed)
    centres = dice.normal(size=(count // length, DIM))
    vectors = np.repeat(centres, length, axis=0) + 0.1 * dice.normal(size=(count // length * length, DIM))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


def plainly(vectors, threshold):
    whole = vectors.astype(np.float32)
    first, second = np.nonzero(whole @ whole.T >= threshold)
    return {(a, b) for a, b in zip(first.tolist(), second.tolist(), strict=True) if a < b}


def pairs(vectors, threshold):
    first, second = near(vectors, threshold)
    return {(min(a, b), max(a, b)) for a, b in zip(first.tolist(), second.tolist(), strict=True)}


@pytest.mark.parametrize("threshold", [0.9, 0.97, 0.985])
def test_a_small_library_is_compared_all_with_all(threshold):
    vectors = bursts(2000)
    assert pairs(vectors, threshold) == plainly(vectors, threshold) != set()


def test_a_large_library_finds_nearly_all_and_nothing_else(monkeypatch):
    monkeypatch.setattr(knn, "EXACT_ROWS", 1000)
    vectors = bursts(6000)
    found, there = pairs(vectors, 0.97), plainly(vectors, 0.97)
    assert found <= there
    assert len(found) >= 0.99 * len(there)


@pytest.mark.parametrize("count", [1, 2])
def test_hardly_any_vectors(count):
    vectors = np.ones((count, DIM), np.float16) / np.float16(8)
    assert pairs(vectors, 0.97) == ({(0, 1)} if count == 2 else set())


def test_it_can_be_given_up():
    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        near(bursts(100), 0.97, stop)
