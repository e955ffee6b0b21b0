"""Owns PaCMAP, which nothing else imports: a layout that preserves both local and global structure."""

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
    """Return whether PaCMAP is installed; imports nothing."""
    return importlib.util.find_spec("pacmap") is not None


def positions(vectors: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return coordinates for each vector, (n, 2), deterministically."""
    import numba
    import pacmap

    # Waiting threads spin: on a busy machine 10,000 photos took two threads 46 s, and one 4 s.
    numba.set_num_threads(1)
    logging.getLogger("pacmap").setLevel(logging.ERROR)  # it warns about every seed
    reducer = pacmap.PaCMAP(n_neighbors=min(_NEIGHBOURS, (len(vectors) - 1) // 2), random_state=_SEED)
    return _eased(np.asarray(reducer.fit_transform(vectors.astype(np.float32)), np.float64))


def _eased(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give crowds more room and gaps less: go halfway to an even distribution along each axis.

    Otherwise very similar photos lie in one spot with nothing around them.  The order along each axis stays.
    """
    low, high = places.min(axis=0), places.max(axis=0)
    straight = (places - low) / np.maximum(high - low, 1e-9)
    even = places.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable") / max(len(places) - 1, 1)
    return np.asarray((straight + even) / 2)
