"""A filter means the same to Milvus as to SQLite: photos and filters of all kinds, hostile texts among them."""

from __future__ import annotations

import random
import sqlite3
import string
from contextlib import closing

import pytest
from cases import cases
from hypothesis import example, given, settings
from hypothesis import strategies as st
from library_fakes import ENCODER, new_photo, unit_vectors

from photomap_cli.library import geography, user_data
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.entities import FoundFile
from photomap_cli.library.shared import address, photo_records, schema
from photomap_cli.library.shared.client import Client
from photomap_cli.library.shared.credentials import Credentials
from photomap_cli.library.shared.expressions import KINDS, NOTHING, SHAPES, TRAITS, Server, where
from photomap_cli.library.shared.near_filter import NearFilter
from photomap_cli.library.shared.roots import Roots
from photomap_cli.library.sql_filters import KINDS as SQL_KINDS
from photomap_cli.library.sql_filters import SHAPES as SQL_SHAPES
from photomap_cli.library.sql_filters import TRAITS as SQL_TRAITS
from photomap_cli.library.sql_filters import glob
from photomap_cli.records import FilterKind, PhotoFilter

NAME = "expressions"
PHOTOS, ALBUM = 300, [1, 2, 3, 7]
ROOTS = Roots({"ar": "/p"}, sep="/")
TEXTS = [
    "a",
    "é",
    "e\u0301",
    "IMG_1",
    "img%1",
    "x[1]",
    "[",
    "]",
    "^",
    "-",
    "b\\c",
    'q"q',
    "n\nl",
    "t\t",
    "😀",
    "\uffff",
]
CAMERAS = [None, "NIKON D90", "Nikon d90", "İx", "100% _x", "ß\\", 'quo"te', "ΑΣ"]
DATES = ["2019-12-31T23:59:59", "2020-01-01T00:00:00", "2020-07-15T12:00:00", "0999-11-01T00:00:00"]
PLACES = [(48.86, 2.35), (0.0, 179.99), (0.0, -179.99), (89.9, 10.0), (-90.0, 0.0), (-33.9, 151.2)]
SIZES = [(4, 3), (3, 4), (5, 5), (40, 20), (39, 20), (6000, 4000)]


def photo(dice, at):
    place = dice.choice([None, *PLACES])
    folder = dice.choice(["", "a/", "a0/", "a/b/", "é/", "e\u0301/", 'q"/', "%/", "b\\c/"])
    name = dice.choice(TEXTS) + dice.choice(["", dice.choice(TEXTS)])
    camera = dice.choice(CAMERAS)
    return new_photo(
        f"/p/{folder}{at % 7}{name}.{dice.choice(['jpg', 'JPEG', 'png', 'dng', 'mov', 'xyz'])}",
        taken_at=dice.choice([None, *DATES]),
        mtime_ns=dice.choice([0, 10**18]),
        size_bytes=dice.choice([1, 499, 500_000, 12_000_000]),
        width=(size := dice.choice(SIZES))[0],
        height=size[1],
        camera=camera,
        lens=dice.choice(CAMERAS),
        latitude=place[0] + dice.uniform(-0.05, 0.05) * (abs(place[0]) < 89) if place else None,
        longitude=place[1] + dice.uniform(-0.005, 0.005) if place else None,
        rating=dice.choice([None, -1, 1, 3, 5]),
        kind=dice.choice(["photo", "video", "raw"]),
        extension=dice.choice(["", "jpg", "heic"]),
    )


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    dice = random.Random(7)
    with Catalog.open(tmp_path_factory.mktemp("catalog"), create=True) as opened:
        opened.set_encoder(ENCODER)
        opened.commit_batch([photo(dice, at) for at in range(PHOTOS)])
        best = [user_data.Member(each.path) for each in opened.photos(ALBUM)]
        user_data.add(opened.folder, "best", best)
        yield opened


@pytest.fixture(scope="module", params=["lite", pytest.param("milvus", marks=pytest.mark.milvus)])
def client(request):
    """Return a client of the stand-in, or of a real server, which cannot find letters in the middle of a text."""
    server = request.getfixturevalue("milvus_lite" if request.param == "lite" else "milvus")
    where = server if request.param == "lite" else server.address
    with closing(Client(address.parse(f"milvus://{where}/photos"), Credentials())) as opened:
        yield opened


