"""Owns a map's layout: each photo's place and group, and each group's typical photos.  Knows no names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from photomap_cli.map import cluster_layout, kmeans, pacmap_layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

REPRESENTATIVES = 9
NEIGHBOURHOODS_MOST = 250_000
"""Most photos for PaCMAP: 100,000 take some 30 s, growing a little faster than their number."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """A map without names.

    Attributes:
        rows: (n,) int64, the photos, sorted.
        places: (n, 2) float32 from 0 to 1, to the right and up, with equal scale on both axes.
        labels: (n,) int64, the group of each photo.
        centres: (groups, dim) float32 of unit length, the largest group first.
        typical: (groups, up to 9) int64, rows of the photos nearest to each centre, padded with -1.
    """

    rows: NDArray[np.int64]
    places: NDArray[np.float32]
    labels: NDArray[np.int64]
    centres: NDArray[np.float32]
    typical: NDArray[np.int64]


def method(photos: int) -> str:
    """Return the method for `count` photos here: "pacmap", or "groups" if that isn't installed."""
    return "pacmap" if photos <= NEIGHBOURHOODS_MOST and pacmap_layout.is_installed() else "groups"


def lay_out(rows: NDArray[np.int64], vectors: NDArray[np.floating], groups: int, how: str) -> Layout:
    """Lay photos out, deterministically.

    Args:
        rows: (n,) of the catalogue.
        vectors: (n, dim), of unit length.
        groups: the most groups.
        how: the result of `method`.
    """
    found = kmeans.cluster(vectors, groups)
    places = pacmap_layout.positions(vectors) if how == "pacmap" else cluster_layout.positions(found)
    return Layout(rows, _from_0_to_1(places), found.labels, found.centres, _typical(rows, found))


def _from_0_to_1(places: NDArray[np.float64]) -> NDArray[np.float32]:
    """Fit coordinates into the unit square, filling the longer side and centring the other."""
    low, high = places.min(axis=0), places.max(axis=0)
    side = max(float((high - low).max()), 1e-9)
    return np.asarray((places - (low + high) / 2) / side + 0.5, np.float32)


def _typical(rows: NDArray[np.int64], found: kmeans.Clusters) -> NDArray[np.int64]:
    typical = np.full((len(found.centres), REPRESENTATIVES), -1, np.int64)
    for group in range(len(found.centres)):
        members = np.flatnonzero(found.labels == group)
        best = members[np.argsort(-found.products[members, group], kind="stable")[:REPRESENTATIVES]]
        typical[group, : len(best)] = rows[best]
    return typical
