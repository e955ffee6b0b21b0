"""A damaged library is told in a line with the way out, by every command: no traceback, and the exit statuses."""

from __future__ import annotations

import collections
import json
import random
import shutil
from dataclasses import replace

import numpy as np
import permissions
import pytest
from cases import cases
from damaged_library import SAID, damage, say, settle
from fake_encoder import CPU
from PIL import Image
from torture import inputs

from photomap_cli.cli import run
from photomap_cli.doctor import environment
from photomap_cli.encoder.process import EncoderProcess
from photomap_cli.images.thumbnail_cache import ThumbnailCache
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.entities import FoundFile, LibraryEncoder, NewPhoto
from photomap_cli.library.query_cache import QueryCache
from photomap_cli.vectors.store import VectorStore

CATALOGUES = inputs(20, 300)
PHOTOS = 12
ENCODER = replace(CPU, spec="tiny", dim=128)
COMMANDS = (
    ["status", "--json"],
    ["search", "--local", "./1.jpg after:2000", "--min-score", "-1"],
    ["search", "--local", "./2.jpg", "--min-score", "-1", "--json"],
    ["duplicates", "--json"],
    ["doctor"],
    ["index", "--dry-run", "."],
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A folder with photos, and a library of them with all its files."""
    home = tmp_path_factory.mktemp("sound")
    library, added = home / "library", []
    for number, vector in enumerate(np.random.default_rng(0).standard_normal((PHOTOS, 128)).astype(np.float32)):
        path = home / f"{number}.jpg"
        if number == 1:
            shutil.copyfile(home / "0.jpg", path)  # a duplicate, whatever sizes the noise of others comes to
        else:
            Image.effect_noise((60, 40), 60).save(path)
        info, unit = path.stat(), vector / np.linalg.norm(vector)
        facts = {"taken_at": "2023-01-02T03:04:05", "width": 60, "height": 40, "camera": "camera"}
        added.append(NewPhoto.of(FoundFile.of(str(path), info), unit, content_hash=b"0" * 16, **facts))
    with Catalog.open(library, create=True) as catalog, VectorStore(library, catalog) as store:
        catalog.change_roots([str(home)])
        catalog.set_encoder(LibraryEncoder("tiny", 128, "float32"))
        rows = catalog.commit_batch(added)
        catalog.commit_batch([], removed_rows=rows[3:5])
        store.refresh()
    with ThumbnailCache(library, max_bytes=1 << 20) as thumbnails:
        thumbnails.put((each.path, each.mtime_ns, b"webp" * 300) for each in added)
    queries = QueryCache(library, most=100)
    queries.put({bytes([number]) * 16: np.ones(128, np.float32) for number in range(50)})
    queries.close()
    settle(library)
    return home


@pytest.fixture
def tried(sound, tmp_path, capfd, monkeypatch):
    """Return a function that damages a copy of the library, and says what each command's exit status was."""
    monkeypatch.setattr(environment, "_encoder", lambda *_, **__: iter(()))
    # A photo whose vector is gone is encoded again; how an encoder starts is no matter here.
    monkeypatch.setattr(EncoderProcess, "load", lambda _: ENCODER)
    monkeypatch.setattr(EncoderProcess, "encode_images", lambda _, pixels: np.eye(len(pixels), 128, dtype=np.float32))
    monkeypatch.chdir(sound)

    def trial(do_damage):
        library = tmp_path / "library"
        shutil.rmtree(library, ignore_errors=True)
        shutil.copytree(sound / "library", library)
        do_damage(library)
        statuses = []
        for command in COMMANDS:
            statuses.append(run(["--library", str(library), *command]))
            told = capfd.readouterr()
            assert "Traceback" not in told.err + told.out, (command, told.err[-3000:])
            assert statuses[-1] in (0, 1, 2), (command, told)
            if "--json" in command:
                json.loads(told.out, parse_constant=pytest.fail)
            elif statuses[-1] == 2 and command != ["doctor"]:
                assert told.err.startswith("photomap: ")
                assert "\nhint: " in told.err
        return tuple(statuses)

    return trial


def test_a_sound_library_answers(tried):
    assert tried(lambda _: None) == (0, 0, 0, 0, 0, 0)


def test_randomly_damaged_catalogues_are_told(tried):
    counts = collections.Counter(
        tried(lambda library, seed=seed: damage(library / "catalog.sqlite", seed)) for seed in range(CATALOGUES)
    )
    assert sum(count for statuses, count in counts.items() if 2 in statuses) > CATALOGUES // 4


@cases("statement", SAID)
def test_a_catalogue_that_sqlite_opens_is_not_believed(tried, statement):
    tried(lambda library: say(library / "catalog.sqlite", statement))


@pytest.mark.parametrize("name", ["vectors.f16", "thumbnails.sqlite", "queries.sqlite"])
def test_damaged_derived_files_are_done_without(tried, name):
    for seed in range(CATALOGUES // 5):
        statuses = tried(lambda library, seed=seed: damage(library / name, seed))
        assert statuses[:4] == (0, 0, 0, 0), seed
        assert statuses[5] == 0


@pytest.mark.parametrize("mode", [0o000, 0o100, 0o400, 0o500])
def test_a_folder_that_nobody_may_read_or_write_is_told(tried, tmp_path, mode):
    with permissions.obeyed():
        statuses = tried(lambda library: library.chmod(mode))
        (tmp_path / "library").chmod(0o700)
    assert statuses == ((2,) * 6 if mode in (0o000, 0o400) else (0, 0, 0, 0, 0, 0))


@pytest.mark.parametrize("name", ["catalog.sqlite", "vectors.f16", "thumbnails.sqlite", "queries.sqlite"])
def test_a_file_that_nobody_may_read_is_told_or_done_without(tried, name):
    with permissions.obeyed():
        statuses = tried(lambda library: (library / name).chmod(0))
    assert statuses == ((2,) * 6 if name == "catalog.sqlite" else (0, 0, 0, 0, 0, 0))


def test_random_bytes_are_no_library(tried):
    for seed in range(5):
        content = random.Random(seed).randbytes(20_000)
        assert tried(lambda library, content=content: (library / "catalog.sqlite").write_bytes(content)) == (2,) * 6
