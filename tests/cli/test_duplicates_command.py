"""`photomap duplicates` as a user runs it, in this process."""

from __future__ import annotations

import json
import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from photomap_cli.cli import run
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.entities import FoundFile, LibraryEncoder, NewPhoto


def unit(*values):
    vector = np.asarray(values, np.float32)
    return vector / np.linalg.norm(vector)


def written(path, size):
    Path(path).write_bytes(bytes(size))
    os.utime(path, ns=(0, 0))


@pytest.fixture
def duplicates(tmp_path, capfdbinary):
    """Return a function that runs the command over a library of two copies, two shots and one that is alone."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with Catalog.open(tmp_path / "library", create=True) as catalog:
        catalog.set_encoder(LibraryEncoder("fake", 3, "float32"))
        for name, vector, size, digest in (
            ("a/1.jpg", unit(1, 0, 0), 5000, b"x" * 16),
            ("b/1\n.jpg", unit(1, 0, 0), 5000, b"x" * 16),
            ("a/2.jpg", unit(0, 1, 0), 9000, b"2" * 16),
            ("b/2.jpg", unit(0, 1, 0.1), 8000, b"3" * 16),
            ("b/3.jpg", unit(0, 0, 1), 7000, b"4" * 16),
        ):
            written(tmp_path / name, size)
            file = FoundFile.of(str(tmp_path / name), (tmp_path / name).stat())
            facts = {"taken_at": "2023-06-15T10:22:00", "width": 40, "height": 30, "camera": None}
            catalog.commit_batch([NewPhoto.of(file, vector, content_hash=digest, **facts)])

    def run_it(*words):
        status = run(["--library", str(tmp_path / "library"), "duplicates", *words])
        told = capfdbinary.readouterr()
        return status, told.out.decode(), told.err.decode()

    return run_it


def test_rows_for_a_pipe(duplicates, tmp_path):
    status, out, err = duplicates()
    rows = [line.split("\t") for line in out.splitlines()]
    assert (status, err) == (0, "")
    assert [row[:3] for row in rows] == [
        ["1", "identical", "keep"],
        ["1", "identical", "spare"],
        ["2", "similar", "keep"],
        ["2", "similar", "spare"],
    ]
    assert [row[5] for row in rows] == [
        str(tmp_path / name) for name in ("a/1.jpg", "b/1\\n.jpg", "a/2.jpg", "b/2.jpg")
    ]


def test_paths_are_those_that_could_go_and_never_the_best(duplicates, tmp_path):
    assert duplicates("--paths") == (0, f"{tmp_path}/b/1\n.jpg\n{tmp_path}/b/2.jpg\n", "")
    assert duplicates("-0", "--identical") == (0, f"{tmp_path}/b/1\n.jpg\0", "")


def test_json(duplicates, tmp_path):
    status, out, _ = duplicates("--json", "--threshold", "0.99")
    record = json.loads(out)
    assert status == 0
    assert (record["version"], record["threshold"], record["count"]) == (1, 0.99, 2)
    group = record["groups"][0]
    assert (group["kind"], group["spare_bytes"], [photo["keep"] for photo in group["photos"]]) == (
        "identical",
        5000,
        [True, False],
    )
    assert group["photos"][0] == {
        "path": str(tmp_path / "a" / "1.jpg"),
        "score": 1.0,
        "size_bytes": 5000,
        "taken_at": "2023-06-15T10:22:00",
        "width": 40,
        "height": 30,
        "keep": True,
    }


def test_photos_that_are_not_as_indexed_are_left_out_and_counted(duplicates, tmp_path):
    (tmp_path / "a/1.jpg").unlink()
    written(tmp_path / "a/2.jpg", 9001)
    told = "photomap: 2 photos left out, changed or gone; run `photomap index`\n"
    assert duplicates("--paths") == (1, "", told)
    assert duplicates("--identical", "-0")[:2] == (1, "")


def test_none_is_status_one_as_in_a_search(duplicates, tmp_path):
    assert duplicates(str(tmp_path / "a")) == (1, "", "")
    status, out, _ = duplicates(str(tmp_path / "a"), "--json")
    assert (status, json.loads(out)["groups"]) == (1, [])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--json", "--paths"], "can't be combined"),
        (["/nowhere"], "/nowhere isn't a folder"),
        (["--threshold", "2"], "takes a number from 0.5 to 1"),
    ],
)
def test_mistakes_are_one_line_and_a_hint(duplicates, words, told):
    status, out, err = duplicates(*words)
    assert (status, told in out + err) == (2, True)


def test_folders_are_meant_in_whatever_form_they_are_typed(duplicates, tmp_path):
    apart = unicodedata.normalize("NFD", "Été")
    (tmp_path / apart).mkdir()
    digest = b"y" * 16
    with Catalog.open(tmp_path / "library") as catalog:
        for name in ("1", "2"):
            path = tmp_path / apart / f"{name}.jpg"
            written(path, 4000)
            file = FoundFile.of(str(path), path.stat())
            facts = {"taken_at": None, "width": 40, "height": 30, "camera": None}
            catalog.commit_batch([NewPhoto.of(file, unit(0, 0, 1), content_hash=digest, **facts)])
    status, out, _ = duplicates(str(tmp_path / "Été"), "--paths")
    assert (status, out) == (0, f"{tmp_path}/{apart}/2.jpg\n")
