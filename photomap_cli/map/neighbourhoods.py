"""Owns PaCMAP, which nothing else imports: places that keep neighbours together and what is far apart, apart."""

from __future__ import annotations

import importlib.util
import logging
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NEIGHBOURS = 10
_SEED = 0


def is_installed() -> bool:
    """Whether PaCMAP is here; imports nothing."""
    return importlib.util.find_spec("pacmap") is not None


def positions(vectors: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return a place for each vector, (n, 2); the same for the same vectors."""
    import pacmap

    logging.getLogger("pacmap").setLevel(logging.ERROR)  # it warns of every seed
    reducer = pacmap.PaCMAP(n_neighbors=min(_NEIGHBOURS, (len(vectors) - 1) // 2), random_state=_SEED)
    return np.asarray(reducer.fit_transform(vectors.astype(np.float32)), np.float64)
