"""The drawn scenes: what may be sampled, and that every kind draws."""

import random
from collections import Counter

import numpy as np
from cases import cases
from drawing.picture import draw, make_picture
from drawing.scene import COLOURS, HELD_OUT, KINDS, sample
from PIL import Image

SMALL = (64, 48)


def test_there_are_many_kinds_and_ten_colours() -> None:
    assert len(KINDS) >= 44
    assert len(COLOURS) == 10


@cases("name", KINDS)
def test_every_kind_draws_wide_tall_and_square(name: str) -> None:
    for seed, size in enumerate(((96, 64), (64, 96), (72, 72), (31, 17))):
        picture = make_picture(name, seed=seed, size=size)
        assert (picture.size, picture.mode) == (size, "RGB")
        assert np.asarray(picture).std() > 4, "a picture of nothing"


@cases("name", [k.name for k in KINDS.values() if k.colours])
def test_a_colour_that_is_asked_for_shows(name: str) -> None:
    colours = list(dict.fromkeys(KINDS[name].colours))[:2]
    first, second = (np.asarray(make_picture(name, colour=c, seed=3, size=SMALL), int) for c in colours)
    assert abs(first - second).max() > 40


def test_the_same_seed_gives_the_same_pixels() -> None:
    for name in ("car", "sunset", "cat", "northern lights"):
        first, second = (make_picture(name, seed=5, size=SMALL).tobytes() for _ in range(2))
        assert first == second
        assert make_picture(name, seed=6, size=SMALL).tobytes() != first


def test_a_large_picture_shows_what_the_small_one_does() -> None:
    scene = sample(random.Random(4), kind_name="lighthouse")
    small, large = draw(scene, (160, 120)), draw(scene, (800, 600))
    shrunk = np.asarray(large.resize((160, 120), Image.Resampling.BOX), int)
    assert abs(shrunk - np.asarray(small, int)).mean() < 16


def test_held_out_pairs_are_only_drawn_when_asked_for() -> None:
    rng = random.Random(0)
    sampled = [sample(rng) for _ in range(5000)]
    assert not {(s.kind, s.colour) for s in sampled} & HELD_OUT
    asked = sample(rng, kind_name="car", colour="purple")
    assert (asked.kind, asked.colour) in HELD_OUT


def test_held_out_pairs_name_real_kinds_and_colours_over_several_kinds() -> None:
    assert all(colour in KINDS[kind].colours for kind, colour in HELD_OUT)
    assert len(HELD_OUT) >= 10
    assert len({kind for kind, _ in HELD_OUT}) >= 5


def test_sampling_reaches_every_kind_place_weather_and_time() -> None:
    rng = random.Random(1)
    seen = [sample(rng) for _ in range(4000)]
    assert {s.kind for s in seen} == set(KINDS)
    assert {s.weather for s in seen} >= {"clear", "cloudy", "rain", "snow"}
    assert {s.time for s in seen} >= {"day", "dusk", "night"}
    assert Counter(s.count for s in seen)[2] > 100


def test_there_is_no_weather_indoors() -> None:
    rng = random.Random(2)
    inside = [s for s in (sample(rng) for _ in range(4000)) if s.place in {"room", "table"}]
    assert inside
    assert not any(s.weather or s.time for s in inside)
