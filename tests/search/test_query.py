import posixpath
import re
from datetime import date
from pathlib import Path

import pytest
from cases import cases
from hypothesis import assume, given
from hypothesis import strategies as st

from photomap_cli.errors import BadQuery
from photomap_cli.library.number_ranges import sizes
from photomap_cli.records import FilterKind, PhotoFilter
from photomap_cli.search import query, query_format
from photomap_cli.search.query import Query, Term, TermKind, parse, parse_filters
from photomap_cli.views.errors import error_text

CWD = "/photos"
TEXT, IMAGE, ADDRESS, REFERENCE = TermKind


def terms(text):
    return [(term.weight, term.kind, term.value) for term in parse(text, cwd=CWD).terms]


@cases(
    ("text", "expected"),
    [
        ("golden retriever", [(1, TEXT, "golden retriever")]),
        (
            "2:golden retriever + ./pool.jpg - fruit",
            [(2, TEXT, "golden retriever"), (1, IMAGE, "/photos/pool.jpg"), (-1, TEXT, "fruit")],
        ),
        ("dog on a beach -people", [(1, TEXT, "dog on a beach"), (-1, TEXT, "people")]),
        ('dog -"red ball" -people', [(1, TEXT, "dog"), (-1, TEXT, "red ball"), (-1, TEXT, "people")]),
        ("#3 + snow", [(1, REFERENCE, "3"), (1, TEXT, "snow")]),
        ("#3 at night", [(1, REFERENCE, "3"), (1, TEXT, "at night")]),
        ("0.5:#2 + 2:snow", [(0.5, REFERENCE, "2"), (2, TEXT, "snow")]),
        ("dog - a red ball + 0.5:grass", [(1, TEXT, "dog"), (-1, TEXT, "a red ball"), (0.5, TEXT, "grass")]),
        ("dog +snow", [(1, TEXT, "dog"), (1, TEXT, "snow")]),
        ("dog -2:people", [(1, TEXT, "dog"), (-2, TEXT, "people")]),
        ("-people dog", [(-1, TEXT, "people"), (1, TEXT, "dog")]),
        ("t-shirt", [(1, TEXT, "t-shirt")]),
        ("temperature -5", [(1, TEXT, "temperature -5")]),
        ("black / white", [(1, TEXT, "black / white")]),
        ("Re: hello", [(1, TEXT, "Re: hello")]),
        ("at 12:30", [(1, TEXT, "at 12:30")]),
        ('"foo:bar"', [(1, TEXT, "foo:bar")]),
        (r'"say \"cheese\""', [(1, TEXT, 'say "cheese"')]),
        ("./my pool.jpg - dog", [(1, IMAGE, "/photos/my pool.jpg"), (-1, TEXT, "dog")]),
        ("cat ./pool.jpg", [(1, TEXT, "cat"), (1, IMAGE, "/photos/pool.jpg")]),
        ("../a.jpg", [(1, IMAGE, "/a.jpg")]),
        ("/x/a.jpg", [(1, IMAGE, "/x/a.jpg")]),
        ("@a b.jpg", [(1, IMAGE, "/photos/a b.jpg")]),
        ('@"a b.jpg"', [(1, IMAGE, "/photos/a b.jpg")]),
        ("dog - #3", [(1, TEXT, "dog"), (-1, REFERENCE, "3")]),
        ("+ #3 - ./a.jpg", [(1, REFERENCE, "3"), (-1, IMAGE, "/photos/a.jpg")]),
        ("2:#3 at night", [(2, REFERENCE, "3"), (1, TEXT, "at night")]),
        ("cat 2:./pool.jpg", [(1, TEXT, "cat"), (2, IMAGE, "/photos/pool.jpg")]),
        ("https://example.org/a-b.jpg?x=+1", [(1, ADDRESS, "https://example.org/a-b.jpg?x=+1")]),
        ("HTTP://[2001:db8::1]:80/a at night", [(1, ADDRESS, "HTTP://[2001:db8::1]:80/a"), (1, TEXT, "at night")]),
        ("dog -0.5:http://example.org", [(1, TEXT, "dog"), (-0.5, ADDRESS, "http://example.org")]),
        ('"https://example.org/a.jpg"', [(1, TEXT, "https://example.org/a.jpg")]),
        ("dog −people", [(1, TEXT, "dog"), (-1, TEXT, "people")]),
        ("café à Nîmes 海", [(1, TEXT, "café à Nîmes 海")]),
    ],
)
def test_terms(text, expected):
    assert terms(text) == expected


