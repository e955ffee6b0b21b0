"""Owns the arithmetic of a search: term vectors -> one query vector -> rows with scores, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from photomap_cli.errors import BadQuery

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photomap_cli.library.store import Searches
    from photomap_cli.records import PhotoFilter

_SMALLEST_NORM = 1e-4


def combine(vectors: NDArray[np.float32], weights: Sequence[float]) -> NDArray[np.float32]:
    """Sum unit vectors by weight and normalise, so that scores stay cosines.

    Args:
        vectors: (n, dim) float32, rows of unit length.
        weights: n numbers; negative to move away from a row.

    Returns:
        (dim,) float32 of unit length.

    Raises:
        BadQuery: the terms cancel each other out.
    """
    total = np.asarray(weights, dtype=np.float32) @ vectors
    norm = float(np.linalg.norm(total))
    if norm < _SMALLEST_NORM * float(np.abs(weights).sum()):
        raise BadQuery("the terms cancel each other out", hint="give them different weights")
    return np.asarray(total / norm, dtype=np.float32)


def parts(
    vectors: NDArray[np.float32], weights: Sequence[float], photo: NDArray[np.float32]
) -> list[tuple[float, float]]:
    """Return each term's cosine with a photo, (dim,) float32, and its part in the photo's score.

    The score is the cosine of the photo and the normalised sum of the terms, so the parts, weight · cosine / length of
    the sum, add up to it.
    """
    length = float(np.linalg.norm(np.asarray(weights, dtype=np.float32) @ vectors))
    cosines = (vectors @ photo).tolist()
    return [(cosine, weight * cosine / length) for weight, cosine in zip(weights, cosines, strict=True)]


def best(
    vectors: Searches,
    query: NDArray[np.float32],
    *,
    limit: int,
    min_score: float,
    within: Sequence[PhotoFilter],
    without: frozenset[int],
    exact: bool = False,
    checkpoint: Callable[[], None] = lambda: None,
) -> list[tuple[int, float]]:
    """Return the (row, cosine) pairs nearest to `query`, best first.

    Args:
        vectors: where the photos' rows are.
        query: (dim,) float32 of unit length.
        limit: the most results.
        min_score: lowest cosine kept.
        within: only photos that meet all these filters.
        without: never these rows (the query's own images).
        exact: score every row, however many there are.
        checkpoint: an exception from it ends the search before the scan.
    """
    rows, scores = vectors.search(query, limit + len(without), within, exact=exact, checkpoint=checkpoint)
    pairs = zip(rows.tolist(), scores.tolist(), strict=True)
    return [(row, score) for row, score in pairs if row not in without and score >= min_score][:limit]
