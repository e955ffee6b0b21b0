"""Owns circles on the globe as a server can look for them: strips of latitude, each from west to east.  Pure.

A server compares numbers and computes no distance.  In each strip, some longitudes are certainly inside and some near
the edge; of the photos there the distance decides, which is computed here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import asin, cos, degrees, pi, radians, sin, sqrt
from typing import NamedTuple

from photomap_cli.library.geography import EARTH_METRES, Circle

_ROUNDING, _LEAST = 1e-7, 1e-11  # of a distance, and radians: far more than what rounding takes or adds
_ALL_AROUND = 360 - 1e-9


class Strip(NamedTuple):
    """What a circle has between two latitudes, in degrees.

    Attributes:
        south, north: the latitudes.
        inner: up to this far east and west of the circle's centre everything is inside; 180 for all around.
        outer: beyond this, nothing is inside.
    """

    south: float
    north: float
    inner: float
    outer: float


def strips(circle: Circle, count: int) -> list[Strip]:
    """Divide a circle that doesn't cover the globe into about `count` strips, from south to north."""
    reach = circle.metres / EARTH_METRES
    less, more = reach * (1 - _ROUNDING) - _LEAST, reach * (1 + _ROUNDING) + _LEAST
    middle = radians(circle.latitude)
    found = []
    for south, north in pairwise(_latitudes(middle, reach, more, count)):
        inner = min(_half_width(each, middle, less) for each in (south, north))
        outer = max(_half_width(each, middle, more) for each in (south, north))
        found.append(Strip(degrees(south), degrees(north), degrees(inner), degrees(outer)))
    return found


def _latitudes(middle: float, reach: float, more: float, count: int) -> list[float]:
    """Return the latitudes between strips, in radians; within a strip the circle only widens or only narrows."""
    spread = (middle + more * sin(pi * (at / count - 0.5)) for at in range(count + 1))
    turns = (pi - middle - reach, -pi - middle + reach, *_widest(middle, reach))
    south, north = max(middle - more, -pi / 2), min(middle + more, pi / 2)
    return sorted({south, north, *(each for each in (*spread, *turns) if south < each < north)})


def _widest(middle: float, reach: float) -> Iterator[float]:
    """Yield the latitude at which a circle without a pole in it is widest, or its outside if it has both."""
    across = cos(reach)
    if abs(sin(middle)) < abs(across):
        yield asin(sin(middle) / across)


def _half_width(latitude: float, middle: float, reach: float) -> float:
    """Return how far a circle reaches east and west at a latitude, in radians; by haversines, which round little."""
    apart = (latitude - middle) / 2
    left = sin(reach / 2 + apart) * sin(reach / 2 - apart)
    if left <= 0 or reach <= 0:
        return 0.0
    across = cos(latitude) * cos(middle)
    return 2 * asin(sqrt(left / across)) if left < across else pi


def inside(strips: Sequence[Strip], longitude: float) -> list[str]:
    """Return conditions, one of which a place meets that is certainly in a circle around this longitude."""
    return [_within(each, longitude - each.inner, longitude + each.inner) for each in strips if each.inner > 0]


def edge(strips: Sequence[Strip], longitude: float) -> list[str]:
    """Return conditions, one of which a place meets that is near the edge of the circle, and may be inside."""
    conditions = []
    for each in strips:
        if each.inner <= 0 < each.outer:
            conditions.append(_within(each, longitude - each.outer, longitude + each.outer))
        elif each.inner < each.outer:
            conditions.append(_within(each, longitude - each.outer, longitude - each.inner))
            conditions.append(_within(each, longitude + each.inner, longitude + each.outer))
    return conditions


def _within(strip: Strip, west: float, east: float) -> str:
    """Return the condition that a place is in a strip, from one longitude east to another, beyond 180 too."""
    band = f"latitude >= {strip.south!r} and latitude <= {strip.north!r}"
    if east - west >= _ALL_AROUND:
        return f"({band})"
    turn = 360 if east < -180 else -360 if west > 180 else 0
    west, east = west + turn, east + turn
    if west < -180:
        return f"({band} and (longitude >= {west + 360!r} or longitude <= {east!r}))"
    if east > 180:
        return f"({band} and (longitude >= {west!r} or longitude <= {east - 360!r}))"
    return f"({band} and longitude >= {west!r} and longitude <= {east!r})"