@cases(
    ("text", "expected"),
    [
        ("x in:italy", PhotoFilter(FilterKind.IN, "/photos/italy")),
        ('x in:"my italy"', PhotoFilter(FilterKind.IN, "/photos/my italy")),
        ("x -in:/work", PhotoFilter(FilterKind.IN, "/work", True)),
        ("x after:2023", PhotoFilter(FilterKind.AFTER, "2023-01-01T00:00:00")),
        ("x before:2023-06", PhotoFilter(FilterKind.BEFORE, "2023-06-01T00:00:00")),
        ("x after:2024-02-29", PhotoFilter(FilterKind.AFTER, "2024-02-29T00:00:00")),
        ("x ext:.JPG", PhotoFilter(FilterKind.EXT, "jpg")),
        ("x -ext:gif", PhotoFilter(FilterKind.EXT, "gif", True)),
        ("x camera:nikon", PhotoFilter(FilterKind.CAMERA, "nikon")),
        ("x name:IMG_*", PhotoFilter(FilterKind.NAME, "IMG_*")),
    ],
)
def test_filters(text, expected):
    query = parse(text, cwd=CWD)
    assert query.filters == (expected,)
    assert [term.value for term in query.terms] == ["x"]


def test_a_filter_may_stand_anywhere():
    assert [t.value for t in parse("red after:2023 car", cwd=CWD).terms] == ["red car"]


@cases(
    ("value", "meant"),
    [
        ("today", "2024-03-31"),
        ("Yesterday", "2024-03-30"),
        ("0d", "2024-03-31"),
        ("7d", "2024-03-24"),
        ("2w", "2024-03-17"),
        ("1m", "2024-02-29"),
        ("3M", "2023-12-31"),
        ("13m", "2023-02-28"),
        ("1y", "2023-03-31"),
        ("1000y", "1024-03-31"),
        ("2023-6", "2023-06-01"),
    ],
)
def test_dates_may_be_relative_to_the_day_here(value, meant):
    (condition,) = parse(f"dog after:{value}", cwd=CWD, today=date(2024, 3, 31)).filters
    assert condition.value == f"{meant}T00:00:00"


def test_a_year_before_the_29th_of_february_is_the_28th():
    (condition,) = parse("before:1y", cwd=CWD, today=date(2024, 2, 29)).filters
    assert condition.value == "2023-02-28T00:00:00"


def test_the_day_here_is_that_of_the_clock():
    days = {f"{date.today()}T00:00:00"}
    (condition,) = parse("after:today", cwd=CWD).filters
    assert condition.value in days | {f"{date.today()}T00:00:00"}


@cases(
    ("written", "value"),
    [
        ("size:>12MP", ">12mp"),
        ('size:"12 .. 24 mp"', "12..24mp"),
        ("month:july", "7"),
        ("month:Nov-feb", "11-2"),
        ('near:"48.86, 2.35, 10 KM"', "48.86,2.35,10km"),
        ("KIND:Raw", "raw"),
        ("year:>=2019", ">=2019"),
    ],
)
def test_blanks_and_capitals_in_values_mean_nothing(written, value):
    assert parse(written, cwd=CWD).filters[0].value == value


def test_a_shell_that_took_the_angle_for_itself_is_named():
    with pytest.raises(BadQuery) as caught:
        parse("cat size:", cwd=CWD)
    assert "in a shell, > and < need quotes" in caught.value.hint


def test_min_score():
    assert parse("dog min:0.25", cwd=CWD).min_score == 0.25
    assert parse("min:0.25 dog min:0.1", cwd=CWD).min_score == 0.25  # as all filters must hold


