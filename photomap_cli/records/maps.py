"""Owns a map as it is asked for and drawn, and its JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from string import ascii_letters
from typing import Any

LETTERS = ascii_letters[26:] + ascii_letters[:26]
MOST_CLUSTERS = len(LETTERS)


@dataclass(frozen=True, slots=True)
class MapRequest:
    """One map as it is asked for, in this process or over the socket.

    Attributes:
        cwd: absolute folder that the scope starts from, as in a search.
        folder: only photos below this absolute folder; "*" for the whole library; None for the usual scope.
        filters: filters in the language of queries, such as `after:2023 camera:nikon`; no terms.
        clusters: how many groups; None for as many as the number of photos calls for.
    """

    cwd: str
    folder: str | None = None
    filters: str = ""
    clusters: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the request as JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class MapCluster:
    """One group of photos.

    Attributes:
        id: its number, from 1, the largest group first.
        name: a query that finds such photos.
        count: how many photos.
        x, y: its middle.
        representatives: paths of its most typical photos, the most typical first.
    """

    id: int
    name: str
    count: int
    x: float
    y: float
    representatives: tuple[str, ...]

    @property
    def letter(self) -> str:
        """The group's letter in a plot."""
        return LETTERS[self.id - 1]

    def to_json(self) -> dict[str, Any]:
        """Return the group as JSON values."""
        return {
            "id": self.id,
            "letter": self.letter,
            "name": self.name,
            "count": self.count,
            "centre": [round(self.x, 5), round(self.y, 5)],
            "representatives": list(self.representatives),
        }

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> MapCluster:
        """Rebuild a group from `to_json`."""
        x, y = record["centre"]
        return cls(record["id"], record["name"], record["count"], x, y, tuple(record["representatives"]))


@dataclass(frozen=True, slots=True)
class GroupRequest:
    """The photos of one group as they are asked for: the map as it was asked for, and the group as it was drawn."""

    map: MapRequest
    cluster: MapCluster

    def to_json(self) -> dict[str, Any]:
        """Return the request as JSON values."""
        return {"map": self.map.to_json(), "cluster": self.cluster.to_json()}


@dataclass(frozen=True, slots=True)
class MapPoint:
    """One photo on the map: from 0 to 1, `x` to the right, `y` up.  `cluster` is a group's id."""

    path: str
    x: float
    y: float
    cluster: int
    taken_at: str | None = None


@dataclass(frozen=True, slots=True)
class PhotoMap:
    """Photos laid out in two dimensions.

    Attributes:
        encoder: what made the vectors.
        method: "pacmap", or "groups" where that is not installed.
        elapsed_ms: how long it took to draw, or to read again.
        clusters: the groups, the largest first.
        points: the photos.
        notices: sentences for the user, such as that groups have no names.
    """

    encoder: str
    method: str
    elapsed_ms: float
    clusters: tuple[MapCluster, ...]
    points: tuple[MapPoint, ...]
    notices: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return what `map --json` prints, as JSON values; `notices` only when there are any."""
        record = {
            "encoder": self.encoder,
            "method": self.method,
            "count": len(self.points),
            "elapsed_ms": round(self.elapsed_ms, 1),
            "clusters": [each.to_json() for each in self.clusters],
            "points": [_point_to_json(each) for each in self.points],
        }
        return {**record, "notices": list(self.notices)} if self.notices else record

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> PhotoMap:
        """Rebuild a map from `to_json`."""
        return cls(
            encoder=record["encoder"],
            method=record["method"],
            elapsed_ms=record["elapsed_ms"],
            clusters=tuple(MapCluster.from_json(each) for each in record["clusters"]),
            points=tuple(MapPoint(**each) for each in record["points"]),
            notices=tuple(record.get("notices", ())),
        )


def _point_to_json(point: MapPoint) -> dict[str, Any]:
    # By hand: dataclasses.asdict takes 0.6 s for 100,000 of them.
    return {
        "path": point.path,
        "x": round(point.x, 5),
        "y": round(point.y, 5),
        "cluster": point.cluster,
        "taken_at": point.taken_at,
    }
