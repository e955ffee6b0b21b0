"""A shared library answers as a local one does: both have the same photos, under awkward names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from awkward_photos import ANY, PHOTOS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from library_fakes import similar, unit_vectors
from library_places import SHARED, place_of
from torture import inputs

from photomap_cli.errors import BadQuery
from photomap_cli.library import user_data
from photomap_cli.library.user_data import Member
from photomap_cli.search.query import parse

VECTORS = similar(len(PHOTOS))
QUERIES = np.concatenate([unit_vectors(4, seed=11), similar(4, seed=12)])
ASKED = [
    replace(photo, vector=vector, sides=unit_vectors(2, seed=number) if number % 40 == 0 else None, inode=number)
    for number, (photo, vector) in enumerate(zip(PHOTOS, VECTORS, strict=True))
]


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    with place_of("local", None, tmp_path_factory.mktemp("local") / "library").begun() as library:
        library.writes.commit_batch(ASKED)
        library.searches.refresh()
        yield library


@pytest.fixture(scope="module", params=SHARED)
def shared(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shared") / "library"
    with place_of(request.param, request, folder).begun() as library:
        library.writes.commit_batch(ASKED)
        library.searches.refresh()
        yield library


def paths(library, rows):
    return [photo.path for photo in library.facts.photos(rows)]


def filters(written):
    return parse(" ".join(["dog", *written]), cwd="/p").filters


def asked(library, within):
    """Return what a library says of the photos that meet some filters, or that it cannot say."""
    try:
        return library.facts.count(within), set(paths(library, library.facts.rows(within)))
    except BadQuery as error:
        return error


def agree(shared, local, within):
    """Compare two libraries; a pattern with [...] may be refused, in words."""
    there = asked(shared, within)
    if isinstance(there, BadQuery) and any(each.kind == "name" and "[" in each.value for each in within):
        assert there.hint
        return False
    assert there == asked(local, within)
    return True


@settings(max_examples=inputs(30, 2000), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(ANY, min_size=1, max_size=4))
def test_filters_keep_the_same_photos(shared, local, written):
    agree(shared, local, filters(written))


@pytest.mark.parametrize("exact", [False, True])
def test_the_same_hits_with_the_same_scores(shared, local, exact):
    for query in QUERIES:
        (rows, scores), (own_rows, own_scores) = (
            each.searches.search(query, 25, exact=exact) for each in (shared, local)
        )
        np.testing.assert_allclose(scores, own_scores, atol=1e-3)
        assert_same_order(paths(shared, rows), scores, paths(local, own_rows), own_scores)


@settings(max_examples=inputs(8, 500), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(ANY, min_size=1, max_size=2), st.sampled_from(range(len(QUERIES))), st.sampled_from([1, 10, 500]))
def test_the_same_hits_under_filters(shared, local, written, number, k):
    within = filters(written)
    if not agree(shared, local, within):
        return
    (rows, scores), (own_rows, own_scores) = (
        each.searches.search(QUERIES[number], k, within) for each in (shared, local)
    )
    np.testing.assert_allclose(scores, own_scores, atol=1e-3)
    assert_same_order(paths(shared, rows), scores, paths(local, own_rows), own_scores)


def assert_same_order(found, scores, expected, expected_scores):
    """Photos may change places where their scores are the same to a thousandth."""
    expected_at = dict(zip(expected, expected_scores.tolist(), strict=True))
    last = expected_scores[-1] if len(expected_scores) else 0
    for path, score in zip(found, scores.tolist(), strict=True):
        assert expected_at.get(path, last) == pytest.approx(score, abs=1e-3)
    assert len(found) == len(set(found))


@settings(max_examples=inputs(6, 300), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(ANY, max_size=2), st.integers(1, 60))
def test_pages_of_the_newest_are_the_same_dates_and_photos(shared, local, written, limit):
    within = filters(written)
    if not agree(shared, local, within):
        return
    there, here = (pages(library, within, limit) for library in (shared, local))
    assert [date for date, _ in there] == [date for date, _ in here]
    assert sorted(there) == sorted(here)


def pages(library, within, limit):
    found, behind = [], None
    while photos := library.facts.newest(within, limit=limit, behind=behind):
        found += [(photo.dated_at, photo.path) for photo in photos]
        behind = photos[-1].dated_at, photos[-1].row
    return found


def test_each_photo_has_the_same_facts(shared, local):
    for photo in ASKED[::7]:
        there, here = shared.facts.photo_at(photo.path), local.facts.photo_at(photo.path)
        assert replace(there, row=0) == replace(here, row=0)
        assert shared.facts.details(photo.path) == local.facts.details(photo.path)
        assert (
            shared.writes.seen_files(photo.path)[photo.path][1:] == local.writes.seen_files(photo.path)[photo.path][1:]
        )
        np.testing.assert_allclose(
            shared.facts.vectors([there.row])[there.row], local.facts.vectors([here.row])[here.row], atol=1e-3
        )


def test_the_sides_of_panoramas_are_the_same(shared, local):
    by_path = [
        {paths(library, [row])[0]: sides for row, sides in library.facts.sides(library.facts.rows().tolist()).items()}
        for library in (shared, local)
    ]
    assert by_path[0].keys() == by_path[1].keys()
    assert len(by_path[0]) > 3
    for path, sides in by_path[0].items():
        np.testing.assert_allclose(sides, by_path[1][path], atol=1e-3)


def test_what_filters_can_name_is_the_same(shared, local):
    there, here = shared.facts.facets(), local.facts.facets()
    for name in ("cameras", "extensions", "months", "folders", "lenses"):
        assert sorted(getattr(there, name)) == sorted(getattr(here, name)), name


def test_an_album_is_a_filter(shared, local):
    members = [Member(photo.path) for photo in ASKED[5:25]]
    for library in (shared, local):
        user_data.add(library.facts.folder, "Best of", members)
    within = parse('dog album:"best of"', cwd="/p").filters
    assert asked(shared, within) == asked(local, within) == (20, {each.path for each in members})
    negated = parse('dog -album:"Best of" in:/p', cwd="/p").filters
    assert asked(shared, negated) == asked(local, negated)
    assert len(shared.searches.search(QUERIES[0], 100, within)[0]) == 20
    with pytest.raises(BadQuery):
        shared.facts.count(parse("dog album:other", cwd="/p").filters)
