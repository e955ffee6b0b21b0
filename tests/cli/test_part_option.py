"""`photomap index --part`, as a user types it, in this process."""

import json
import os

import pytest
from cases import cases
from command_line import run_here
from library_fakes import picture


@pytest.fixture
def photomap(tmp_path, photos):
    for number in range(9):
        picture(photos / f"photo{number}.png", number)

    def run(*words):
        library = f"--library={tmp_path / 'library'}"
        ended = run_here(library, "index", *words, cwd=photos, environment=os.environ)
        return ended.returncode, ended.stdout, ended.stderr

    return run


def test_a_part_is_told_in_the_report_and_in_json(photomap):
    status, out, _ = photomap("--part", "1/3", "--dry-run")
    assert status == 0
    assert out.startswith("dry run: part 1/3: ")
    reports = [json.loads(photomap(f"--part={number}/3", "--json", "--dry-run")[1]) for number in (1, 2, 3)]
    assert [report["part"] for report in reports] == ["1/3", "2/3", "3/3"]
    assert sum(report["added"] for report in reports) == 9
    assert "part" not in json.loads(photomap("--json", "--dry-run")[1])


@cases(
    ("words", "told"),
    [
        (("--part", "3/2"), "--part takes K/N with K from 1 to N, not '3/2'"),
        (("--part", "0/4"), "not '0/4'"),
        (("--part", "a/b"), "not 'a/b'"),
        (("--part=",), "--part needs a value"),
        (("--part", "2"), "not '2'"),
        (("--part", "1/2", "--rebuild"), "--part and --rebuild don't go together"),
        (("--part",), "--part takes a value"),
    ],
)
def test_what_is_no_part_is_refused_in_one_line_and_a_hint(words, told, photomap, tmp_path):
    status, out, err = photomap(*words)
    assert (status, out) == (2, "")
    assert [line.partition(":")[0] for line in err.splitlines()] == ["photomap", "hint"]
    assert told in err
    assert json.loads(photomap("--json", *words)[1])["error"]["code"] == "usage"
    assert not (tmp_path / "library").exists()
