"""Owns a map's request, its result and their JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from string import ascii_letters

from photomap_cli.records.record import IF_ANY, Record, rounded

LETTERS = ascii_letters[26:] + ascii_letters[:26]
MOST_CLUSTERS = len(LETTERS)


@dataclass(frozen=True, slots=True)
class MapRequest(Record):
    """A request for a map, in this process or over the socket.

    Attributes:
        cwd: absolute folder that the scope starts from, as in a search.
        folder: only photos below this absolute folder; "*" for the whole library; None for the usual scope.
        filters: filters in the language of queries, such as `after:2023 camera:nikon`; no terms.
        clusters: how many groups; None for a number that depends on the photos.
    """

    cwd: str
    folder: str | None = None
    filters: str = ""
    clusters: int | None = None


@dataclass(frozen=True, slots=True)
class MapCluster(Record):
    """A group of photos.

    Attributes:
        id: its number, from 1, the largest group first.
        name: a query that finds such photos.
        count: how many photos.
        centre: its middle, in the coordinates of a `MapPoint`.
        representatives: paths of its most typical photos, the most typical first.
    """

    ALSO = (("letter", "name"),)

    id: int
    name: str
    count: int
    centre: tuple[float, float] = field(metadata=rounded(5))
    representatives: tuple[str, ...]

    @property
    def letter(self) -> str:
        """The group's letter in a plot."""
        return LETTERS[self.id - 1]


@dataclass(frozen=True, slots=True)
class GroupRequest(Record):
    """A request for the photos of a group: the map's request, and the group as drawn."""

    map: MapRequest
    cluster: MapCluster


@dataclass(frozen=True, slots=True)
class MapPoint(Record):
    """A photo on the map: from 0 to 1, `x` to the right, `y` up.  `cluster` is a group's id."""

    path: str
    x: float = field(metadata=rounded(5))
    y: float = field(metadata=rounded(5))
    cluster: int
    taken_at: str | None = None


@dataclass(frozen=True, slots=True)
class PhotoMap(Record):
    """Photos laid out in two dimensions.

    Attributes:
        encoder: what made the vectors.
        method: "pacmap", or "groups" if that isn't installed.
        elapsed_ms: how long it took to draw, or to load.
        clusters: the groups, the largest first.
        points: the photos.
        notices: sentences for the user, such as that groups have no names.
    """

    ALSO = (("count", "elapsed_ms"),)

    encoder: str
    method: str
    elapsed_ms: float = field(metadata=rounded(1))
    clusters: tuple[MapCluster, ...]
    points: tuple[MapPoint, ...]
    notices: tuple[str, ...] = field(default=(), metadata=IF_ANY)

    @property
    def count(self) -> int:
        """How many photos."""
        return len(self.points)
