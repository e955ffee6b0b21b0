import unicodedata

import pytest
from cases import cases

from photomap_cli.cli.argv import filters_text, prepare, query_text, wants_json
from photomap_cli.search.query import TermKind, parse


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
    assert query_text([word for word in prepared[1:] if word != "--"], "/none") == query


@pytest.mark.parametrize("words", [["-k", "3"], ["-k3"], ["-0"], ["--min-score", "-0.5"], ["--in", "-odd"], ["-h"]])
def test_options_stay_options(words):
    assert prepare(["search", "dog", *words]) == ["search", "dog", *words]


def test_global_options_may_stand_anywhere():
    assert prepare(["search", "dog", "--library", "/l", "-q"]) == ["--library", "/l", "-q", "search", "dog"]
    assert prepare(["status", "--library=/l"]) == ["--library=/l", "status"]
    assert prepare(["search", "--", "--quiet"]) == ["search", "--", "--quiet"]


def test_what_an_option_of_the_map_takes_is_no_filter():
    assert prepare(["map", "-ext:jpg", "--group", "-x"])[1] != "-ext:jpg"
    assert prepare(["map", "-ext:jpg", "--group", "-x"])[2:] == ["--group", "-x"]
    assert filters_text(prepare(["map", "-ext:jpg"])[1:], "/none") == "-ext:jpg"


def test_a_word_of_a_query_is_no_global_option():
    assert query_text(prepare(["search", "dog", "-q=x"])[1:], "/none") == "dog -q=x"


def test_wants_json():
    assert wants_json(["search", "x", "--json"])
    assert not wants_json(["search", "--", "--json"])


JPEG = b"\xff\xd8\xff\xe0"
AWKWARD = [
    "Beach - 2020.jpg",
    "two  blanks.jpg",
    " +1",
    "-people.jpg",
    "-k3.jpg",
    "+ - +.jpg",
    "in:italy.jpg",
    "name:x",
    "#3",
    "2:dog.jpg",
    'a "quote".jpg',
    'open "quote.jpg',
    "back\\slash.jpg",
    'both \\" of them.jpg',
    "@home.jpg",
    "~home.jpg",
    "~",
    "'single'.jpg",
    "line\nend.jpg",
    "tab\tand\x1b.jpg",
    "https:..example.org",
    "after:",
    ".hidden one.jpg",
    "Été à la mer.jpg",
    "blank at the end.jpg ",
    "byte \udcff.jpg",
]


@pytest.fixture
def folder(tmp_path):
    for name in AWKWARD:
        (tmp_path / name).write_bytes(JPEG)
    return tmp_path


def found(words, folder):
    """Return what a command line's words mean: weights and names of files, or texts."""
    prepared = prepare(["search", *words])[1:]
    query = query_text([word for word in prepared if word != "--"], str(folder))
    return [
        (term.weight, term.value.removeprefix(f"{folder}/") if term.kind is TermKind.IMAGE else f"text {term.value}")
        for term in parse(query, cwd=str(folder)).terms
    ]


@cases("name", AWKWARD)
@cases("how", ["{folder}/{name}", "./{name}", "../{folder.name}/{name}", "{name}"])
def test_a_word_that_names_a_file_is_that_file_whatever_is_in_its_name(how, name, folder):
    word = how.format(folder=folder, name=name)
    assert found(["--", word], folder) == [(1, name)]
    assert found(["--", word, "dog"], folder) == [(1, name), (1, "text dog")]
    assert found(["--", "dog", word, "-cat"], folder) == [(1, "text dog"), (1, name), (-1, "text cat")]
    assert found(["dog", "-", "--", word, word], folder) == [(1, "text dog"), (-1, name), (1, name)]


@cases("name", AWKWARD)
def test_operator_weight_and_at_may_stand_before_a_name(name, folder):
    path = f"{folder}/{name}"
    assert found(["dog", f"-{path}"], folder) == [(1, "text dog"), (-1, name)]
    assert found([f"2:{path}", "dog"], folder) == [(2, name), (1, "text dog")]
    assert found([f"-0.5:@{path}", "dog"], folder) == [(-0.5, name), (1, "text dog")]
    assert found([f"@{path}"], folder) == [(1, name)]


