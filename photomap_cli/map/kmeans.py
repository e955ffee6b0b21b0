"""Owns grouping vectors by spherical k-means, deterministically.  Knows no photos and no names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import faiss
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST, USUAL_MOST = 2, 24
"""Default limits of a map's number of groups."""

SAMPLE = 256  # training vectors per group; with 1,024 the centres of 100,000 vectors moved by less than 0.01
AT_ONCE = 16_384  # rows converted to float32 at a time: 32 MB at 512 dimensions


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """Vectors in groups, the largest group first; none is empty.

    Attributes:
        centres: (groups, dim) float32, of unit length.
        labels: (n,) int64, the group of each vector.
        products: (n, groups) float32, the cosine of each vector to each centre.
    """

    centres: NDArray[np.float32]
    labels: NDArray[np.int64]
    products: NDArray[np.float32]

    @property
    def counts(self) -> NDArray[np.int64]:
        """The number of vectors in each group."""
        return np.bincount(self.labels, minlength=len(self.centres))


def usual_count(vectors: int) -> int:
    """Return the number of groups for `count` vectors; more than one can take in at a glance help nobody."""
    return int(np.clip(round(vectors**0.5), FEWEST, USUAL_MOST))


def cluster(vectors: NDArray[np.floating], count: int) -> Clusters:
    """Group unit vectors, (n, dim) of any precision, into at most `count` groups; fewer if there are copies.

    Spherical k-means by faiss, initialised by k-means++ (Arthur and Vassilvitskii, 2007), the best of five.
    """
    chosen = np.sort(np.random.default_rng(0).permutation(len(vectors))[: SAMPLE * count])
    sample = vectors[chosen].astype(np.float32)
    learnt = faiss.Kmeans(
        vectors.shape[1],
        count,
        spherical=True,
        nredo=5,
        niter=25,
        seed=1,
        min_points_per_centroid=1,
        max_points_per_centroid=SAMPLE,
    )
    learnt.cp.init_method = faiss.ClusteringInitMethod_KMEANS_PLUS_PLUS
    learnt.train(sample)
    labels = products(vectors, np.asarray(learnt.centroids)).argmax(axis=1)
    centres = _sums(vectors, labels, count)  # a final step over all of them
    lengths = np.linalg.norm(centres, axis=1)
    centres = centres[lengths > 0] / lengths[lengths > 0, np.newaxis]
    return _largest_first(centres, products(vectors, centres))


def products(vectors: NDArray[np.floating], centres: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the cosine of every vector to every centre, (n, centres) float32."""
    made = np.empty((len(vectors), len(centres)), np.float32)
    for start in range(0, len(vectors), AT_ONCE):
        piece = slice(start, start + AT_ONCE)
        made[piece] = vectors[piece].astype(np.float32) @ centres.T
    return made


def _sums(vectors: NDArray[np.floating], labels: NDArray[np.int64], count: int) -> NDArray[np.float32]:
    """Return each group's sum, group by group, as a product with a one-hot matrix takes eight times as long."""
    return np.stack([vectors[labels == group].sum(axis=0, dtype=np.float32) for group in range(count)])


def _largest_first(centres: NDArray[np.float32], cosines: NDArray[np.float32]) -> Clusters:
    labels = cosines.argmax(axis=1)
    counts = np.bincount(labels, minlength=len(centres))
    order = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
    rank = np.zeros(len(centres), np.int64)
    rank[order] = np.arange(len(order))
    return Clusters(centres[order], rank[labels], cosines[:, order])
