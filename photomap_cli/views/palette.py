"""Owns colours that are readable on dark and light backgrounds, for words and for a map's groups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from photomap_cli.records.maps import MapCluster

ACCENT, GOOD, NOTE = "#0b9a9a", "#1f9a54", "#a87400"
"""Words have a contrast of at least 3.4 to white and to black.  The terminal's own cyan, green and yellow, which
they become with 16 colours, have 1.3 to 2.2 to white."""
ON_PAPER = {"cyan": ACCENT, "green": GOOD, "yellow": NOTE, "white": ""}
"""Replacements for the bar's colours outside the bar, which has its own dark background.  They must differ from these:
Rich caches a style's codes at its first use, and the bar is drawn in 16 colours."""
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
    """Return a colour for each group; if there are more groups than colours, distant groups share one."""
    chosen: list[str] = []
    for cluster in clusters:
        chosen.append(max(COLOURS, key=lambda colour: _room(cluster, colour, clusters, chosen)))
    return chosen


def _room(cluster: MapCluster, colour: str, clusters: Sequence[MapCluster], chosen: Sequence[str]) -> float:
    """Return the distance to the nearest group of this colour."""
    users = (clusters[number] for number, taken in enumerate(chosen) if taken == colour)
    return min((math.dist(cluster.centre, user.centre) for user in users), default=9.0)
