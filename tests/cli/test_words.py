import pytest

from photomap_cli.cli import entry, glance
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


def test_the_short_way_answers_what_the_long_one_does(capsys, tmp_path):
    for words in (["--version"], ["status", "--json"], ["status", f"--library={tmp_path}", "--json", "-q"]):
        assert glance.answer(words) == 0
        short = capsys.readouterr().out
        assert entry.run(words) == 0
        assert capsys.readouterr().out == short
    assert str(tmp_path) in short


@pytest.mark.parametrize("words", [[], ["status"], ["search", "x"], ["status", "--jason"], ["--version", "x"]])
def test_everything_else_goes_the_long_way(words):
    assert glance.answer(words) is None


def test_wants_json():
    assert wants_json(["search", "x", "--json"])
    assert not wants_json(["search", "--", "--json"])
