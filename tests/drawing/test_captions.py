"""The wordings of scenes."""

import random

import pytest
from drawing import picture  # noqa: F401 - registers the kinds
from drawing.captions import FAMILIES, NUMBERS, Caption, article, canonical, caption, fill
from drawing.scene import COLOURS, HELD_OUT, KINDS, Scene, sample


@pytest.mark.parametrize(
    ("words", "with_article"),
    [("car", "a car"), ("orange car", "an orange car"), ("umbrella", "an umbrella"), ("ice cream", "an ice cream")],
)
def test_article(words: str, with_article: str) -> None:
    assert article(words) == with_article


@pytest.mark.parametrize(
    ("noun", "colour", "words"),
    [
        ("{c} car", "red", "red car"),
        ("{c} car", "", "car"),
        ("house with a {c} roof", "blue", "house with a blue roof"),
        ("house with a {c} roof", "orange", "house with an orange roof"),
    ],
)
def test_fill(noun: str, colour: str, words: str) -> None:
    assert fill(noun, colour) == words


def test_a_scene_is_worded_in_many_ways_none_empty() -> None:
    rng = random.Random(0)
    texts = {caption(Scene("car", "red", 2, "road", "snow", "night"), rng).text for _ in range(400)}
    assert len(texts) > 150
    assert all(text.strip() == text and "{" not in text and "  " not in text for text in texts)
    assert any("two red cars" in text for text in texts)
    assert any("in the snow" in text for text in texts)


def test_what_a_caption_states_is_true_of_its_scene() -> None:
    rng = random.Random(1)
    for _ in range(3000):
        scene = sample(rng)
        said = caption(scene, rng)
        assert said.text
        assert said.fits(scene), (said, scene)


def test_a_caption_does_not_fit_another_colour_kind_or_count() -> None:
    said = Caption("two red cars", kind="car", colour="red", count=2)
    assert said.fits(Scene("car", "red", 2, "beach", "rain", "night"))
    assert not said.fits(Scene("car", "blue", 2))
    assert not said.fits(Scene("bus", "red", 2))
    assert not said.fits(Scene("car", "red", 3))


def test_no_caption_states_a_held_out_pair() -> None:
    rng = random.Random(2)
    stated = {(said.kind, said.colour) for said in (caption(sample(rng), rng) for _ in range(8000))}
    assert not stated & HELD_OUT


def test_every_kind_has_a_family_and_a_canonical_wording_of_its_own() -> None:
    assert {k.family for k in KINDS.values()} == set(FAMILIES)
    plain = [canonical(k) for k in KINDS.values()]
    assert len(set(plain)) == len(KINDS)
    assert not any(colour in text.split() for text in plain for colour in COLOURS)


def test_every_count_can_be_said() -> None:
    assert {count for k in KINDS.values() for count in k.counts} <= set(NUMBERS)
