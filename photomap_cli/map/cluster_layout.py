"""Owns a layout by groups: a disc for each group, similar groups near each other, photos inside their disc.

Inside a disc typical photos are in the middle, and photos that resemble another group lean towards it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photomap_cli.map.kmeans import Clusters

_GOLDEN_ANGLE = np.pi * (3 - 5**0.5)
_GAP = 1.12  # as a share of both radii: far enough apart for the eye
_STRESS_ROUNDS = 200
_PACKING_ROUNDS = 300
_GRAVITY = 0.98


def positions(clusters: Clusters) -> NDArray[np.float64]:
    """Return coordinates for each vector, (n, 2); discs have an area proportional to their group and don't overlap."""
    radii = np.sqrt(clusters.counts / clusters.counts.sum())
    middles = _packed(_spread(clusters.centres), radii)
    placed = np.empty((len(clusters.labels), 2))
    for group, radius in enumerate(radii):
        members = np.flatnonzero(clusters.labels == group)
        inside = _inside(clusters.products[members], group, middles)
        placed[members] = middles[group] + radius * inside
    return placed


def _spread(centres: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return coordinates, (groups, 2), whose distances are as close as possible to those of the centres.

    Starts from classical scaling, then stress majorisation (SMACOF; Borg and Groenen, Modern Multidimensional
    Scaling, chapter 8).
    """
    count = len(centres)
    wanted = np.sqrt(np.maximum(2 - 2 * (centres @ centres.T).astype(np.float64), 0))
    centring = np.eye(count) - 1 / count
    values, vectors = np.linalg.eigh(-0.5 * centring @ wanted**2 @ centring)
    axes = np.argsort(-values, kind="stable")[:2]
    places = np.zeros((count, 2))
    places[:, : len(axes)] = vectors[:, axes] * np.sqrt(np.maximum(values[axes], 0))
    places *= np.where(places.sum(axis=0) < 0, -1, 1)  # an axis has no inherent direction
    for _ in range(_STRESS_ROUNDS):
        ratio = wanted / np.maximum(_distances(places), 1e-9)
        np.fill_diagonal(ratio, 0)
        places = (np.diag(ratio.sum(axis=1)) - ratio) @ places / count
    return places


def _packed(places: NDArray[np.float64], radii: NDArray[np.float64]) -> NDArray[np.float64]:
    """Contract the layout until discs nearly touch, then push overlapping ones apart."""
    angles = _GOLDEN_ANGLE * np.arange(len(places))
    places = places + 1e-6 * np.column_stack((np.cos(angles), np.sin(angles)))  # no two at the same place
    places = places * 3 / max(float(np.abs(places).max()), 1e-3)
    least = _GAP * (radii[:, np.newaxis] + radii)
    np.fill_diagonal(least, 0)
    for left in range(_PACKING_ROUNDS, 0, -1):
        if left > _PACKING_ROUNDS // 4:
            places = places * _GRAVITY
        apart = _distances(places)
        lack = np.maximum(least - apart, 0) / np.maximum(apart, 1e-9)
        away = (lack[..., np.newaxis] * (places[:, np.newaxis] - places)).sum(axis=1)
        places = places + 0.5 * away / np.maximum((lack > 0).sum(axis=1), 1)[:, np.newaxis]
    return places


def _distances(places: NDArray[np.float64]) -> NDArray[np.float64]:
    between: NDArray[np.float64] = np.linalg.norm(places[:, np.newaxis] - places, axis=2)
    return between


def _inside(products: NDArray[np.float32], group: int, middles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return coordinates in a disc of radius 1 for a group's members, evenly spread."""
    count = len(products)
    rank = np.empty(count)
    rank[np.argsort(-products[:, group], kind="stable")] = np.arange(count)
    radius = np.sqrt((rank + 0.5) / count)
    angle = _leaning(products, group, middles) if len(middles) > 1 else _GOLDEN_ANGLE * rank
    return np.asarray(radius[:, np.newaxis] * np.column_stack((np.cos(angle), np.sin(angle))))


def _leaning(products: NDArray[np.float32], group: int, middles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each member's angle: towards the groups that it resembles more than its peers do."""
    others = np.delete(np.arange(len(middles)), group)
    towards = middles[others] - middles[group]
    towards /= np.linalg.norm(towards, axis=1, keepdims=True) ** 2  # near groups count more
    more = products[:, others] - products[:, others].mean(axis=0)
    wanted = np.arctan2(*(more @ towards).T[::-1])
    even = np.empty(len(products))
    even[np.argsort(wanted, kind="stable")] = 2 * np.pi * np.arange(len(products)) / len(products)
    turn = np.angle(np.exp(1j * (wanted - even)).sum())  # evenly spaced, rotated to fit their directions
    return np.asarray(even + turn)