MISTAKES = [
    ("", 0, "nothing to search for"),
    ("   ", 0, "nothing to search for"),
    ("after:2023 min:0.2", 11, "needs something to search for"),
    ("-people after:2023", 1, "only what to avoid"),
    ("-people", 1, "only what to avoid"),
    ('dog "red ball', 4, "quote"),
    (r'dog "red \"', 4, "quote"),
    ("dog foo:bar", 4, "no filter foo"),
    ("dog camra:nikon", 4, "no filter camra"),
    ("dog after:soon", 10, "isn't a date"),
    ("dog after:9999y", 10, "no 9999y ago"),
    ("dog before:999999d", 11, "no 999999d ago"),
    ("dog year:twenty", 9, "isn't a whole number"),
    ("dog year:>20000", 9, "years go from 1 to 9999"),
    ("dog year:2021..2019", 9, "starts after it ends"),
    ("dog -month:13", 11, "months go from 1 to 12"),
    ("dog month:2023-07", 10, "months go from 1 to 12"),
    ("dog month:ju", 10, "isn't a month"),
    ("dog month:juno", 10, "isn't a month"),
    ("dog rating:6", 11, "ratings go from -1 to 5"),
    ("dog rating:>=4.5", 11, "isn't a whole number"),
    ("dog rating:", 4, "nothing follows rating:"),
    ("dog size:12", 9, "has no unit"),
    ("dog size:12m", 9, "'m' isn't a unit"),
    ("dog size:>", 9, "isn't a size"),
    ("dog size:1mp..2mb", 9, "pixels and bytes"),
    ("dog size:9..8mp", 9, "starts after it ends"),
    ("dog -in:*", 4, "leave out the whole library"),
    ("dog size:" + "9" * 4000 + "mp", 9, "isn't a size"),
    ("dog size:99999999999999gb", 9, "too large"),
    ("dog kind:movie", 9, "is no kind"),
    ("dog orientation:portait", 16, "did you mean portrait"),
    ("dog has:stars", 8, "no thing to have"),
    ("dog near:paris", 9, "near: takes a latitude, a longitude and a distance, not"),
    ("dog near:48.86,2.35", 9, "near: takes a latitude, a longitude and a distance, not"),
    ("dog near:48.86,2.35,10", 9, "has no unit"),
    ("dog near:48.86,2.35,10au", 9, "isn't a unit"),
    ("dog near:91,0,1km", 9, "on the globe"),
    ("dog near:0,180.1,1km", 9, "on the globe"),
    ("dog near:0,0,0km", 9, "finds nothing"),
    ('dog lens:""', 9, "no value"),
    ("dog before:2023-13", 11, "calendar"),
    ("dog after:2023-02-30", 10, "calendar"),
    ("dog after:0000", 10, "calendar"),
    ('dog in:""', 7, "no value"),
    ('dog ext:"."', 8, "no value"),
    ('dog camera:""', 11, "no value"),
    ('dog -name:""', 10, "no value"),
    ("dog +", 4, "nothing follows"),
    ("dog - + cat", 4, "nothing follows"),
    ("dog - after:2023", 4, "nothing follows"),
    ("0:dog", 0, "weight of 0"),
    ("cat -0.0:dog", 5, "weight of 0"),
    ("cat + 1000001:dog", 6, "too large"),
    ("9" * 400 + ":dog", 0, "too large"),
    ("cat + #1234567890", 6, "no result #1234567890"),
    ("#" + "9" * 5000, 0, "no result #9999"),
    ('""', 0, "inside the quotes"),
    ('dog -" "', 5, "inside the quotes"),
    ("min:2 dog", 0, "score from -1"),
    ("dog min:high", 4, "score from -1"),
    ("dog min:nan", 4, "score from -1"),
    ("dog -min:0.2", 4, "be negated"),
    ("dog in: Italy", 4, "nothing follows in:"),
    ("dog -AFTER:", 4, "nothing follows -AFTER:"),
    ("min: 0.2 dog", 0, "nothing follows min:"),
    ("dog \0 cat", 4, "NUL"),
    ("dog in:\ud800", 7, "half a character"),
    ("dog https://", 4, "isn't a web address"),
    ("dog + http:///a.jpg", 6, "isn't a web address"),
    ("dog http://[::1/a.jpg", 4, "isn't a web address"),
    ("http://example.org:port/a.jpg", 0, "isn't a web address"),
    ("http://example.org:0/a.jpg", 0, "isn't a web address"),
    ('https://example.org/"a b".jpg', 0, "isn't a web address"),
    ("https://example.org/\x07", 0, "isn't a web address"),
    ("dog https://me:secret@example.org/a.jpg", 4, "user name"),
    ("a" * 100_001, 100_000, "at most 100,000 letters"),
    ("dog" + " +a" * 1000, 3002, "at most 1,000 terms"),
    ("dog" + " + a" * 20_000, 4002, "at most 1,000 terms"),
    ("dog" + " #1" * 1000, 3001, "at most 1,000 terms"),
    ("dog" + " ext:jpg" * 1200, 804, "at most 100 filters"),
    ("dog" + " min:0" * 90 + " -in:/a" * 101, 1244, "at most 100 filters"),
    ("dog name:" + "*a" * 30_000, 9, "at most 4,096 letters"),
    ("dog -camera:" + "a" * 4097, 12, "at most 4,096 letters"),
    ("dog ./" + "a" * 60_000, 4, "at most 4,096 letters"),
    ("dog https://example.org/" + "a" * 60_000, 4, "at most 4,096 letters"),
    ("dog min:" + "1" * 4000, 4, "not '11111"),
    ("dog after:" + "1" * 4000, 10, "isn't a date"),
    ("dog " + "z" * 60_000 + ":x", 4, "there is no filter z"),
    ("dog x:" + "z" * 4000, 4, "there is no filter x"),
]


