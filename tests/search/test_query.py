import pytest
from hypothesis import given
from hypothesis import strategies as st

from photomap_cli.errors import BadQuery
from photomap_cli.records import FilterKind, PhotoFilter
from photomap_cli.search.query import TermKind, parse

CWD = "/photos"
TEXT, IMAGE, REFERENCE = TermKind.TEXT, TermKind.IMAGE, TermKind.REFERENCE


def terms(text):
    return [(term.weight, term.kind, term.value) for term in parse(text, cwd=CWD).terms]


@pytest.mark.parametrize(
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
        ("dog −people", [(1, TEXT, "dog"), (-1, TEXT, "people")]),
        ("café à Nîmes 海", [(1, TEXT, "café à Nîmes 海")]),
    ],
)
def test_terms(text, expected):
    assert terms(text) == expected


@pytest.mark.parametrize(
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


def test_min_score():
    assert parse("dog min:0.25", cwd=CWD).min_score == 0.25


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("", 0, "nothing to look for"),
        ("   ", 0, "nothing to look for"),
        ("after:2023", 0, "nothing to look for"),
        ("-people", 1, "only what to avoid"),
        ('dog "red ball', 4, "quote"),
        ("dog foo:bar", 4, "no filter foo"),
        ("dog camra:nikon", 4, "no filter camra"),
        ("dog after:yesterday", 10, "no date"),
        ("dog after:2023-02-30", 10, "calendar"),
        ("dog +", 4, "nothing follows"),
        ("dog - + cat", 4, "nothing follows"),
        ("0:dog", 0, "weight of 0"),
        ('""', 0, "empty quote"),
        ("min:2 dog", 0, "cosine"),
        ("dog -min:0.2", 4, "cosine"),
        ("https://example.org/a.jpg", 0, "web"),
    ],
)
def test_mistakes_are_placed(text, position, message):
    with pytest.raises(BadQuery, match=message) as caught:
        parse(text, cwd=CWD)
    assert caught.value.position == position
    assert caught.value.hint


def test_a_filter_that_is_nearly_right_gets_a_suggestion():
    with pytest.raises(BadQuery) as caught:
        parse("dog camra:nikon", cwd=CWD)
    assert "did you mean camera:" in caught.value.hint


@given(st.text() | st.text(st.sampled_from('ab "-+:#0123./~@\\ minafter')))
def test_no_text_crashes_it(text):
    placed, found = None, ()
    try:
        found = parse(text, cwd=CWD).terms
    except BadQuery as error:
        placed = error.position
    assert 0 <= placed <= len(text) if placed is not None else any(term.weight > 0 for term in found)
