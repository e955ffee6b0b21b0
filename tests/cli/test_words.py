import pytest

from photomap_cli.cli.words import prepare, query_text, wants_json


@pytest.mark.parametrize(
    ("words", "query"),
    [
        (["dog", "-people"], "dog -people"),
        (["dog", "-kitty"], "dog -kitty"),
        (["dog", "-", "fruit"], "dog - fruit"),
        (["-red ball", "dog"], '-"red ball" dog'),
        (["+red ball"], '+"red ball"'),
        (["2:golden retriever + ./pool.jpg - fruit"], "2:golden retriever + ./pool.jpg - fruit"),
        (["temperature", "-5"], "temperature -5"),
        (["--", "-k", "x"], "-k x"),
    ],
)
def test_query_words_survive_the_option_parser(words, query):
    prepared = prepare(["search", *words])
    assert prepared[0] == "search"
    assert query_text([word for word in prepared[1:] if word != "--"]) == query


@pytest.mark.parametrize("words", [["-k", "3"], ["-k3"], ["-0"], ["--min-score", "-0.5"], ["--in", "-odd"], ["-h"]])
def test_options_stay_options(words):
    assert prepare(["search", "dog", *words]) == ["search", "dog", *words]


def test_global_options_may_stand_anywhere():
    assert prepare(["search", "dog", "--library", "/l", "-q"]) == ["--library", "/l", "-q", "search", "dog"]
    assert prepare(["status", "--library=/l"]) == ["--library=/l", "status"]
    assert prepare(["search", "--", "--quiet"]) == ["search", "--", "--quiet"]


def test_wants_json():
    assert wants_json(["search", "x", "--json"])
    assert not wants_json(["search", "--", "--json"])