@cases(("text", "position", "message"), MISTAKES)
def test_every_mistake_has_a_caret_under_its_place_and_a_hint(text, position, message):
    with pytest.raises(BadQuery, match=message) as caught:
        parse(text, cwd=CWD)
    assert caught.value.position == position
    assert caught.value.hint
    assert "\n" not in caught.value.message + caught.value.hint
    assert len(caught.value.message + caught.value.hint) < 300
    told = error_text(caught.value, text).plain.split("\n")
    assert len(told) == (3 if text else 1)
    assert not text or told[2].strip() == "^"


@pytest.fixture
def folder(tmp_path):
    for name in ("Beach - 2020.jpg", "two  blanks.jpg", " +1", "-cat.jpg", "in:x.jpg", "dog"):
        (tmp_path / name).write_bytes(b"\xff\xd8\xff\xe0")
    (tmp_path / "words").write_text("no picture")
    (tmp_path / "Italy").mkdir()
    return tmp_path


@cases(
    ("text", "expected"),
    [
        ('"Beach - 2020.jpg"', [(1, IMAGE, "Beach - 2020.jpg")]),
        ('"./Beach - 2020.jpg" at night', [(1, IMAGE, "Beach - 2020.jpg"), (1, TEXT, "at night")]),
        (
            'snow "two  blanks.jpg" -"in:x.jpg"',
            [(1, TEXT, "snow"), (1, IMAGE, "two  blanks.jpg"), (-1, IMAGE, "in:x.jpg")],
        ),
        ('snow - "-cat.jpg" at night', [(1, TEXT, "snow"), (-1, IMAGE, "-cat.jpg"), (1, TEXT, "at night")]),
        ('2:" +1" -0.5:"dog"', [(2, IMAGE, " +1"), (-0.5, IMAGE, "dog")]),
        ('@"Beach - 2020.jpg" at night', [(1, IMAGE, "Beach - 2020.jpg"), (1, TEXT, "at night")]),
        ('@"./gone - too.jpg" at night', [(1, IMAGE, "gone - too.jpg"), (1, TEXT, "at night")]),
        ("Beach - 2020.jpg", [(1, IMAGE, "Beach - 2020.jpg")]),
        ("  ./Beach - 2020.jpg ", [(1, IMAGE, "Beach - 2020.jpg")]),
        ("{folder}/two  blanks.jpg", [(1, IMAGE, "two  blanks.jpg")]),
        ("'{folder}/Beach - 2020.jpg'", [(1, IMAGE, "Beach - 2020.jpg")]),
        ("{folder}/Beach\\ -\\ 2020.jpg", [(1, IMAGE, "Beach - 2020.jpg")]),
        ("{folder}/ +1", [(1, IMAGE, " +1")]),
        ("-cat.jpg", [(1, IMAGE, "-cat.jpg")]),
        ("dog", [(1, TEXT, "dog")]),
        ('"words"', [(1, TEXT, "words")]),
        ('"Italy"', [(1, TEXT, "Italy")]),
        ('"no file.jpg"', [(1, TEXT, "no file.jpg")]),
        ('a "dog"s life', [(1, TEXT, "a dogs life")]),
    ],
)
def test_quotes_around_the_name_of_a_file_mean_the_file_and_so_does_a_whole_query(text, expected, folder):
    found = parse(text.replace("{folder}", str(folder)), cwd=str(folder)).terms
    assert [(term.weight, term.kind, term.value.removeprefix(f"{folder}/")) for term in found] == expected


