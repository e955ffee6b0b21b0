"""Words that name no command are searched for; one that looks like a mistyped command is refused: both ways out."""

import json

import pytest
from cases import cases

from photomap_cli.cli import dispatch, fast_path
from photomap_cli.cli.routing import with_command
from photomap_cli.errors import UsageError


@cases(
    "line",
    [
        "cat",
        "black cat -people",
        "2:sunset + ./pier.jpg",
        "./pier.jpg",
        "#3",
        "+ snow",
        "after:2023",
        "-in:/work",
        "-year:2019 cat",
        "cat --json",
        "--json cat",
        "--paths -k 3 cat",
        "-k3 cat",
        "--in=/photos cat",
        "--in status cat",
        "-0 cat",
        "-- --cat",
        "statues in Rome",
        "research",
        "nerve",
        "maps",
        "stops here",
        "server room at night",
        "status-quo",
        "dome",
        "shop",
        "help me",
        "--json",
        "дом",
    ],
)
def test_words_that_name_no_command_are_a_search(line):
    assert with_command(line.split()) == ["search", *line.split()]


@cases(
    "line",
    [
        "",
        "search cat",
        "status --json",
        "config path",
        "map after:2023",
        "--help",
        "-h",
        "--version",
        "--json status",
        "--xyz",
    ],
)
def test_command_lines_that_name_one_and_general_options_stay(line):
    assert with_command(line.split()) == line.split()


@cases(
    ("line", "meant"),
    [
        ("serach", "search"),
        ("serach black cat --json", "search"),
        ("--json serach cat", "search"),
        ("esarch cat", "search"),
        ("seach", "search"),
        ("idnex ~/Pictures", "index"),
        ("indx ~/Pictures", "index"),
        ("mpa", "map"),
        ("staus --json", "status"),
        ("stpo", "stop"),
        ("offlaod", "offload"),
        ("docter", "doctor"),
        ("cofnig set results 5", "config"),
        ("help", "--help"),
        ("version", "--version"),
    ],
)
def test_what_looks_like_a_mistyped_command_is_refused_with_both_ways_out(line, meant):
    with pytest.raises(UsageError, match="there is no command") as caught:
        with_command(line.split())
    assert f"did you mean `photomap {meant}`" in caught.value.hint
    assert "`photomap search " in caught.value.hint


def test_the_way_out_is_as_a_shell_takes_it():
    with pytest.raises(UsageError) as caught:
        with_command(["serach", "red ball", "$HOME"])
    assert "`photomap search serach 'red ball' '$HOME'` searches for these words" in caught.value.hint
    with pytest.raises(UsageError) as caught:
        with_command(["serach", "a" * 5000])
    assert len(caught.value.hint) < 200


def test_a_refusal_is_json_where_json_is_asked_for(capsys):
    assert fast_path.answer(["serach", "--json"]) is None
    assert dispatch.run(["serach", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "usage"
