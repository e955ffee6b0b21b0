"""`photomap index --rebuild --encoder X`, killed and gone on with, as a user runs it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from command_line import run_here
from PIL import Image
from safetensors.numpy import load_file, save_file
from waiting import LONG_SECONDS

import photomap_cli.encoder
from photomap_cli.library import user_data
from photomap_cli.library.albums import as_members
from photomap_cli.library.catalog import Catalog

pytestmark = pytest.mark.usefixtures("one_encoder_process")

PHOTOS = 60


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    dice = np.random.default_rng(1)
    for number in range(PHOTOS):
        Image.fromarray(dice.integers(0, 256, (6, 8, 3), np.uint8)).resize((64, 48)).save(folder / f"{number:03}.png")
    return folder


@pytest.fixture
def other(tmp_path):
    """The embedded encoder under another name."""
    folder = tmp_path / "other"
    shutil.copytree(Path(photomap_cli.encoder.__file__).parent / "tiny", folder)
    return f"local-dir:{folder}"


@pytest.fixture
def photomap(tmp_path):
    """Return a function that runs a command over the test's library: its exit status, output and errors."""

    def photomap(*words):
        library = f"--library={tmp_path / 'library'}"
        done = run_here(library, *words, cwd=tmp_path, environment=os.environ)
        return done.returncode, done.stdout, done.stderr

    return photomap


def train(weights):
    """Have other weights lie where these do, as after another training."""
    tensors = load_file(weights)
    projection = tensors["text_projection"]
    save_file({**tensors, "text_projection": projection[:, ::-1].copy()}, weights.with_name("new"))
    weights.with_name("new").replace(weights)


def test_weights_that_change_under_their_name_are_never_mixed(photomap, tmp_path, photos, other):
    for number in range(3, PHOTOS):
        (photos / f"{number:03}.png").unlink()

    anything = ("--json", "--min-score", "-1")
    assert photomap("index", "photos", "--encoder", other, "-q")[0] == 0
    status, before, _ = photomap("search", "a red car", *anything)
    assert status == 0
    train(Path(other.removeprefix("local-dir:")) / "open_clip_model.safetensors")
    status, _, told = photomap("search", "snowy mountains")
    assert (status, told.count("\n")) == (2, 2)
    assert f"{other} has other weights now" in told
    assert "photomap index --rebuild" in told
    status, again, _ = photomap("search", "a red car", *anything)  # asked before: the old weights' answer to it
    assert (status, json.loads(again)["hits"]) == (0, json.loads(before)["hits"])
    assert photomap("index", "--rebuild", "-q")[0] == 0
    status, after, _ = photomap("search", "a red car", *anything)
    assert status == 0
    scores = [{hit["path"]: hit["score"] for hit in json.loads(each)["hits"]} for each in (before, after)]
    assert scores[0][str(photos / "001.png")] != scores[1][str(photos / "001.png")]


def test_a_library_of_another_version_says_the_way_out_and_that_works(photomap, tmp_path, photos):
    for number in range(3, PHOTOS):
        (photos / f"{number:03}.png").unlink()
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in photos.iterdir()}
    library = tmp_path / "library"
    with Catalog.open(library, create=True) as catalog:
        catalog.change_roots([str(photos)])
    with closing(sqlite3.connect(library / "catalog.sqlite")) as connection:
        connection.executescript("PRAGMA user_version = 8; ALTER TABLE photos ADD COLUMN stars INTEGER")

    refused = f"photomap: the library {library} has another format: version 8, not 1\nhint: `photomap index --rebuild "
    for words in (["search", "a red car"], ["index", "photos"], ["duplicates"]):
        status, out, told = photomap(*words)
        assert (status, told.startswith(refused)) == (2, True), words
    status, out, told = photomap("status", "--json")
    known = json.loads(out)["library"]
    assert (status, known["error"]["code"], known["roots"], known["photos"]) == (0, "library_format", [str(photos)], 0)
    status, out, told = photomap("status")
    assert (status, "made by another version of photomap; `photomap index --rebuild" in out) == (0, True)
    status, out, told = photomap("index", "--rebuild", "--encoder", "tiny", "--dry-run")
    assert (status, "3 would be added" in out) == (0, True), out
    assert f"photomap: the library has another format; a rebuild would encode what is in {photos}\n" in told
    status, out, told = photomap("index", "--rebuild", "--encoder", "tiny")
    assert (status, "3 added" in out) == (0, True), out
    assert f"photomap: the library has another format; encoding what is in {photos}\n" in told
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in photos.iterdir()} == before
    assert photomap("status", "--json")[0] == 0


def test_a_killed_rebuild_goes_on_where_it_was_and_the_old_vectors_answer_meanwhile(photomap, photos, other, tmp_path):
    def done(*words):
        status, out, told = photomap(*words)
        assert status == 0, told
        return out, told

    def encoder_that_answers():  # about a photo of the library, so nothing has to be loaded
        found = json.loads(done("search", "./photos/007.png", "--json", "--min-score", "-1", "-k", "3")[0])
        return found["encoder"], len(found["hits"])

    done("index", "photos", "--encoder", "tiny", "-q")
    rebuild = ["index", "--rebuild", "--encoder", other, "--json", "--jobs", "1"]
    draft = tmp_path / "library" / "rebuild"
    program = Path(__file__).with_name("stopped_index.py")
    killed = [sys.executable, str(program), str(int(signal.SIGKILL)), f"--library={tmp_path / 'library'}", *rebuild]
    assert subprocess.run(killed, cwd=tmp_path, timeout=LONG_SECONDS).returncode == -signal.SIGKILL
    with closing(sqlite3.connect(f"file:{draft}/catalog.sqlite?mode=ro", uri=True)) as connection:
        (kept,) = connection.execute("SELECT count(*) FROM photos").fetchone()
    assert 0 < kept < PHOTOS
    assert encoder_that_answers() == ("tiny", 3)
    assert f"photomap index --rebuild --encoder {other}" in done("index", "photos")[1]
    report = json.loads(done(*rebuild)[0])
    assert (report["unchanged"], report["added"], report["failed"]) == (kept, PHOTOS - kept, 0)
    assert encoder_that_answers() == (other, 3)
    assert not draft.exists()


def test_albums_and_saved_searches_outlive_another_encoder_and_a_library_of_another_format(
    photomap, photos, other, tmp_path
):
    assert photomap("index", "photos", "--encoder", "tiny")[0] == 0
    library = tmp_path / "library"
    best = [str(photos / name) for name in ("001.png", "002.png", "003.png")]
    with Catalog.open(library) as catalog:
        user_data.add(library, "Best", as_members(catalog, best))
    user_data.save_search(library, "firsts", "album:best name:001*")
    (photos / "002.png").rename(photos / "renamed.png")
    assert photomap("index", "--rebuild", "--encoder", other)[0] == 0
    assert sorted(photomap("search", "album:best", "--paths", "--local")[1].split()) == [
        *(best[0], best[2]),
        str(photos / "renamed.png"),
    ]
    with closing(sqlite3.connect(library / "catalog.sqlite")) as connection:
        connection.execute("PRAGMA user_version = 999")
    assert photomap("index", "--rebuild")[0] == 0
    assert photomap("search", "@@firsts", "--paths", "--local")[:2] == (0, f"{best[0]}\n")