def test_a_query_with_the_names_of_files_is_written_so_that_it_is_read_the_same(folder):
    text = 'snow "Beach - 2020.jpg" -" +1" + at night'
    understood = parse(text, cwd=str(folder))
    assert parse(query_format.format(understood, cwd=str(folder)), cwd=str(folder)) == understood
    assert parse(query_format.format(understood), cwd="/") == understood


def test_queries_within_the_limits_are_read():
    assert len(parse("dog" + " +a" * 999, cwd=CWD).terms) == 1000
    assert len(parse("dog" + " ext:jpg" * 100, cwd=CWD).filters) == 100
    assert parse("dog name:" + "*" * 4096, cwd=CWD).filters[0].value == "*" * 4096
    assert parse("a" * 100_000, cwd=CWD).terms[0].value == "a" * 100_000


FILTER_MISTAKES = [
    (" ".join(["ext:jpg"] * 101), 800, "at most 100 filters"),
    ("name:" + "a" * 4097, 5, "at most 4,096 letters"),
    ("a" * 60_000, 0, "is not a filter"),
    ("after:2023 dog", 11, "is not a filter"),
    ("after:2023 min:0.2", 11, "needs something"),
    ("after:soon", 6, "isn't a date"),
    ("name:\0", 5, "NUL"),
]


@pytest.mark.parametrize(("text", "position", "message"), FILTER_MISTAKES)
def test_filters_that_stand_alone_have_carets_as_well(text, position, message):
    with pytest.raises(BadQuery, match=message) as caught:
        parse_filters(text, cwd=CWD)
    assert (caught.value.position, bool(caught.value.hint)) == (position, True)


def test_filters_alone_are_a_query_and_so_is_nothing_where_that_may_be():
    assert (parse("after:2023", cwd=CWD).terms, len(parse("-in:/a after:2023", cwd=CWD).filters)) == ((), 2)
    assert parse(" ", cwd=CWD, may_be_blank=True) == Query("", ())


def test_a_size_of_less_than_a_pixel_is_one_that_no_photo_has():
    (only,) = parse("size:0.0000001mp", cwd=CWD).filters
    assert not sizes(only.value).numbers.holds(1)


def test_filters_may_stand_alone():
    assert parse_filters("", cwd=CWD) == ()
    assert parse_filters("after:2023 -ext:gif", cwd=CWD) == parse("x after:2023 -ext:gif", cwd=CWD).filters


def test_every_place_that_refuses_a_query_is_in_the_table():
    raised = re.findall(r"raise BadQuery\(", Path(query.__file__).read_text())
    said = {message for _, _, message in (*MISTAKES, *FILTER_MISTAKES)}
    assert len(raised) == 20, "a new refusal: add it to MISTAKES, with its caret, and count it here"
    assert len(said) >= len(raised)


def test_a_filter_that_is_nearly_right_gets_a_suggestion():
    with pytest.raises(BadQuery) as caught:
        parse("dog camra:nikon", cwd=CWD)
    assert caught.value.hint == 'did you mean camera:nikon? As text, write "camra:nikon"'


TEXTS = st.text(st.characters(exclude_categories=())) | st.text(st.sampled_from('ab "-+:#0123./~@\\ minafterhttps'))


@given(TEXTS)
def test_no_text_crashes_it(text):
    placed, found = None, ()
    try:
        found = parse(text, cwd=CWD).terms
    except BadQuery as error:
        placed = error.position
    assert 0 <= placed <= len(text) if placed is not None else any(term.weight > 0 for term in found)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("golden  retriever", "golden retriever"),
        ('dog -"red ball" +2:@pool.jpg', "dog - red ball + 2:./pool.jpg"),
        ("-people dog", "- people + dog"),
        ("black / white", '"black / white"'),
        ("#3 .50:snow", "#3 + 0.5:snow"),
        ("./a\\b c.jpg", '@"./a\\\\b c.jpg"'),
        ("x after:2023-6 -in:a min:.250 name:IMG_*", "x after:2023-06-01 -in:./a name:IMG_* min:0.25"),
        ("dog https://example.org/a.jpg", "dog + https://example.org/a.jpg"),
    ],
)
def test_a_query_is_written_in_one_way(text, written):
    assert query_format.format(parse(text, cwd=CWD), cwd=CWD) == written


