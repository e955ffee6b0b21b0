"""Every filter and its negation, as typed, against a plain reading of what it says, over a library of awkward names."""

import datetime
import fnmatch
import math
import operator
import re
import unicodedata
from fractions import Fraction
from pathlib import PurePosixPath

import numpy as np
import pytest
from awkward_photos import ANY, PHOTOS, VALUES
from cases import cases
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from photomap_cli.errors import BadQuery
from photomap_cli.library import newest
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.entities import LibraryEncoder
from photomap_cli.records import FilterKind
from photomap_cli.search import query_format
from photomap_cli.search.query import parse


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
        case FilterKind.YEAR:
            kept = is_in_range(dated.year, value)
        case FilterKind.MONTH:
            low, _, high = value.replace("-", "..").partition("..")
            is_round = low and high and int(low) > int(high)
            kept = dated.month >= int(low) or dated.month <= int(high) if is_round else is_in_range(dated.month, value)
        case FilterKind.RATING:
            kept = is_in_range(photo.rating or 0, value)
        case FilterKind.SIZE:
            kept = is_of_size(photo, value)
        case FilterKind.KIND:
            kept = photo.kind == value or value == "photo"
        case FilterKind.ORIENTATION:
            ratio = Fraction(photo.width, photo.height)
            kept = {"portrait": ratio < 1, "landscape": ratio > 1, "square": ratio == 1, "panorama": ratio >= 2}[value]
        case FilterKind.HAS:
            kept = has(photo, value)
        case FilterKind.NEAR:
            latitude, longitude, distance = value.split(",")
            metres = (
                float(distance.rstrip("kmi")) * {"km": 1000, "mi": 1609.344, "m": 1}[distance.lstrip("0.123456789")]
            )
            kept = photo.latitude is not None and metres >= metres_between(
                (float(latitude), float(longitude)), (photo.latitude, photo.longitude)
            )
        case FilterKind.EXT:
            alike = {"jpg", "jpeg", "jpe", "jfif"}, {"heic", "heif", "hif"}, {value}
            kept = what_it_is(photo) in next(kind for kind in alike if value in kind)
        case FilterKind.LENS:
            kept = folded(value) in folded(photo.lens or "")
        case FilterKind.CAMERA:
            kept = folded(value) in folded(photo.camera or "")
        case FilterKind.NAME:
            kept = fnmatch.fnmatchcase(folded(path.name), folded(value))
    return kept != condition.negated


def is_in_range(number, written, scale=1):
    """Say whether a number is in a range as it is written, by arithmetic on fractions."""
    if ".." in written:
        low, high = written.split("..")
        return (not low or number >= Fraction(low) * scale) and (not high or number <= Fraction(high) * scale)
    for sign, holds in ((">=", operator.ge), ("<=", operator.le), (">", operator.gt), ("<", operator.lt)):
        if written.startswith(sign):
            return holds(number, Fraction(written.removeprefix(sign)) * scale)
    return number == Fraction(written.removeprefix("=")) * scale


def is_of_size(photo, written):
    unit = written.strip("0123456789.<>=")
    scale = {"mp": 10**6, "px": 1, "gb": 10**9, "mb": 10**6, "kb": 1000, "b": 1}[unit or "mp"]
    number = photo.width * photo.height if unit in ("mp", "px") else photo.size_bytes
    figures = written.replace(unit, "")
    if figures[0] in "<>" or ".." in figures:
        return is_in_range(number, figures, scale)
    decimals = len(figures.lstrip("=").partition(".")[2])
    half = Fraction(scale, 2 * 10**decimals)
    middle = Fraction(figures.lstrip("=")) * scale
    return middle - half <= number < middle + half if half > Fraction(1, 2) else number == middle


def has(photo, what):
    name_says = re.search(r"\d{8}", photo.path)
    known = {"gps": photo.latitude, "date": photo.taken_at or name_says}
    return known.get(what, getattr(photo, what, None)) is not None


def what_it_is(photo):
    """Return the extension of a photo by its content, where that is known and none of its name's kind."""
    named = PurePosixPath(photo.path).suffix.lower()[1:]
    if photo.kind == "raw":
        return photo.extension or named
    family = {"jpg": "jpg", "jpeg": "jpg"}
    return named if photo.extension in ("", family.get(named, named)) else photo.extension


def metres_between(one, other):
    """Return the distance by the angle between two vectors from the middle of the earth."""
    first, second = map(from_the_middle, (one, other))
    across = math.dist((0, 0, 0), np.cross(first, second))
    return 6_371_008.8 * math.atan2(across, float(np.dot(first, second)))


