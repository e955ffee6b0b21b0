"""Duplicates: copies by their bytes, shots by their vectors, the best first, nothing lost and nothing deleted."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from library_fakes import DIM, FakeEncoder, InProcessDecoder, new_photo, picture, unit_vectors

from photomap_cli.indexing.indexer import Indexer
from photomap_cli.records import FilterKind, PhotoFilter
from photomap_cli.search.near_duplicates import find
from photomap_cli.vectors.local_library import LocalLibrary


def like(vector, cosine, seed=0):
    """Return a vector of unit length at just this cosine."""
    other = np.random.default_rng(1000 + seed).normal(size=DIM)
    other -= (other @ vector) * vector
    return (cosine * vector + np.sqrt(1 - cosine**2) * other / np.linalg.norm(other)).astype(np.float32)


@pytest.fixture
def add(catalog, photos):
    """Return a function that adds a photo and its file; `/a` is `a` in the folder of the photos."""

    def add(name, vector, *, write=True, **facts):
        path = photos / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        facts = {"size_bytes": 1, "mtime_ns": 0, **facts}
        if write:
            path.write_bytes(hashlib.shake_128(name.encode()).digest(facts["size_bytes"]))
            os.utime(path, ns=(0, facts["mtime_ns"]))
            facts |= {"ctime_ns": path.stat().st_ctime_ns, "inode": path.stat().st_ino}
        catalog.commit_batch([new_photo(str(path), vector, **facts)])
        return path

    return add


@pytest.fixture
def paths(photos):
    def paths(groups):
        return [(group.kind, [photo.path.removeprefix(str(photos)) for photo in group.photos]) for group in groups]

    return paths


def test_copies_come_first_then_shots_and_the_best_of_each_leads(catalog, add, paths):
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


def test_only_the_best_copy_stands_beside_other_shots(catalog, add, paths):
    one = unit_vectors(1)[0]
    for name in ("/copy1", "/copy2"):
        add(name, one, size_bytes=5, content_hash=b"x" * 16)
    add("/shot", like(one, 0.99), width=100, height=100, size_bytes=6)
    groups = find(catalog, threshold=0.97)
    assert paths(groups) == [("identical", ["/copy1", "/copy2"]), ("similar", ["/shot", "/copy1"])]
    assert paths(find(catalog, threshold=0.97, only_identical=True)) == paths(groups)[:1]


def test_every_shot_is_like_the_first_of_its_group_also_along_a_chain(catalog, add, paths):
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


def test_at_the_threshold_is_in_and_below_it_is_not(catalog, add, paths):
    one = unit_vectors(1)[0]
    add("/one", one, size_bytes=9)
    add("/near", like(one, 0.981), size_bytes=8)
    add("/far", like(one, 0.96, 4), size_bytes=7)
    assert paths(find(catalog, threshold=0.98)) == [("similar", ["/one", "/near"])]
    assert paths(find(catalog, threshold=0.95)) == [("similar", ["/one", "/near", "/far"])]
    assert find(catalog, threshold=0.999) == []


def test_scopes_are_added_up_and_nothing_outside_them_is_listed(catalog, add, paths, photos):
    one, other = unit_vectors(2)
    for folder in ("x", "y", "z"):
        add(f"/{folder}/1", one, size_bytes=ord(folder))
        add(f"/{folder}/2", other, size_bytes=ord(folder))
    x, y = (PhotoFilter(FilterKind.IN, str(photos / folder)) for folder in ("x", "y"))
    assert find(catalog, [x], threshold=0.97) == []
    both = find(catalog, [x, y], threshold=0.97)
    assert {path for _, group in paths(both) for path in group} == {"/x/1", "/y/1", "/x/2", "/y/2"}


def test_an_empty_library_has_none(catalog):
    assert find(catalog, threshold=0.97) == []


# Which path is a file


@pytest.fixture
def indexed(catalog, store):
    """Return a function that indexes folders and says which files could go, and which are to be kept."""

    def indexed(*folders, again=True, scopes=()):
        if again:
            list(Indexer(LocalLibrary(catalog, store), FakeEncoder, open_pool=InProcessDecoder).run(folders))
        scopes = [PhotoFilter(FilterKind.IN, str(scope)) for scope in scopes]
        groups = find(catalog, scopes, threshold=0.97)
        return [[os.path.relpath(photo.path, folders[0].parent) for photo in group.photos] for group in groups]

    return indexed


def link(kind, path, target):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.hardlink_to(target) if kind == "hard" else path.symlink_to(os.path.relpath(target, path.parent))


@pytest.mark.parametrize("kind", ["hard", "symbolic"])
@pytest.mark.parametrize("several_runs", [False, True])
def test_no_file_is_a_spare_of_itself(indexed, tmp_path, kind, several_runs):
    original = picture(tmp_path / "originals/DSC1.png", 1)
    link(kind, tmp_path / "best/c.png", original)
    roots = original.parent, tmp_path / "best"
    assert [indexed(root) for root in roots][-1] == [] if several_runs else indexed(*roots) == []
    assert indexed(tmp_path, again=several_runs) == []


def test_a_folder_behind_a_link_is_no_copy_of_itself_in_several_runs(indexed, catalog, tmp_path):
    picture(tmp_path / "disk/1.png", 1)
    link("symbolic", tmp_path / "photos/disk", tmp_path / "disk")
    indexed(tmp_path / "photos")
    assert indexed(tmp_path / "disk") == []
    assert catalog.photo_count == 2
    shutil.copy2(tmp_path / "disk/1.png", tmp_path / "disk/longer name.png")
    assert indexed(tmp_path / "disk") == [["disk/1.png", "disk/longer name.png"]]


def test_copies_below_a_linked_folder_alone_are_copies(indexed, tmp_path):
    picture(tmp_path / "disk/1.png", 1)
    shutil.copy2(tmp_path / "disk/1.png", tmp_path / "disk/copy.png")
    link("symbolic", tmp_path / "photos/disk", tmp_path / "disk")
    assert indexed(tmp_path / "photos") == [["photos/disk/1.png", "photos/disk/copy.png"]]


@pytest.mark.parametrize("scoped", [False, True])
def test_the_file_that_a_link_leads_to_is_kept_and_never_a_spare(indexed, tmp_path, scoped):
    original = picture(tmp_path / "p/originals, the long way/DSC1.png", 1)
    copy = tmp_path / "p/a.png"
    shutil.copy2(original, copy)
    os.utime(copy, ns=(0, 0))  # oldest, with the shortest path: else the best to keep
    assert indexed(tmp_path / "p") == [["p/a.png", "p/originals, the long way/DSC1.png"]]
    link("symbolic", tmp_path / "p/best/c.png", original)
    indexed(tmp_path / "p")
    scopes = (original.parent, original.parent.parent / "best") if scoped else ()
    expected = [] if scoped else [["p/originals, the long way/DSC1.png", "p/a.png"]]
    assert indexed(tmp_path / "p", again=False, scopes=scopes) == expected
    link("symbolic", tmp_path / "p/best/d.png", copy)
    assert indexed(tmp_path / "p") == []  # whichever went, a link would lead nowhere


def test_a_shot_that_a_link_leads_to_is_no_spare_of_a_better_one(indexed, tmp_path):
    picture(tmp_path / "p/large.bmp", 1, size=(48, 36))
    small = picture(tmp_path / "p/small.bmp", 1, size=(24, 18))
    assert indexed(tmp_path / "p") == [["p/large.bmp", "p/small.bmp"]]
    link("symbolic", tmp_path / "p/best.bmp", small)
    assert indexed(tmp_path / "p") == []


def test_a_link_to_a_file_elsewhere_is_neither_kept_nor_spare(indexed, tmp_path):
    target = picture(tmp_path / "elsewhere/1.png", 1)
    copy = tmp_path / "p/copy.png"
    copy.parent.mkdir()
    shutil.copy2(target, copy)
    link("symbolic", tmp_path / "p/a.png", target)
    assert indexed(tmp_path / "p") == []


@pytest.mark.parametrize("how", ["gone", "edited", "edited unseen", "unplugged"])
def test_what_is_no_longer_a_copy_makes_no_spare(indexed, tmp_path, how):
    kept = picture(tmp_path / "disk/1.bmp", 1)
    copy = tmp_path / "photos/the copy.bmp"
    copy.parent.mkdir()
    shutil.copy2(kept, copy)
    assert indexed(kept.parent, copy.parent) == [["disk/1.bmp", "photos/the copy.bmp"]]
    before = kept.stat()
    if how == "gone":
        kept.unlink()
    elif how == "unplugged":
        kept.parent.rename(tmp_path / "away")
    else:
        picture(kept, 2)
    if how == "edited unseen":
        os.utime(kept, ns=(0, before.st_mtime_ns))
    assert indexed(kept.parent, copy.parent, again=False) == []


def test_copies_that_were_only_touched_are_copies_still(indexed, tmp_path):
    kept = picture(tmp_path / "p/1.png", 1)
    shutil.copy2(kept, tmp_path / "p/copy.png")
    indexed(tmp_path / "p")
    kept.chmod(0o600)
    assert indexed(tmp_path / "p", again=False) == [["p/1.png", "p/copy.png"]]


def test_of_a_copy_with_two_names_one_is_listed(indexed, tmp_path):
    kept = picture(tmp_path / "p/1.png", 1)
    shutil.copy2(kept, tmp_path / "p/copy.png")
    link("hard", tmp_path / "p/copy too.png", tmp_path / "p/copy.png")
    assert indexed(tmp_path / "p") == [["p/1.png", "p/copy.png"]]


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_moved_away_no_content_and_no_link_is_lost(catalog, store, tmp_path, seed):
    """Files, copies, links of every kind, in folders that are indexed in some order, once or twice."""
    chance = random.Random(seed)
    folders = [tmp_path / "photos" / name for name in ("a", "a/b", "c", "d long name")]
    paths = [picture(folder / f"{number}.png", number) for number, folder in enumerate(folders)]
    for number in range(20):
        path, one = chance.choice(folders) / f"{chance.randrange(9)} {number}.png", chance.choice(paths)
        how = chance.choice([shutil.copy2, shutil.copy, os.link, os.symlink, _relative_link])
        how(one if how is not os.link else one.resolve(), path)
        paths.append(path)
    (folders[2] / "linked").symlink_to(folders[0])
    some = [chance.sample([*folders, tmp_path / "photos"], chance.randrange(1, 4)) for _ in range(chance.randrange(3))]
    for roots in (*some, [tmp_path / "photos"]):
        list(Indexer(LocalLibrary(catalog, store), FakeEncoder, open_pool=InProcessDecoder).run(roots))
    before = {path.read_bytes() for path in paths}
    spare = tmp_path / "spare"
    spare.mkdir()
    groups = find(catalog, threshold=0.97, only_identical=chance.random() < 0.5)
    for number, photo in enumerate(photo for group in groups for photo in group.photos[1:]):
        assert not Path(photo.path).is_symlink()
        Path(photo.path).rename(spare / str(number))
    left = list((tmp_path / "photos").rglob("*.png"))
    assert [path for path in left if not path.exists()] == []
    assert {path.read_bytes() for path in left if not path.is_symlink()} == before


def _relative_link(target, path):
    path.symlink_to(os.path.relpath(target, path.parent))