def test_lines_that_name_files_are_all_of_them(folder):
    names = [name for name in AWKWARD if not name.endswith(" ")]
    lines = "\n".join(f"{folder}/{name}" for name in names)
    assert found([lines], folder) == [(1, name) for name in names]
    assert found([f"{lines}\n{folder}/gone - away.jpg\n"], folder)[-1] == (1, "gone - away.jpg")
    assert found(["a dog\non a beach"], folder) == [(1, "text a dog on a beach")]


def test_what_names_no_file_stays_what_it_is(folder):
    (folder / "dog").mkdir()
    (folder / "cat").write_text("#!/bin/sh")
    (folder / "notes.txt").write_text("notes")
    assert found(["dog"], folder) == [(1, "text dog")]
    assert found(["cat", "on", "a", "beach"], folder) == [(1, "text cat on a beach")]
    assert found(["./pool.jpg - fruit"], folder) == [(1, "pool.jpg"), (-1, "text fruit")]
    assert found(["notes.txt"], folder) == [(1, "notes.txt")]
    assert query_text(["./Pool.jpg", "-", "./cat"], str(folder)) == "./Pool.jpg - ./cat"


def test_a_folder_in_a_filter_may_have_blanks(folder):
    (folder / "My Photos").mkdir()
    assert query_text(["dog", "in:My Photos", "-in:./My Photos"], str(folder)) == 'dog in:"My Photos" -in:"./My Photos"'
    assert filters_text(["in:My Photos", "after:2023"], str(folder)) == 'in:"My Photos" after:2023'
    assert query_text(["in:italy dog"], str(folder)) == "in:italy dog"


def test_a_file_is_named_in_whatever_form_it_is_typed(tmp_path):
    apart = unicodedata.normalize("NFD", "Été au lac + 1.jpg")
    (tmp_path / apart).touch()
    assert query_text(["Été au lac + 1.jpg"], str(tmp_path)) == '@"Été au lac + 1.jpg"'
    (tmp_path / unicodedata.normalize("NFD", "Mes été")).mkdir()
    assert query_text(["in:Mes été"], str(tmp_path)) == 'in:"Mes été"'


@pytest.mark.parametrize(
    ("words", "query"),
    [
        (["dog", "camera:eos 40d"], 'dog camera:"eos 40d"'),
        (["album:Best of 2023", "has:gps"], 'album:"Best of 2023" has:gps'),
        (["-Lens:ef 50mm", "dog"], '-Lens:"ef 50mm" dog'),
        (["name:black cat*", "kind:photo"], 'name:"black cat*" kind:photo'),
        (["dog", "camera:nikon -people"], "dog camera:nikon -people"),
        (["dog", "camera:nikon after:2020"], "dog camera:nikon after:2020"),
        (["dog", 'camera:"eos 40d"'], 'dog camera:"eos 40d"'),
        (["camera:nikon dog"], "camera:nikon dog"),
        (["-camera:nikon ext:jpg"], "-camera:nikon ext:jpg"),
        (["dog", "-in:/none -ext:jpg"], "dog -in:/none -ext:jpg"),
        (["dog", "-red ball"], 'dog -"red ball"'),
        (['camera:"eos 40d"'], 'camera:"eos 40d"'),
        (['camera:"eos 40d" dog -"red ball"'], 'camera:"eos 40d" dog -"red ball"'),
        (['-people camera:"eos 40d" dog'], '-people camera:"eos 40d" dog'),
        (["-people dog after:2023"], "-people dog after:2023"),
        (["-people + a dog"], "-people + a dog"),
    ],
)
def test_a_filters_value_keeps_its_spaces(words, query):
    assert query_text(prepare(["search", *words])[1:], "/none") == query
    assert filters_text(["album:Best of 2023"], "/none") == 'album:"Best of 2023"'
