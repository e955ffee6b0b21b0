"""Places: groups part from each other, similar ones are near, what is typical is in the middle."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from test_kmeans import heaps

from photomap_cli.map import cluster_layout, layout, pacmap_layout
from photomap_cli.map.kmeans import cluster


def unit(rows):
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


@pytest.fixture
def without_pacmap(monkeypatch):
    monkeypatch.setattr(pacmap_layout, "is_installed", lambda: False)


def test_discs_of_different_groups_do_not_overlap_and_have_their_share_of_the_area():
    vectors, _ = heaps((120, 60, 30, 15, 15), spread=0.8)
    found = cluster(vectors, 5)
    places = cluster_layout.positions(found)
    middles = np.stack([places[found.labels == group].mean(axis=0) for group in range(5)])
    radii = np.sqrt(found.counts / found.counts.sum())
    for group in range(5):
        away = np.linalg.norm(places[found.labels == group] - middles[group], axis=1)
        assert away.max() < 1.3 * radii[group]
    between = np.linalg.norm(middles[:, None] - middles, axis=2) + 9 * np.eye(5)
    assert (between > radii[:, None] + radii).all()


def test_similar_groups_are_nearer_to_each_other_than_others():
    directions = unit([[1, 0.0, 0.9, 0], [1, 0.0, -0.1, 0.9], [-1, 1, 0, 0], [-1, 0.8, 0.5, 0], [-0.5, -1, -1, -1]])
    random = np.random.default_rng(0)
    vectors = unit(np.repeat(directions, 20, axis=0) + 0.05 * random.standard_normal((100, 4)))
    found = cluster(vectors, 5)
    places = cluster_layout.positions(found)
    middles = [places[start : start + 20].mean(axis=0) for start in range(0, 100, 20)]
    nearest = np.linalg.norm(np.array(middles)[:, None] - middles, axis=2).argsort(axis=1)[:, 1:3]
    assert 3 in nearest[2]
    assert 2 in nearest[3]
    assert 1 in nearest[0]


def test_the_most_typical_photo_is_in_the_middle_and_a_doubtful_one_leans_to_the_other_group():
    doubtful = [[1, 0.7, 0], [1, -0.1, 0.5]]
    vectors = unit([[1, 0.01 * n, 0.02] for n in range(9)] + doubtful + [[0, 1, 0.01 * n] for n in range(8)])
    found = cluster(vectors, 2)
    places = cluster_layout.positions(found)
    own, other = places[:11].mean(axis=0), places[11:].mean(axis=0)
    away = np.linalg.norm(places[:11] - own, axis=1)
    assert away.argmax() in (9, 10)
    to_other = np.linalg.norm(places[:11] - other, axis=1)
    assert to_other[9] < to_other[10]


def test_places_fill_the_unit_square_in_true_proportion(without_pacmap):
    vectors, _ = heaps((40, 30, 20))
    drawn = layout.lay_out(np.arange(90) * 3, vectors, 3, layout.method(90))
    assert drawn.places.min() == 0
    assert drawn.places.max() == 1
    assert (drawn.places.min(axis=0) + drawn.places.max(axis=0)) == pytest.approx([1, 1], abs=1e-5)


def test_typical_photos_are_rows_of_the_library_nearest_to_the_centre():
    vectors, heap = heaps((20, 4))
    rows = np.arange(24) * 10 + 5
    drawn = layout.lay_out(rows, vectors, 2, "groups")
    assert set(drawn.typical[0]) <= set(rows[heap == 0])
    best = (vectors.astype(np.float32) @ drawn.centres[0]).argmax()
    assert drawn.typical[0, 0] == rows[best]
    assert drawn.typical[1].tolist()[4:] == [-1] * 5


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_map_of_very_few_groups_is_a_map(count):
    vectors, _ = heaps((8,) * count)
    drawn = layout.lay_out(np.arange(8 * count), vectors, count, "groups")
    assert np.isfinite(drawn.places).all()
    assert len(np.unique(drawn.places, axis=0)) == 8 * count


def test_copies_do_not_lie_on_each_other():
    drawn = layout.lay_out(np.arange(12), np.tile(np.eye(8, dtype=np.float16)[0], (12, 1)), 4, "groups")
    assert len(np.unique(drawn.places, axis=0)) == 12


def test_pacmap_gets_the_vectors_and_a_seed_where_it_is_installed(monkeypatch):
    seen = {}

    class PaCMAP:
        def __init__(self, **options):
            seen.update(options)

        def fit_transform(self, vectors):
            seen["vectors"] = vectors
            return vectors[:, :2]

    monkeypatch.setitem(sys.modules, "pacmap", SimpleNamespace(PaCMAP=PaCMAP, __spec__=object()))
    monkeypatch.setitem(sys.modules, "numba", SimpleNamespace(set_num_threads=lambda count: seen.update(threads=count)))
    vectors, _ = heaps((20, 20))
    assert layout.method(40) == "pacmap"
    drawn = layout.lay_out(np.arange(40), vectors, 2, "pacmap")
    assert seen["vectors"].dtype == np.float32
    assert (seen["n_neighbors"], seen["random_state"], seen["threads"]) == (10, 0, 1)
    assert drawn.labels.tolist() == cluster(vectors, 2).labels.tolist()
    assert layout.method(layout.NEIGHBOURHOODS_MOST + 1) == "groups"


def test_the_real_pacmap_keeps_heaps_apart_and_repeats_itself():
    pytest.importorskip("pacmap", reason="no layout by PaCMAP: pip install -e .[map]")
    vectors, heap = heaps((60, 60, 60))
    places = pacmap_layout.positions(vectors)
    middles = np.stack([places[heap == each].mean(axis=0) for each in range(3)])
    nearest = np.linalg.norm(places[:, None] - middles, axis=2).argmin(axis=1)
    assert (nearest == heap).mean() > 0.95
    assert pacmap_layout.positions(vectors).tobytes() == places.tobytes()


def test_crowded_places_get_room_and_keep_their_order():
    places = np.array([[0.0, 3], [0.001, 2], [0.002, 1], [100, 0]])
    eased = pacmap_layout._eased(places)
    assert eased.argsort(axis=0).tolist() == places.argsort(axis=0).tolist()
    assert eased[1, 0] - eased[0, 0] > 0.15
    assert eased[3, 0] == 1


def test_discs_of_groups_that_are_nearly_the_same_do_not_overlap_either():
    random = np.random.default_rng(5)
    directions = unit([[1, 0.0, 0, 0], [1, 0.12, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0.12]])
    found = cluster(unit(np.repeat(directions, 20, axis=0) + 0.01 * random.standard_normal((80, 4))), 4)
    assert found.counts.tolist() == [20] * 4
    places = cluster_layout.positions(found)
    middles = np.stack([places[found.labels == group].mean(axis=0) for group in range(4)])
    between = np.linalg.norm(middles[:, None] - middles, axis=2) + 9 * np.eye(4)
    assert between.min() > 2 * 0.5 * 0.95


def test_photos_lean_towards_the_group_that_they_resemble_more_than_their_peers_do():
    random = np.random.default_rng(2)
    spread = unit(np.eye(6)[np.repeat([0, 1, 2], 60)] + 0.25 * random.standard_normal((180, 6)))
    found = cluster(spread, 3)
    places = cluster_layout.positions(found)
    middles = np.stack([places[found.labels == group].mean(axis=0) for group in range(3)])
    for group in range(3):
        own = found.labels == group
        for other in {0, 1, 2} - {group}:
            resembles = found.products[own, other] > np.median(found.products[own, other])
            away = np.linalg.norm(places[own] - middles[other], axis=1)
            assert away[resembles].mean() < away[~resembles].mean()
