"""Maps of a library: drawn once, drawn anew when photos change, named by the encoder once."""

from __future__ import annotations

import numpy as np
import pytest
from test_kmeans import heaps

from photomap_cli.errors import EncoderFailed, TooFewPhotos
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.entities import LibraryEncoder, NewPhoto
from photomap_cli.map import builder, labelling, layout, pacmap_layout
from photomap_cli.map.builder import MapBuilder
from photomap_cli.records.maps import PhotoMap

DIM = 24


def photos(sizes, *, start=0):
    vectors, heap = heaps(sizes, dim=DIM, seed=start)
    return [
        NewPhoto(f"/photos/{kind}/{start + number}.jpg", 1, 0, "2023-06-01T10:00:00", 4, 3, None, vector)
        for number, (kind, vector) in enumerate(zip(heap.tolist(), vectors, strict=True))
    ]


class Encoder:
    """Knows three phrases; of the others it makes noise."""

    def __init__(self):
        self.known = {"beach": 0, "cat": 1, "pizza": 2}
        self.asked = []
        self.fails = False

    def __call__(self, texts):
        if self.fails:
            raise EncoderFailed("no weights")
        self.asked += texts
        return np.stack([self._vector(text) for text in texts])

    def _vector(self, text):
        if text in self.known:
            return np.eye(DIM, dtype=np.float32)[self.known[text]]
        noise = np.random.default_rng(len(text)).standard_normal(DIM).astype(np.float32)
        noise[:3] = 0
        return noise / np.linalg.norm(noise)


@pytest.fixture
def catalog(tmp_path):
    with Catalog.open(tmp_path / "library", create=True) as opened:
        opened.set_encoder(LibraryEncoder("fake", DIM, "float32"))
        opened.commit_batch(photos((30, 20, 10)))
        yield opened


@pytest.fixture
def encoder():
    return Encoder()


@pytest.fixture
def drawn_layouts(monkeypatch):
    """The calls of what draws a layout; PaCMAP is not there."""
    calls = []

    def lay_out(rows, *rest):
        calls.append(len(rows))
        return real(rows, *rest)

    real = layout.lay_out
    monkeypatch.setattr(pacmap_layout, "is_installed", lambda: False)
    monkeypatch.setattr(layout, "lay_out", lay_out)
    return calls


@pytest.fixture
def draw(catalog, encoder, drawn_layouts):
    """Return a function that draws a map as a new process would."""

    def draw(rows=None, groups=3):
        maker = MapBuilder(catalog, spec="fake", encode=encoder)
        return maker.draw(catalog.rows() if rows is None else rows, groups)

    return draw


def test_groups_have_names_counts_middles_and_typical_photos(draw):
    drawn = draw()
    assert [(group.id, group.letter, group.name, group.count) for group in drawn.clusters] == [
        (1, "A", "beach", 30),
        (2, "B", "cat", 20),
        (3, "C", "pizza", 10),
    ]
    for group in drawn.clusters:
        members = [point for point in drawn.points if point.cluster == group.id]
        assert {point.path.split("/")[2] for point in members} == {str(group.id - 1)}
        assert set(group.representatives) <= {point.path for point in members}
        assert len(group.representatives) == 9
        assert min(point.x for point in members) < group.centre[0] < max(point.x for point in members)
    assert len(drawn.points) == 60
    assert drawn.method == "groups"
    assert drawn.notices == ()


def test_the_json_comes_back_as_the_same_map(draw):
    drawn = draw()
    again = PhotoMap.from_json(drawn.to_json())
    assert again.to_json() == drawn.to_json()
    assert list(drawn.to_json()) == ["encoder", "method", "count", "elapsed_ms", "clusters", "points"]
    assert list(drawn.to_json()["points"][0]) == ["path", "x", "y", "cluster", "taken_at"]
    assert list(drawn.to_json()["clusters"][0]) == ["id", "letter", "name", "count", "centre", "representatives"]


def test_a_second_map_lays_nothing_out_and_encodes_nothing(draw, encoder, drawn_layouts):
    first = draw()
    assert len(encoder.asked) == len(labelling.phrases())
    second = draw()
    assert len(encoder.asked) == len(labelling.phrases())
    assert drawn_layouts == [60]
    assert (second.clusters, second.points) == (first.clusters, first.points)


def test_new_photos_make_a_new_layout_but_no_new_names(draw, catalog, encoder, drawn_layouts):
    draw()
    catalog.commit_batch(photos((0, 0, 25), start=100), removed_rows=[0])
    drawn = draw()
    assert drawn_layouts == [60, 84]
    assert len(drawn.points) == 84
    assert len(encoder.asked) == len(labelling.phrases())


def test_parts_of_the_library_and_other_numbers_of_groups_have_maps_of_their_own(draw, catalog, drawn_layouts):
    assert len(draw(catalog.rows()[:30]).points) == 30
    assert len(draw(groups=5).clusters) == 5
    assert len(draw(groups=None).clusters) == 8
    assert drawn_layouts == [30, 60, 60]


def test_a_renamed_photo_keeps_its_place_under_its_new_name(draw, catalog, drawn_layouts):
    from photomap_cli.library.entities import FoundAgain

    before = {point.path: point for point in draw().points}
    photo = catalog.photos([7])[0]
    catalog.commit_batch([], found_again=[FoundAgain(7, "/photos/renamed.jpg", 0)])
    after = {point.path: point for point in draw().points}
    assert (after["/photos/renamed.jpg"].x, drawn_layouts) == (before[photo.path].x, [60])


def test_without_an_encoder_groups_are_numbered_and_named_the_next_time(draw, encoder, drawn_layouts):
    encoder.fails = True
    drawn = draw()
    assert [group.name for group in drawn.clusters] == ["group 1", "group 2", "group 3"]
    assert "no weights" in drawn.notices[0]
    encoder.fails = False
    assert draw().clusters[0].name == "beach"
    assert drawn_layouts == [60]


def test_another_set_of_phrases_is_encoded_anew(draw, encoder, monkeypatch):
    draw()
    monkeypatch.setattr(labelling, "phrases", lambda: ("cat", "beach", "pizza", "wine"))
    assert draw().clusters[0].name == "beach"
    assert encoder.asked[-4:] == ["cat", "beach", "pizza", "wine"]


def test_too_few_photos_say_so(draw, catalog):
    with pytest.raises(TooFewPhotos, match="at least 5 photos; there are 4") as caught:
        draw(catalog.rows()[: builder.FEWEST - 1])
    assert caught.value.exit_status == 2
    assert len(draw(catalog.rows()[: builder.FEWEST], groups=50).points) == 5


def test_who_waits_sees_what_goes_on_and_can_stop_between_the_steps(catalog, encoder, drawn_layouts):
    stages = []

    def checkpoint():
        stages.append(maker.stage)
        if len(stages) == 3:
            raise TimeoutError

    maker = MapBuilder(catalog, spec="fake", encode=encoder)
    with pytest.raises(TimeoutError):
        maker.draw(catalog.rows(), 3, checkpoint)
    assert stages[0] == "laying out 60 photos…"
    assert stages[2].startswith("encoding group names, once: 32 of ")