def from_the_middle(place):
    latitude, longitude = map(math.radians, place)
    return math.cos(latitude) * math.cos(longitude), math.cos(latitude) * math.sin(longitude), math.sin(latitude)


def folded(text):
    return unicodedata.normalize("NFC", text).lower()


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


def test_a_caret_negates_letters_as_an_exclamation_mark_does(catalog):
    rows = [catalog.rows(parse(f"dog name:{glob}", cwd="/p").filters).tolist() for glob in ("[^a-m]*", "[!a-m]*")]
    assert rows[0] == rows[1]
    assert 0 < len(rows[0]) < len(PHOTOS)


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
@cases("kind", [FilterKind.IN, FilterKind.EXT, FilterKind.CAMERA, FilterKind.LENS, FilterKind.NAME])
def test_the_database_takes_as_many_filters_as_long_as_the_language_allows(kind, value, catalog):
    (condition,) = parse(f"dog -{kind}:{value}", cwd="/p").filters
    assert 0 < len(catalog.rows([condition] * 100)) <= len(PHOTOS)


@cases(
    ("kind", "value"),
    [
        ("near", "89.999,-179.999,20000km"),
        ("size", "12.19mp"),
        ("month", "11..2"),
        ("year", "1..9999"),
        ("rating", "-1..5"),
        ("has", "date"),
        ("kind", "video"),
        ("orientation", "panorama"),
    ],
)
def test_the_database_takes_a_hundred_of_each_of_the_others(kind, value, catalog):
    (condition,) = parse(f"{kind}:{value}", cwd="/p").filters
    assert catalog.rows([condition] * 100).tolist() == catalog.rows([condition]).tolist()


def test_a_list_is_what_the_filters_keep_newest_first(catalog):
    filters = parse("-has:gps year:>=2020 -ext:png", cwd="/p").filters
    rows = sorted(catalog.rows(filters).tolist(), key=lambda row: (PHOTOS[row].taken_at or "2020", row), reverse=True)
    photos = catalog.newest(filters, limit=1000)
    assert sorted(photo.row for photo in photos) == sorted(rows)
    assert [(photo.dated_at, photo.row) for photo in photos] == sorted(
        ((photo.dated_at, photo.row) for photo in photos), reverse=True
    )


def test_a_photo_at_the_other_side_of_the_date_line_and_of_the_pole_is_near(catalog):
    def places(value):
        found = catalog.photos(catalog.rows(parse(f"near:{value}", cwd="/p").filters))
        return {(PHOTOS[photo.row].latitude, PHOTOS[photo.row].longitude) for photo in found}

    assert places("0,180,1km") == {(0.0, 179.999), (0.0, -179.999)}
    assert places("-16.5,179.95,25km") == {(-16.5, 179.9), (-16.5, -179.9)}
    assert places("90,-77,200m") == {(89.999, 0.0), (89.999, 180.0)}
    assert places("-90,0,2km") == {(-90.0, 45.0), (-89.99, -135.0)}


@pytest.mark.parametrize("looked_at", [1, 7, 60, 154, 1000])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=st.lists(ANY, max_size=3), limit=st.integers(1, 40))
def test_pages_one_after_the_other_are_all_photos_that_meet_the_filters(
    catalog, looked_at, written, limit, monkeypatch
):
    monkeypatch.setattr(newest, "ALONG_THE_INDEX", looked_at)
    filters = parse(" ".join(["dog", *written]), cwd="/p").filters
    seen, place = [], None
    while photos := catalog.newest(filters, limit=limit, behind=place):
        seen += [(photo.dated_at, photo.row) for photo in photos]
        place = seen[-1]
    assert seen == sorted(seen, reverse=True)
    assert sorted(row for _, row in seen) == catalog.rows(filters).tolist()


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(sorted(VALUES)),
    value=st.text(st.sampled_from("0123456789.,-<>=+eEmpkbgdwy*~/ nN\u0662²½\0\u2212")) | st.text(),
)
def test_whatever_a_value_is_it_is_refused_with_its_place_or_the_database_takes_it(catalog, name, value):
    text = f'{name}:"{value}"'
    filters, placed = (), 0
    try:
        filters = parse(text, cwd="/p").filters
    except BadQuery as error:
        placed = error.position
    assert 0 <= placed <= len(text)
    assert len(catalog.newest(filters, limit=1000)) == len(catalog.rows(filters))
