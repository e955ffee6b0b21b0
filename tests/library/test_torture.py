import random
import subprocess
import sys
from pathlib import Path

import pytest

from photomap_cli.library.catalog import Catalog
from photomap_cli.library.indexer import Indexer, IndexOptions
from photomap_cli.library.vectors import VectorStore

from .fakes import FakeEncoder, expected_blob, picture
from .test_vectors import rows_on_disk

KILLS = 20


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_killing_a_run_at_any_moment_loses_nothing_committed(folder, photos):
    rng = random.Random(1)
    committed, interrupted = {}, 0
    for turn in range(KILLS):
        for number in range(60):
            picture(photos / f"{turn:02}-{number:02}.png", turn * 60 + number)
        for path in rng.sample(sorted(photos.iterdir()), 5):
            picture(path, rng.randrange(10**6))
        interrupted += _run_and_kill(folder, photos, rng)
        with Catalog.open(folder) as catalog, VectorStore(folder, catalog) as vectors:
            vectors.refresh()
            now = {photo.path: photo.row for photo in catalog.photos(catalog.rows())}
            assert set(committed) <= set(now)
            assert rows_match(folder, catalog)
            committed = now
    assert interrupted >= KILLS // 2
    with Catalog.open(folder) as catalog, VectorStore(folder, catalog) as vectors:
        list(Indexer(catalog, vectors, FakeEncoder, IndexOptions(jobs=2)).run([photos]))
        blobs = dict(catalog.vectors_from(0))
        stored = {Path(photo.path): blobs[photo.row] for photo in catalog.photos(catalog.rows())}
        assert stored == {path: expected_blob(path) for path in photos.iterdir()}
        assert rows_match(folder, catalog)


def rows_match(folder, catalog):
    rows = rows_on_disk(folder)
    assert len(rows) == catalog.next_row
    return all(rows[row] == blob for row, blob in catalog.vectors_from(0))


def _run_and_kill(folder, photos, rng):
    """Kill a run some moments after its first commit, mostly in the middle; return whether it was still running."""
    command = [sys.executable, Path(__file__).with_name("killed_run.py"), folder, photos]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for _ in range(rng.randrange(1, 20)):
            process.stdout.readline()
        try:
            process.wait(timeout=rng.random() * 0.01)
        except subprocess.TimeoutExpired:
            process.kill()
            return True
    return False
