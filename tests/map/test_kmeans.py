"""Groups: the right ones, the same ones every time, none empty."""

from __future__ import annotations

import numpy as np
import pytest

from photomap_cli.map import kmeans
from photomap_cli.map.kmeans import cluster


def heaps(sizes, *, dim=24, spread=0.25, seed=3):
    """Return vectors in heaps around axes far from each other, shuffled, and which heap each is of."""
    random = np.random.default_rng(seed)
    labels = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    vectors = np.eye(dim)[labels] + spread * random.standard_normal((len(labels), dim)) / dim**0.5
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16), labels


def test_heaps_are_found_whole_the_largest_first():
    vectors, heap = heaps((10, 60, 30, 20))
    found = cluster(vectors, 4)
    assert found.counts.tolist() == [60, 30, 20, 10]
    assert [set(heap[found.labels == group]) for group in range(4)] == [{1}, {2}, {3}, {0}]


def test_centres_are_the_directions_of_their_members_means():
    vectors, _ = heaps((40, 30, 20))
    found = cluster(vectors, 3)
    for group, centre in enumerate(found.centres):
        mean = vectors[found.labels == group].astype(np.float32).mean(axis=0)
        assert centre == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)
    assert found.products == pytest.approx(vectors.astype(np.float32) @ found.centres.T, abs=1e-5)


def test_the_same_vectors_get_the_same_groups_to_the_bit():
    vectors, _ = heaps((50, 50, 50, 50), spread=1.5)
    one, other = cluster(vectors, 7), cluster(vectors.copy(), 7)
    assert one.labels.tolist() == other.labels.tolist()
    assert one.centres.tobytes() == other.centres.tobytes()


def test_many_vectors_are_grouped_by_a_sample_and_in_pieces(monkeypatch):
    vectors, heap = heaps((300, 200, 100))
    monkeypatch.setattr(kmeans, "SAMPLE", 20)
    monkeypatch.setattr(kmeans, "AT_ONCE", 64)
    found = cluster(vectors, 3)
    assert found.counts.tolist() == [300, 200, 100]
    assert all(len(set(heap[found.labels == group])) == 1 for group in range(3))


def test_copies_are_one_group_however_many_are_asked_for():
    found = cluster(np.tile(np.eye(8, dtype=np.float16)[0], (12, 1)), 4)
    assert found.counts.tolist() == [12]
    assert found.labels.tolist() == [0] * 12


def test_as_many_groups_as_vectors_are_possible():
    found = cluster(np.eye(6, dtype=np.float16), 6)
    assert sorted(found.labels.tolist()) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(("photos", "groups"), [(5, 2), (100, 10), (576, 24), (200_000, 24)])
def test_the_usual_number_of_groups_grows_with_the_library_and_ends(photos, groups):
    assert kmeans.usual_count(photos) == groups
