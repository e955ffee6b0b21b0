"""Strips of latitude never call a place inside a circle that isn't, and leave none out that is; no server is asked."""

from __future__ import annotations

import random
from functools import lru_cache
from math import degrees

import pytest
from cases import cases

from photomap_cli.library import geography
from photomap_cli.library.geography import EARTH_METRES, Circle
from photomap_cli.library.shared import circles, near_filter
from photomap_cli.library.shared.near_filter import ROUGH, NearFilter

CENTRES = [
    (0, 0),
    (48.86, 2.35),
    (0, 180),
    (0, -180),
    (10, 179.99),
    (89.99, 20),
    (90, 0),
    (-90, 0),
    (-89.5, -179),
    (45, 90),
]
METRES = [0.5, 30, 5000, 250_000, 5_003_771, 10_007_557, 10_007_558, 15_000_000, 20_015_000]


@lru_cache(1000)
def _compiled(condition):
    return compile(condition.removeprefix("(part == 0) and "), "condition", "eval")


def meets(conditions, place):
    """Whether a place meets one of some conditions, which Python reads as Milvus does."""
    named = dict(zip(("latitude", "longitude"), place, strict=True))
    return any(eval(_compiled(each), {}, named) for each in conditions)


def places_around(circle, dice):
    """Yield places of all kinds, most of them within a millionth of the edge of a circle."""
    for _ in range(12):
        yield dice.uniform(-90, 90), dice.uniform(-180, 180)
    reach = degrees(circle.metres / EARTH_METRES)
    for _ in range(30):
        latitude = max(-90.0, min(90.0, circle.latitude + dice.uniform(-1, 1) * reach))
        for strip in circles.strips(circle._replace(metres=circle.metres), 8):
            if strip.south <= latitude <= strip.north:
                east = circle.longitude + dice.choice([-1, 1]) * dice.uniform(strip.inner, strip.outer)
                yield latitude, (east + 180) % 360 - 180
    yield from ((circle.latitude, side) for side in (-180.0, 180.0))
    yield from ((pole, 0.0) for pole in (-90.0, 90.0))


@cases("count", [1, 8, 32])
def test_a_place_is_inside_or_at_the_edge_or_neither(count):
    dice = random.Random(count)
    for (latitude, longitude), metres in ((centre, metres) for centre in CENTRES for metres in METRES):
        circle = Circle(latitude, longitude, metres)
        strips = circles.strips(circle, count)
        inside, edge = circles.inside(strips, longitude), circles.edge(strips, longitude)
        for place in places_around(circle, dice):
            if circle.holds(*place):
                assert meets(inside, place) or meets(edge, place), (circle, place)
            else:
                assert not meets(inside, place), (circle, place)


def test_the_edge_gets_thinner_with_more_strips():
    circle = geography.circle("48.86,2.35,10km")
    dice = random.Random(2)
    places = [(48.86 + dice.uniform(-0.09, 0.09), 2.35 + dice.uniform(-0.13, 0.13)) for _ in range(1000)]
    shares = []
    for count in near_filter.STRIPS:
        edge = circles.edge(circles.strips(circle, count), circle.longitude)
        shares.append(sum(meets(edge, place) for place in places) / len(places))
    assert shares[0] < 0.07
    assert shares[1] < shares[0] / 2


class Photos:
    """A collection that has some places, of which it gives so many at most."""

    def __init__(self, places, most):
        self.state, self.asked, self._places, self._most = object(), [], places, most

    def query(self, condition, fields):
        self.asked.append(condition)
        # Python reads the condition as Milvus does.
        found = [
            (at, each)
            for at, each in enumerate(self._places)
            if meets([condition.replace("(part == 0) and ", "")], each)
        ]
        return [{"photo": at, "latitude": place[0], "longitude": place[1]} for at, place in found[: self._most]]


CIRCLE = geography.circle("0,0,10km")
AT_EDGE = [(0.0, degrees(CIRCLE.metres / EARTH_METRES) + away / 1e9) for away in range(-20, 20)]


def test_a_circle_is_looked_up_once_until_the_library_changes():
    photos, told = Photos(AT_EDGE, 1000), []
    near = NearFilter(photos, told.append)
    condition = near(CIRCLE)
    assert near(CIRCLE) == condition
    assert len(photos.asked) == 1
    right = [at for at, place in enumerate(AT_EDGE) if CIRCLE.holds(*place)]
    assert 0 < len(right) < len(AT_EDGE)
    assert f"photo in [{','.join(map(str, right))}]" in condition
    photos.state = object()
    near(CIRCLE)
    assert (len(photos.asked), told) == (2, [])


def test_a_circle_with_too_many_photos_at_its_edge_takes_them_all_and_says_so(monkeypatch):
    monkeypatch.setattr(near_filter, "MOST_AT_ONCE", 30)
    photos, told = Photos(AT_EDGE, 30), []
    condition = NearFilter(photos, told.append)(CIRCLE)
    assert len(photos.asked) == len(near_filter.STRIPS)
    assert told == [ROUGH]
    assert all(meets([condition], place) for place in AT_EDGE if CIRCLE.holds(*place))
    assert not meets([condition], (0.0, 0.091))


def test_all_around_the_globe_needs_no_look():
    photos = Photos([], 1)
    assert NearFilter(photos, pytest.fail)(geography.circle("10,10,20016km")) == "latitude < 999.0"
    assert photos.asked == []