@pytest.fixture(scope="module")
def texts(catalog, client):
    """Put the same photos on the server, and return what is in a field there."""
    client.create(NAME, schema.fields(ENCODER.dim, is_half=False), schema.Index("FLAT"), {})
    records = []
    for row in catalog.rows().tolist():
        (found,) = catalog.photos([row])
        stored = ROOTS.stored(found.path)
        (record,) = photo_records.of_photo(catalog.copy(row, file_of(found)), stored, "here")
        vector = photo_records.stored_vector(record["vector"], is_half=False)
        records.append(record | {"row": row, "photo": row, "vector": vector})
    client.upsert(NAME, records)
    yield lambda field: {each[field] for each in records}
    client.drop(NAME)


def file_of(found):
    return FoundFile(found.path, found.size_bytes, found.mtime_ns)


def on_server(client, texts, filters, *, has_infix=True):
    has_infix = has_infix and client.abilities.has_infix
    server = Server(ROOTS.below, lambda name: ALBUM, has_infix, NearFilter(Photos(client), pytest.fail), texts)
    condition = where(filters, server)
    found = {each["row"] for each in client.query(NAME, condition, ["row"])}
    searched = client.search(NAME, unit_vectors(1)[0], condition, ["photo"], limit=PHOTOS, params={})
    assert {each["photo"] for _, each in searched} == found
    return found


class Photos:
    """The collection of the photos."""

    state = None

    def __init__(self, client):
        self._client = client

    def query(self, condition, fields):
        return self._client.query(NAME, condition, fields)


def in_sqlite(catalog, filters):
    return set(catalog.rows(filters).tolist())


LETTERS = st.text('aeéimg_1%[]^-b\\c"qxs .jp*?\n😀\uffff' + string.ascii_lowercase[:3], min_size=1, max_size=8)
PATTERNS = st.one_of(LETTERS, LETTERS.map("*{}*".format), LETTERS.map("{}*".format), LETTERS.map("*[{}]*".format))
RANGES = st.sampled_from(["{}", ">={}", "<{}", ">{}", "<={}", "..{}", "{}.."])
VALUES = {
    FilterKind.IN: st.sampled_from(
        ["/p", "/p/a", "/p/a/b", "/p/é", "/p/e\u0301", '/p/q"', "/", "/q", "/p/%", "/p/b\\c"]
    ),
    FilterKind.AFTER: st.sampled_from([*DATES, "2020-01-01T00:00:01"]),
    FilterKind.BEFORE: st.sampled_from([*DATES, "2020-01-01T00:00:01"]),
    FilterKind.YEAR: st.one_of(
        st.builds(str.format, RANGES, st.sampled_from(["2019", "2020", "999"])), st.just("2019..2020")
    ),
    FilterKind.MONTH: st.one_of(st.builds(str.format, RANGES, st.integers(1, 12)), st.just("11..2")),
    FilterKind.EXT: st.sampled_from(["jpg", "jpeg", "png", "heic", "mov", 'x"', "dng"]),
    FilterKind.KIND: st.sampled_from([*KINDS]),
    FilterKind.CAMERA: st.one_of(LETTERS, st.sampled_from(["nikon", "NIKON D", "%", "_", "\\", '"', "σ", "ς"])),
    FilterKind.LENS: LETTERS,
    FilterKind.NAME: PATTERNS,
    FilterKind.ORIENTATION: st.sampled_from([*SHAPES]),
    FilterKind.SIZE: st.sampled_from([">12mp", "24mp", "<500kb", "500kb", "1..20px", ">=12mb", "..2b"]),
    FilterKind.RATING: st.builds(str.format, RANGES, st.integers(-1, 5)),
    FilterKind.HAS: st.sampled_from([*TRAITS]),
    FilterKind.ALBUM: st.just("best"),
}
FILTERS = st.lists(
    st.sampled_from([*VALUES]).flatmap(lambda kind: st.builds(PhotoFilter, st.just(kind), VALUES[kind], st.booleans())),
    min_size=1,
    max_size=3,
)


