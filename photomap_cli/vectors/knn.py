"""Owns finding pairs of similar vectors, all against all, with faiss.  Knows no photos.

It doesn't use the search's index: 100,000 exact searches would take minutes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from photomap_cli import processors
from photomap_cli.vectors.flat_index import faiss

NEIGHBOURS = 16
EXACT_ROWS = 8_000
"""Up to this number every vector is compared with every other, in 1 s; above, with those of the nearest cells."""

_CELLS_LOOKED_AT = 4
_TRAINED_ON_PER_CELL = 64
_AT_ONCE = 4096

Links = tuple[np.ndarray, np.ndarray]


def near(vectors: np.ndarray, threshold: float, checkpoint: Callable[[], None] = lambda: None) -> Links:
    """Return pairs of vectors whose cosine is at least `threshold`, each vector with at most its 16 nearest.

    Args:
        vectors: (n, dim) float16 or float32, rows of unit length.
        threshold: cosine.
        checkpoint: called now and then; what it raises ends the search.

    Returns:
        Two int64 arrays of the same length: the positions of both vectors of each pair.
    """
    library = faiss()
    library.omp_set_num_threads(processors.usable())
    index = _index(library, vectors)
    firsts, seconds = [], []
    for start in range(0, len(vectors), _AT_ONCE):
        checkpoint()
        scores, found = index.search(_whole(vectors[start : start + _AT_ONCE]), NEIGHBOURS + 1)
        here, rank = np.nonzero((scores >= threshold) & (found >= 0))
        firsts.append(here + start)
        seconds.append(found[here, rank])
    first, second = np.concatenate(firsts), np.concatenate(seconds)
    return first[first != second], second[first != second]


def _index(library: Any, vectors: np.ndarray) -> Any:
    """Return an index of all vectors, stored in half precision."""
    count, dim = vectors.shape
    metric, half = library.METRIC_INNER_PRODUCT, library.ScalarQuantizer.QT_fp16
    if count <= EXACT_ROWS:
        index = library.IndexFlatIP(dim)
    else:
        cells = int(2 * math.sqrt(count))
        index = library.IndexIVFScalarQuantizer(library.IndexFlatIP(dim), dim, cells, half, metric, False)
        index.nprobe = _CELLS_LOOKED_AT
        chosen = np.random.default_rng(0).choice(count, min(count, _TRAINED_ON_PER_CELL * cells), replace=False)
        index.train(_whole(vectors[np.sort(chosen)]))
    for start in range(0, count, _AT_ONCE):
        index.add(_whole(vectors[start : start + _AT_ONCE]))
    return index


def _whole(vectors: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(vectors, np.float32)
