"""Owns which colour each group of a map has: readable on dark and on light, neighbours never the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from photomap_cli.records.maps import MapCluster

COLOURS = (
    "#3b82f6",
    "#ea8a1f",
    "#22a35a",
    "#e5484d",
    "#9b6bdf",
    "#12a5a5",
    "#e0569d",
    "#9a9a1f",
    "#a9714b",
    "#39a9db",
    "#6fb52c",
    "#8a8f98",
)


def colours(clusters: Sequence[MapCluster]) -> list[str]:
    """Return a colour for each group; where there are more groups than colours, those far apart share one."""
    chosen: list[str] = []
    for cluster in clusters:
        chosen.append(max(COLOURS, key=lambda colour: _room(cluster, colour, clusters, chosen)))
    return chosen


def _room(cluster: MapCluster, colour: str, clusters: Sequence[MapCluster], chosen: Sequence[str]) -> float:
    """Return how far the nearest group of this colour is."""
    users = (clusters[number] for number, taken in enumerate(chosen) if taken == colour)
    return min(((cluster.x - user.x) ** 2 + (cluster.y - user.y) ** 2 for user in users), default=9.0)