def test_every_kind_of_filter_is_tried():
    assert {*VALUES, FilterKind.NEAR} == {*FilterKind}
    assert [*KINDS, *SHAPES, *TRAITS] == [*SQL_KINDS, *SQL_SHAPES, *SQL_TRAITS]


@given(FILTERS, st.booleans())
@example([PhotoFilter(FilterKind.NAME, "*[!a]*")], True)
@example([PhotoFilter(FilterKind.NAME, "[z-a]*")], True)
@example([PhotoFilter(FilterKind.NAME, "1[[-1]*")], False)
@example([PhotoFilter(FilterKind.NAME, "*[]-a]*")], False)
@example([PhotoFilter(FilterKind.NAME, "*[^]-a]*")], False)
@example([PhotoFilter(FilterKind.NAME, "*[a-c-e]*")], False)
@example([PhotoFilter(FilterKind.NAME, "*[--a]*")], False)
@example([PhotoFilter(FilterKind.NAME, "*\U0010ffff*")], False)
@settings(max_examples=300)
def test_a_filter_leaves_the_same_photos(catalog, client, texts, filters, has_infix):
    assert on_server(client, texts, filters, has_infix=has_infix) == in_sqlite(catalog, filters)


def test_a_query_of_very_many_filters_is_answered(catalog, client, texts):
    dice = random.Random(5)
    every = [PhotoFilter(FilterKind.NAME, f"*{dice.choice(TEXTS)}{number}*", negated=True) for number in range(100)] + [
        PhotoFilter(FilterKind.RATING, f">{-number}") for number in range(2, 150)
    ]
    assert on_server(client, texts, every) == in_sqlite(catalog, every)


CIRCLES = ["48.86,2.35,3km", "48.86,2.35,20000km", "0,180,2km", "0,-179.9,50km", "90,0,20km", "-89.95,77,30km"]
CIRCLES += [
    "0,0,500m",
    "-33.9,151.2,9000mi",
    "48.9,2.35,4km",
    "10,10,15000km",
    "89,-170,200km",
    "-90,0,1km",
    "0,90,10007km",
]


@cases("value", CIRCLES)
def test_a_circle_holds_the_places_in_it(catalog, client, texts, value):
    for negated in (False, True):
        near = [PhotoFilter(FilterKind.NEAR, value, negated)]
        assert on_server(client, texts, near) == in_sqlite(catalog, near)


def test_circles_through_a_photo_hold_the_same_photos(catalog, client, texts):
    """The distance of each circle's edge is that of a photo, give or take a millimetre, anywhere on the globe."""
    dice = random.Random(3)
    known = [catalog.details(each.path) for each in catalog.photos(catalog.rows())]
    places = sorted({(each.latitude, each.longitude) for each in known if each.latitude is not None})
    for number in range(24):
        (latitude, longitude), on_edge = dice.choice([*PLACES, (90.0, 0.0), (0.0, 180.0)]), dice.choice(places)
        metres = geography.metres_between(latitude, longitude, *on_edge) + (-0.001, 0, 0.001)[number % 3]
        if metres > 0:
            near = [PhotoFilter(FilterKind.NEAR, f"{latitude},{longitude},{metres:.9f}m")]
            assert on_server(client, texts, near) == in_sqlite(catalog, near), near


def test_a_pattern_means_the_same_as_to_sqlite_where_no_server_is_asked():
    dice, letters = random.Random(1), "ab1[]^-z!"
    with closing(sqlite3.connect(":memory:")) as database:
        for _ in range(5000):
            written = "".join(dice.choices(f"{letters}*?", k=dice.randint(1, 7)))
            word = "".join(dice.choices(letters, k=dice.randint(1, 5)))
            server = Server(ROOTS.below, list, False, str, lambda field, word=word: [word])
            condition = where([PhotoFilter(FilterKind.NAME, f"{written}[ab]")], server)  # a set: looked up in texts
            ((is_same,),) = database.execute("SELECT ? GLOB ?", (word, glob(f"{written}[ab]")))
            assert (condition != f"({NOTHING})") == bool(is_same), (written, word, condition)
