"""Owns colours that can be read on dark and on light: those of words, and which one each group of a map has."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from photomap_cli.records.maps import MapCluster

ACCENT, GOOD, NOTE = "#0b9a9a", "#1f9a54", "#a87400"
"""Words have a contrast of 3.4 and more with white and with black.  The terminal's own cyan, green and yellow, which
these become where it has 16 colours, have 1.3 to 2.2 with white."""
ON_PAPER = {"cyan": ACCENT, "green": GOOD, "yellow": NOTE, "white": ""}
"""For the colours of the bar, which has a dark background of its own, where there is none.  They must not be the same:
Rich keeps the codes that a style had at its first use, and the bar is drawn in 16 colours."""
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
    return min((math.dist(cluster.centre, user.centre) for user in users), default=9.0)
