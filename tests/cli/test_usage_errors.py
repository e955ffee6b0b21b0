"""Wrong usage is told in photomap's words, never in those of the libraries that notice it."""

import pytest
from cases import cases

from photomap_cli.cli import dispatch, run
from photomap_cli.errors import UsageError


def refusal(line):
    with pytest.raises(UsageError) as caught:
        dispatch._parse_and_run(line.split())
    return caught.value.message, caught.value.hint


@cases(
    ("line", "message", "hint"),
    [
        (
            "serach dog",
            "there is no command 'serach'",
            "did you mean `photomap search`? `photomap search serach dog` searches for these words",
        ),
        ("config ste", "there is no command 'ste'", "did you mean set?"),
        ("search", "search needs QUERY", "photomap search --help"),
        ("config set results", "set needs VALUE", "photomap config set --help"),
        ("search dog --jso", "there is no option --jso", "did you mean --json or --jsonl?"),
        ("search dog --limt 3", "there is no option --limt", "did you mean --limit?"),
        ("--versoin", "there is no option --versoin", "did you mean --version?"),
        ("status -x", "there is no option -x", "photomap status --help"),
        ("search dog -k many", "--limit takes a whole number from 1 to 100,000, not 'many'", "photomap search --help"),
        ("search dog -k 0", "--limit takes a whole number from 1 to 100,000, not '0'", "photomap search --help"),
        ("search dog --min-score nan", "--min-score takes a number from -1 to 1, not 'nan'", "photomap search --help"),
        ("search dog --sort name", "--sort takes score or date, not 'name'", "photomap search --help"),
        ("index --jobs 2.5", "--jobs takes a whole number from 1 to 256, not '2.5'", "photomap index --help"),
        ("stop it now", "unexpected arguments: it now", "photomap stop --help"),
        ("search dog --in", "--in takes a value", "photomap search --help"),
        ("--library", "--library takes a value", "photomap --help"),
        ("config path there", "unexpected argument: there", "photomap config path --help"),
        ("index --dry-run=yes", "--dry-run takes no value", "photomap index --help"),
    ],
)
def test_wrong_usage_is_told_with_what_is_allowed(line, message, hint):
    assert refusal(line) == (message, hint)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--library", "", "status"], "--library needs a folder"),
        (["status", "--json", "--library="], "--library needs a folder"),
        (["search", "dog", "--in", ""], "--in needs a folder"),
        (["index", "--exclude", ""], "--exclude needs a value"),
        (["index", "--encoder="], "--encoder needs a value"),
        (["index", "--hidden", ""], "an empty name is not a folder"),
        (["search", "dog", "--html", ""], "--html needs a value"),
        (["map", "--html="], "--html needs a value"),
        (["serve", "--log", ""], "--log needs a value"),
        (["albums", "--import", ""], "--import needs a value"),
        (["search", "dog", "--in="], "--in needs a folder"),
        (["index", "--", ""], "an empty name is not a folder"),
        (["index", "--exclude", "a", ""], "an empty name is not a folder"),
        (["index", ""], "an empty name is not a folder"),
        (["duplicates", ""], "an empty name is not a folder"),
    ],
)
def test_the_value_of_an_unset_variable_is_no_folder(words, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(words) == 2
    assert message in "".join(capsys.readouterr())
    assert list(tmp_path.iterdir()) == []