@given(TEXTS, st.sampled_from(["", CWD, "/"]))
def test_what_was_typed_and_understood_is_written_so_that_it_is_understood_as_the_same(text, written_from):
    try:
        understood = parse(text, cwd=written_from or CWD)
    except BadQuery:
        assume(False)
    assert parse(query_format.format(understood, cwd=written_from), cwd=written_from or CWD) == understood


# Half a character is refused, but for those that stand for bytes that are no UTF-8.
LETTERS = st.characters(exclude_characters="\0", exclude_categories=["Cs"]) | st.characters(
    min_codepoint=0xDC80, max_codepoint=0xDCFF, categories=["Cs"]
)
LINE = st.text(LETTERS, min_size=1)
TRIMMED = LINE.map(str.strip).filter(bool)
PATH = st.lists(st.text(LETTERS.filter(lambda letter: letter != "/"), min_size=1), min_size=1).map(
    lambda parts: posixpath.normpath("/" + "/".join(parts))
)
DATE = st.dates().map(lambda day: f"{day.isoformat()}T00:00:00")
WEIGHT = st.floats(0, 1e6, exclude_min=True) | st.floats(-1e6, 0, exclude_max=True) | st.sampled_from([1.0, -1.0])
VALUES = {
    TEXT: TRIMMED,
    IMAGE: PATH,
    ADDRESS: st.sampled_from(["https://example.org/a.jpg", "http://[::1]:8080/?q=#x"]),
    REFERENCE: st.integers(0, 99_999).map(str),
}
TERM = st.sampled_from(list(TermKind)).flatmap(lambda kind: st.builds(Term, st.just(kind), VALUES[kind], WEIGHT))
FILTER_VALUES = {
    FilterKind.IN: PATH,
    FilterKind.AFTER: DATE,
    FilterKind.BEFORE: DATE,
    FilterKind.EXT: LINE.map(lambda text: text.lower().lower().lstrip(".")).filter(bool),
    FilterKind.CAMERA: LINE,
    FilterKind.NAME: LINE,
    FilterKind.LENS: LINE,
    FilterKind.ALBUM: LINE,
    FilterKind.YEAR: st.sampled_from(["2019", ">=2019", "<2020", "2019..2021", "..2021", "1999-2003"]),
    FilterKind.MONTH: st.sampled_from(["7", "11..2", ">=6", "6.."]),
    FilterKind.RATING: st.sampled_from(["-1", "4", ">=4", "3..5", "<1"]),
    FilterKind.SIZE: st.sampled_from([">12mp", "12..24mp", "<500kb", ".5mb..", "12192768px", "=2.50gb"]),
    FilterKind.KIND: st.sampled_from(["photo", "video", "raw"]),
    FilterKind.ORIENTATION: st.sampled_from(["portrait", "landscape", "square", "panorama"]),
    FilterKind.HAS: st.sampled_from(["gps", "rating", "camera", "lens", "date"]),
    FilterKind.NEAR: st.sampled_from(["48.86,2.35,10km", "-90,180,.5mi", "0,-0.0,1m"]),
}
FILTER = st.sampled_from(list(FilterKind)).flatmap(
    lambda kind: st.builds(PhotoFilter, st.just(kind), FILTER_VALUES[kind], st.booleans())
)
QUERY = st.builds(
    Query,
    st.just(""),
    st.lists(TERM, min_size=1).filter(lambda terms: any(term.weight > 0 for term in terms)).map(tuple),
    st.lists(FILTER).map(tuple),
    st.none() | st.floats(-1, 1),
)


@given(QUERY, st.sampled_from(["", CWD, "/"]))
def test_every_query_can_be_written(query, written_from):
    assert parse(query_format.format(query, cwd=written_from), cwd=written_from or CWD) == query
