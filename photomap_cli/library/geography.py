"""Owns places: circles on the globe as in filters, and great-circle distances.  Pure."""

from __future__ import annotations

import re
from math import asin, cos, degrees, hypot, radians, sin, sqrt
from typing import NamedTuple

EARTH_METRES = 6_371_008.8
"""The mean radius in metres; distances are right to 0.5 %, as the earth isn't a sphere."""

DISTANCE = "metres_between"
"""The name of this function in SQL."""

_UNITS = {"km": 1000.0, "mi": 1609.344, "m": 1.0}
_NUMBER = r"[-+]?\d{1,4}(?:\.\d{1,15})?"
_CIRCLE = re.compile(rf"({_NUMBER}),({_NUMBER}),(\d{{1,8}}(?:\.\d{{1,9}})?|\.\d{{1,9}})([a-z]*)", re.ASCII)


class Circle(NamedTuple):
    """All places within a distance in metres of a place in degrees, north and east positive."""

    latitude: float
    longitude: float
    metres: float

    @property
    def latitudes(self) -> tuple[float, float]:
        """The range of latitudes it covers, with a small margin, up to the poles."""
        reach = degrees(self.metres / EARTH_METRES) * (1 + 1e-9) + 1e-9
        return self.latitude - reach, self.latitude + reach

    def holds(self, latitude: float, longitude: float) -> bool:
        """Return whether a place is inside."""
        return metres_between(self.latitude, self.longitude, latitude, longitude) <= self.metres


def circle(text: str) -> Circle:
    """Parse `48.86,2.35,10km`; the unit may be km, mi or m.  Raises ValueError for anything else."""
    match = _CIRCLE.fullmatch(text)
    if match is None:
        raise ValueError(f"near: takes a latitude, a longitude and a distance, not {text!r}")
    latitude, longitude, unit = float(match[1]), float(match[2]), match[4]
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise ValueError(f"there is no place {match[1]},{match[2]} on the globe")
    if unit not in _UNITS:
        raise ValueError(f"{unit!r} isn't a unit" if unit else f"the distance {match[3]} has no unit")
    metres = float(match[3]) * _UNITS[unit]
    if not metres:
        raise ValueError("a distance of 0 finds nothing")
    return Circle(latitude, longitude, metres)


def metres_between(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Return the great-circle distance between two places in metres; correct at the date line and the poles."""
    north, north_too = radians(latitude), radians(other_latitude)
    half_north, half_east = (north_too - north) / 2, radians(other_longitude - longitude) / 2
    half_chord = hypot(sin(half_north), sqrt(max(0.0, cos(north) * cos(north_too))) * sin(half_east))
    return 2 * EARTH_METRES * asin(min(1.0, half_chord))
