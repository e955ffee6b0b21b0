"""Duplicates: copies by their bytes, shots by their vectors, the best first, nothing lost and nothing deleted."""

from __future__ import annotations

import numpy as np
import pytest

from photomap_cli.library.content import digest_at
from photomap_cli.library.duplicates import find
from photomap_cli.records import FilterKind, PhotoFilter

from .fakes import DIM, new_photo, unit_vectors


def like(vector, cosine, seed=0):
    """Return a vector of unit length at just this cosine."""
    other = np.random.default_rng(1000 + seed).normal(size=DIM)
    other -= (other @ vector) * vector
    return (cosine * vector + np.sqrt(1 - cosine**2) * other / np.linalg.norm(other)).astype(np.float32)


@pytest.fixture
def add(catalog):
    def add(path, vector, **facts):
        catalog.commit_batch([new_photo(path, vector, **facts)])

    return add


def paths(groups):
    return [(group.kind, [photo.path for photo in group.photos]) for group in groups]


def test_copies_come_first_then_shots_and_the_best_of_each_leads(catalog, add):
    one, other, third = unit_vectors(3)
    add("/small", like(one, 0.99), width=10, height=10, size_bytes=9)
    add("/large", one, width=20, height=10, size_bytes=50)
    add("/dense", like(one, 0.98, 1), width=20, height=10, size_bytes=40)
    add("/b/copy", other, size_bytes=7, content_hash=b"x" * 16, mtime_ns=2)
    add("/a/copy", other, size_bytes=7, content_hash=b"x" * 16, mtime_ns=1)
    add("/alone", third, size_bytes=7, content_hash=b"y" * 16)
    groups = find(catalog, threshold=0.97)
    assert paths(groups) == [("identical", ["/a/copy", "/b/copy"]), ("similar", ["/large", "/dense", "/small"])]
    assert groups[0].spare_bytes == 7
    assert [photo.score for photo in groups[1].photos] == pytest.approx([1, 0.98, 0.99], abs=2e-3)


def test_only_the_best_copy_stands_beside_other_shots(catalog, add):
    one = unit_vectors(1)[0]
    for name in ("/copy1", "/copy2"):
        add(name, one, size_bytes=5, content_hash=b"x" * 16)
    add("/shot", like(one, 0.99), width=100, height=100, size_bytes=6)
    groups = find(catalog, threshold=0.97)
    assert paths(groups) == [("identical", ["/copy1", "/copy2"]), ("similar", ["/shot", "/copy1"])]
    assert paths(find(catalog, threshold=0.97, only_identical=True)) == paths(groups)[:1]


def test_every_shot_is_like_the_first_of_its_group_also_along_a_chain(catalog, add):
    angles = np.linspace(0, 2.4, 40)  # each like the next, the ends quite different
    for number, angle in enumerate(angles):
        vector = np.zeros(DIM, np.float32)
        vector[:2] = np.cos(angle), np.sin(angle)
        add(f"/{number:02}", vector, width=100 - number, height=1, size_bytes=number)
    groups = find(catalog, threshold=0.97)
    assert len(groups) > 4
    assert all(photo.score >= 0.97 for group in groups for photo in group.photos)
    grouped = [photo.path for group in groups for photo in group.photos]
    assert len(grouped) == len(set(grouped))


def test_at_the_threshold_is_in_and_below_it_is_not(catalog, add):
    one = unit_vectors(1)[0]
    add("/one", one, size_bytes=9)
    add("/near", like(one, 0.981), size_bytes=8)
    add("/far", like(one, 0.96, 4), size_bytes=7)
    assert paths(find(catalog, threshold=0.98)) == [("similar", ["/one", "/near"])]
    assert paths(find(catalog, threshold=0.95)) == [("similar", ["/one", "/near", "/far"])]
    assert find(catalog, threshold=0.999) == []


def test_files_of_an_older_library_are_read_where_their_sizes_are_equal(catalog, add, photos):
    for name, content in {"a": b"same", "b": b"same", "c": b"else"}.items():
        (photos / name).write_bytes(content)
        known = digest_at(str(photos / name)) if name == "a" else None
        add(str(photos / name), unit_vectors(1, seed=ord(name))[0], size_bytes=4, content_hash=known)
    add(str(photos / "gone"), unit_vectors(1, seed=9)[0], size_bytes=4)
    assert paths(find(catalog, threshold=0.97)) == [("identical", [str(photos / "a"), str(photos / "b")])]


def test_scopes_are_added_up_and_nothing_outside_them_is_listed(catalog, add):
    one, other = unit_vectors(2)
    for folder in ("x", "y", "z"):
        add(f"/{folder}/1", one, size_bytes=ord(folder))
        add(f"/{folder}/2", other, size_bytes=ord(folder))
    x, y = (PhotoFilter(FilterKind.IN, folder) for folder in ("/x", "/y"))
    assert find(catalog, [x], threshold=0.97) == []
    both = find(catalog, [x, y], threshold=0.97)
    assert {path for _, group in paths(both) for path in group} == {"/x/1", "/y/1", "/x/2", "/y/2"}


def test_an_empty_library_has_none(catalog):
    assert find(catalog, threshold=0.97) == []
