"""A panorama is seen three times, and what is nearest of it counts: it is one photo all the same."""

import sqlite3
from contextlib import closing

import numpy as np
import pytest
from library_fakes import DIM, FakeEncoder, InProcessDecoder, new_photo, unit_vectors
from PIL import Image

from photomap_cli.errors import LibraryUnusable
from photomap_cli.images.decode import read
from photomap_cli.images.decode_pool import DecodePool
from photomap_cli.images.preprocess import PixelFit, sides
from photomap_cli.indexing.indexer import Indexer
from photomap_cli.library import compaction
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.entities import FoundFile
from photomap_cli.vectors.local_library import LocalLibrary
from photomap_cli.vectors.store import VectorStore

FIT = PixelFit((16, 16))
COLOURS = ("red", "lime", "blue")
A, B, C, D, E = unit_vectors(5)


def stripes(width, height=40):
    """Return a picture whose thirds are red, green and blue."""
    image = Image.new("RGB", (3, 1))
    for at, colour in enumerate(COLOURS):
        image.putpixel((at, 0), Image.new("RGB", (1, 1), colour).getpixel((0, 0)))
    return image.resize((width, height), Image.Resampling.NEAREST)


def found(store, vector, k=10, rows=None):
    store.refresh()
    photos, scores = store.search_rows(vector, k, rows)
    return [(int(row), pytest.approx(float(score), abs=2e-3)) for row, score in zip(photos, scores, strict=True)]


def hits(store, vector, **more):
    return [row for row, _ in found(store, vector, **more)]


@pytest.mark.parametrize(
    ("size", "seen"),
    [
        ((60, 40), []),
        ((80, 40), []),
        ((40, 400), []),
        ((120, 40), ["red", "blue"]),
        ((600, 40), ["red", "blue"]),
    ],
)
def test_a_panorama_has_two_sides_and_other_pictures_have_none(size, seen):
    made = sides(stripes(*size), FIT)
    assert [each.size for each in made] == [(16, 16)] * len(seen)
    assert [each.getcolors() for each in made] == [Image.new("RGB", (16, 16), colour).getcolors() for colour in seen]


def test_the_sides_come_from_a_decode_process(tmp_path):
    stripes(300).save(tmp_path / "a.png")
    stripes(50).save(tmp_path / "b.png")
    alone = read(tmp_path / "a.png", FIT)
    with DecodePool(thumbnail_px=20) as pool:
        wide, narrow = pool.decode(tmp_path / "a.png", FIT), pool.decode(tmp_path / "b.png", FIT)
    assert [np.array_equal(*each) for each in zip(wide.views, (alone.image, *alone.sides), strict=True)] == [True] * 3
    assert wide.thumbnail.startswith(b"RIFF")
    assert len(narrow.views) == 1


def test_a_panorama_is_found_by_each_of_its_parts_and_is_one_photo(catalog, store, photos):
    stripes(300).save(photos / "wide.png")
    Image.new("RGB", (40, 40), "yellow").save(photos / "other.png")
    encoder = FakeEncoder()
    index = Indexer(LocalLibrary(catalog, store), lambda: encoder, open_pool=InProcessDecoder)
    list(index.run([photos]))
    assert (index.report.added, catalog.photo_count, sum(encoder.batches)) == (2, 2, 4)
    (row,) = [photo.row for photo in catalog.photos(catalog.rows()) if photo.width == 300]
    for colour in COLOURS:
        pixels = np.full((1, 16, 16, 3), Image.new("RGB", (1, 1), colour).getpixel((0, 0)), np.uint8)
        assert found(store, encoder.encode_images(pixels)[0], k=1) == [(row, 1.0)]
    assert len(hits(store, A)) == 2


def test_the_best_of_a_panoramas_vectors_counts_and_equals_come_by_their_rows(catalog, store):
    catalog.commit_batch(
        [new_photo("/b.jpg", B), new_photo("/wide.jpg", A, sides=np.stack([B, C])), new_photo("/c.jpg", C)]
    )
    for vector, first in ((A, [1]), (B, [0, 1]), (C, [1, 2])):
        assert found(store, vector)[: len(first)] == [(row, 1.0) for row in first]
        assert sorted(hits(store, vector)) == [0, 1, 2]
        assert hits(store, vector, k=1) == first[:1]
    expected = max(float(each.astype(np.float16) @ D) for each in (A, B, C))
    assert dict(found(store, D))[1] == expected


def test_a_filter_leaves_panoramas_out_too(catalog, store):
    catalog.commit_batch([new_photo(f"/{at}.jpg", A, sides=np.stack([B, C])) for at in range(3)])
    assert hits(store, B, rows=np.array([2, 0])) == [0, 2]
    assert hits(store, B, rows=np.empty(0, np.int64)) == []


def test_many_panoramas_leave_room_for_the_others(catalog, store):
    catalog.commit_batch([new_photo(f"/{at}.jpg", E, sides=np.stack([A, A])) for at in range(60)])
    catalog.commit_batch([new_photo("/next.jpg", (A + 0.1 * E) / np.linalg.norm(A + 0.1 * E))])
    assert hits(store, A, k=61) == [*range(61)]
    assert hits(store, A, k=5) == [0, 1, 2, 3, 4]


def test_sides_go_with_their_photo(folder, catalog, store, monkeypatch):
    catalog.commit_batch([new_photo("/gone.jpg", D), new_photo("/wide.jpg", A, sides=np.stack([B, C]))])
    catalog.commit_batch([catalog.copy(1, FoundFile("/copy.jpg", 1, 0))])
    assert found(store, B, k=2) == [(1, 1.0), (2, 1.0)]
    monkeypatch.setattr(compaction, "LEAST", 1)
    catalog.commit_batch([], [0])
    catalog.shrink()
    assert found(store, B, k=2) == [(0, 1.0), (1, 1.0)]
    catalog.commit_batch([new_photo("/wide.jpg", A)])
    assert found(store, B, k=1) == [(1, 1.0)]
    with Catalog.open(folder) as another, VectorStore(folder, another) as opened:
        assert found(opened, C, k=1) == [(1, 1.0)]
    assert {row: each.shape for row, each in catalog.sides([1, 2]).items()} == {1: (2, DIM)}
    catalog.clear()
    assert len(catalog.snapshot().panoramas) == 0


def test_sides_of_another_length_are_damage(folder, catalog):
    catalog.commit_batch([new_photo("/wide.jpg", A, sides=np.stack([B, C]))])
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as connection, connection:
        connection.execute("UPDATE side_vectors SET sides = zeroblob(7)")
    with pytest.raises(LibraryUnusable, match="has 7 bytes"):
        catalog.snapshot()
