"""Owns translating `near:`.  The server compares latitudes and longitudes; distances at the edge are computed here."""

from __future__ import annotations

from collections.abc import Callable
from math import pi
from typing import TYPE_CHECKING

from photomap_cli.library.geography import EARTH_METRES, Circle
from photomap_cli.library.shared import circles
from photomap_cli.library.shared.client import MOST_AT_ONCE
from photomap_cli.library.shared.collection import PHOTOS
from photomap_cli.library.shared.expressions import TRAITS, among, any_of, both

if TYPE_CHECKING:
    from photomap_cli.library.shared.collection import Collection, State

STRIPS = (32, 128)
"""How many strips a circle is cut into, and how many if too many photos are at its edge.

Of 71,000 photos in a circle 3,500 are at the edge of 32 strips, and 870 at that of 128, which take the server three
times as long.
"""

ROUGH = (
    "more photos are at the edge of the circle than a shared library compares; near: takes in some up to 1 % farther"
)
_FIELDS = ("photo", "latitude", "longitude")


class NearFilter:
    """Translates circles to conditions; keeps the last ones until the library changes.  Any thread may use it.

    Args:
        collection: the library's.
        tell: called with a notice if a circle can only be approximated.
    """

    def __init__(self, collection: Collection, tell: Callable[[str], None]) -> None:
        self._collection, self._tell = collection, tell
        self._kept: tuple[State | None, dict[Circle, str]] = (None, {})

    def __call__(self, circle: Circle) -> str:
        """Return the condition that a place is in a circle."""
        if circle.metres >= pi * EARTH_METRES:
            return TRAITS["gps"]
        state = self._collection.state
        if state is not self._kept[0]:
            self._kept = state, {}
        kept = self._kept[1]
        if circle not in kept:
            kept[circle] = self._condition(circle)
        return kept[circle]

    def _condition(self, circle: Circle) -> str:
        for count in STRIPS:
            strips = circles.strips(circle, count)
            edge = any_of(circles.edge(strips, circle.longitude))
            inside = circles.inside(strips, circle.longitude)
            found = self._collection.query(both(PHOTOS, edge), _FIELDS)
            if len(found) < MOST_AT_ONCE:
                near = [each["photo"] for each in found if circle.holds(each["latitude"], each["longitude"])]
                return any_of([*inside, *([among("photo", near)] if near else [])])
        self._tell(ROUGH)
        return any_of([*inside, edge])
