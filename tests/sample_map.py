"""A map of three groups, for tests of how maps are shown."""

from __future__ import annotations

import math

from photomap_cli.records.maps import MapCluster, MapPoint, PhotoMap

GROUPS = (("sunset over the sea", 40, 0.2, 0.7, 0.2), ("cat", 25, 0.8, 0.8, 0.15), ("pizza", 9, 0.6, 0.2, 0.1))


def _map():
    points, clusters = [], []
    for number, (name, count, x, y, radius) in enumerate(GROUPS, 1):
        places = [(x + radius * (n / count) ** 0.5 * math.cos(2.4 * n), n) for n in range(count)]
        for across, n in places:
            path = f"/photos/{name}/{n}.jpg"
            points.append(MapPoint(path, across, y + radius * (n / count) ** 0.5 * math.sin(2.4 * n), number))
        clusters.append(MapCluster(number, name, count, (x, y), (f"/photos/{name}/0.jpg",)))
    return PhotoMap("tiny", "groups", 41.2, tuple(clusters), tuple(points))


MAP = _map()
