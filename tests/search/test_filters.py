"""Every filter and its negation, as typed, against a plain reading of what it says, over a library of awkward names."""

import datetime
import fnmatch
import itertools
import random
import unicodedata
from pathlib import PurePosixPath

import numpy as np
import pytest
from cases import cases
from hypothesis import given, settings
from hypothesis import strategies as st

from photomap_cli.library.catalog import Catalog
from photomap_cli.library.entities import LibraryEncoder, NewPhoto
from photomap_cli.records import FilterKind
from photomap_cli.search import query_format
from photomap_cli.search.query import parse

FOLDERS = (
    "/p",
    "/p/Italy",
    "/p/Italy 2",
    "/p/Italy5",
    "/p/Italy/Rome",
    "/p/italy",
    "/p/100%",
    "/p/a_b",
    "/p/axb",
    "/p/Ä",
    "/q",
)
STEMS = ("IMG_1", "img_2", "a[b]c", "a-b", "[!x]", "b*?", "Café", "Cafe\u0301", "x y", "ß", "ΑΣ", "100%", "^a", "]")
EXTENSIONS = ("jpg", "JPG", "jpeg", "Png", "heic")
CAMERAS = (None, "Canon EOS 40D", "canon powershot", "SONY ILCE-7M3", "Ünïcode CAM", "50% grey_card")
TIMES = (None, "2019-12-31T23:59:59", "2020-01-01T00:00:00", "2020-02-29T12:00:00", "2023-06-15T10:22:00")
MTIMES = (0, 1_577_836_800, 1_686_824_520)


def library():
    """Return photos in which every value meets many others."""
    chosen = random.Random(0)
    for folder, stem in itertools.product(FOLDERS, STEMS):
        path = f"{folder}/{stem}.{chosen.choice(EXTENSIONS)}"
        mtime_ns = chosen.choice(MTIMES) * 10**9
        yield NewPhoto(
            path, 1, mtime_ns, chosen.choice(TIMES), 4, 3, chosen.choice(CAMERAS), np.eye(4, dtype=np.float32)[0]
        )


PHOTOS = list(library())


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    with Catalog.open(tmp_path_factory.mktemp("library"), create=True) as opened:
        opened.set_encoder(LibraryEncoder("fake", 4, "float32"))
        opened.commit_batch(PHOTOS)
        yield opened


def meets(photo, condition):
    """Say whether a photo is one that the filter asks for, by Python's own means."""
    path, value = PurePosixPath(photo.path), condition.value
    taken = datetime.datetime.fromisoformat(photo.taken_at) if photo.taken_at else None
    dated = taken or datetime.datetime.fromtimestamp(photo.mtime_ns / 10**9)
    match condition.kind:
        case FilterKind.IN:
            kept = PurePosixPath(value) in path.parents
        case FilterKind.AFTER:
            kept = dated >= datetime.datetime.fromisoformat(value)
        case FilterKind.BEFORE:
            kept = dated < datetime.datetime.fromisoformat(value)
        case FilterKind.EXT:
            alike = {"jpg", "jpeg", "jpe", "jfif"}, {"heic", "heif", "hif"}, {value}
            kept = path.suffix.lower()[1:] in next(kind for kind in alike if value in kind)
        case FilterKind.CAMERA:
            kept = folded(value) in folded(photo.camera or "")
        case FilterKind.NAME:
            kept = fnmatch.fnmatchcase(folded(path.name), folded(value))
    return kept != condition.negated


def folded(text):
    return unicodedata.normalize("NFC", text).lower()


PIECES = st.lists(st.sampled_from([*"*?[]!-^ab1.", "img", "caf", "é", "[a-c]", "[!a]", "J", "ß"]), min_size=1)
VALUES = {
    "in": st.sampled_from([*FOLDERS, "/", "/p/It", "/nowhere", "/P", "italy", "./Italy", "..", "../q/"]),
    "after": st.sampled_from(["2019", "2020", "2020-1", "2020-02-29", "2020-03", "2023-06-15", "2023-06-16", "1970"]),
    "ext": st.sampled_from(["jpg", ".JPG", "jpeg", "png", "HEIC", "j", "pg"]),
    "camera": st.sampled_from(["canon", "CANON eos", "ilce", "Ü", "u", "cam", "%", "_", " ", "none"]),
    "name": PIECES.map("".join) | st.sampled_from([*STEMS, "*.JPG", "cafe\u0301*", "CAFÉ*", "img_?.*", "a[*", "*[b*"]),
}
VALUES["before"] = VALUES["after"]


@pytest.mark.parametrize("negation", ["", "-"])
@pytest.mark.parametrize("name", sorted(VALUES))
def test_a_filter_and_its_negation_keep_what_they_say(catalog, name, negation):
    kept_some = []

    @settings(max_examples=150, deadline=None)
    @given(VALUES[name])
    def check(value):
        (condition,) = parse(f'dog {negation}{name}:"{value}"', cwd="/p").filters
        rows = [row for row, photo in enumerate(PHOTOS) if meets(photo, condition)]
        assert catalog.rows([condition]).tolist() == rows
        kept_some.append(0 < len(rows) < len(PHOTOS))

    check()
    assert any(kept_some)


ANY = st.sampled_from(sorted(VALUES)).flatmap(
    lambda name: st.builds('{}{}:"{}"'.format, st.sampled_from(["", "-"]), st.just(name), VALUES[name])
)


@settings(max_examples=200, deadline=None)
@given(st.lists(ANY, max_size=5))
def test_filters_together_keep_what_all_of_them_keep_in_any_order(catalog, written):
    filters = parse(" ".join(["dog", *written]), cwd="/p").filters
    rows = [row for row, photo in enumerate(PHOTOS) if all(meets(photo, each) for each in filters)]
    assert catalog.rows(filters).tolist() == rows
    assert catalog.rows(filters[::-1]).tolist() == rows
    assert (
        parse(query_format.format(parse("dog " + " ".join(written), cwd="/p"), cwd="/p"), cwd="/p").filters == filters
    )


@cases("value", ["[" * 4096, "*a" * 2048, "\U0001d160" * 4096, "İ" * 4096, "?" * 4096, "%_" * 2048])
@cases("kind", [kind for kind in FilterKind if kind not in (FilterKind.AFTER, FilterKind.BEFORE)])
def test_the_database_takes_as_many_filters_as_long_as_the_language_allows(kind, value, catalog):
    (condition,) = parse(f"dog -{kind}:{value}", cwd="/p").filters
    assert 0 < len(catalog.rows([condition] * 100)) <= len(PHOTOS)
