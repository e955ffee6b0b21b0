"""Names: what tells a group from the others, no two the same, each a query that means what it says."""

from __future__ import annotations

import numpy as np
from cases import cases

from photomap_cli.map import labelling
from photomap_cli.search.query import TermKind, parse


def unit(rows):
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


# Axes: picture, cat, dog, sea
WORDS = ("picture", "cat", "dog", "sea", "sea and sky")
TEXTS = unit([[1, 0, 0, 0], [0.2, 1, 0, 0], [0.2, 0, 1, 0], [0.2, 0, 0, 1], [0.2, 0, 0, 1.02]])


def test_what_all_groups_have_in_common_names_none():
    centres = unit([[5, 1, 0, 0], [5, 0, 1, 0], [5, 0, 0, 1]])
    assert labelling.choose(centres, TEXTS, WORDS) == ["cat", "dog", "sea"]


def test_two_groups_of_the_same_kind_get_two_names_and_the_surer_one_the_better():
    centres = unit([[0, 0, 0.1, 1], [0, 0, 0, 1], [0, 1, 0, 0]])
    named = labelling.choose(centres, TEXTS, WORDS)
    assert named[1] == "sea"
    assert named[2] == "cat"
    assert named[0] == "sea and sky"


def test_of_two_phrases_as_near_the_plain_one_is_meant():
    assert labelling.choose(unit([[0, 0, 0, 1], [0, 1, 0, 0]]), TEXTS, WORDS)[0] == "sea"


def test_a_single_group_is_called_by_what_it_is_nearest_to():
    assert labelling.choose(unit([[0.1, 0, 1, 0]]), TEXTS, WORDS) == ["dog"]


def test_every_group_has_a_name_of_its_own_even_of_noise():
    random = np.random.default_rng(1)
    centres, texts = unit(random.standard_normal((52, 16))), unit(random.standard_normal((60, 16)))
    named = labelling.choose(centres, texts, [f"phrase {number}" for number in range(60)])
    assert len(set(named)) == 52


def test_phrases_are_many_and_different():
    assert len(labelling.phrases()) > 500
    assert len(set(labelling.phrases())) == len(labelling.phrases())


@cases("phrase", labelling.phrases())
def test_every_phrase_is_a_query_for_just_that(phrase):
    (term,) = parse(phrase, cwd="/").terms
    assert (term.kind, term.value, term.weight) == (TermKind.TEXT, phrase, 1)
