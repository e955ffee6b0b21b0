"""Photos come and go, rows are compacted and compressed, and the process is killed at any moment; see torture.py."""

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from killed_store import MOST_DELETED, NEVER_DELETED, numbers, photo, vector_of
from library_fakes import rows_on_disk, similar
from test_pq_tier import small  # noqa: F401
from torture import IS_LONG, kills

from photomap_cli.vectors.pq_file import PqFile
from photomap_cli.vectors.store import VectorStore

KILLS = kills()
COMPACTIONS = 60 if IS_LONG else 2
RUN = Path(__file__).with_name("killed_store.py")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kill -9")


def test_what_was_added_or_deleted_before_a_kill_is_so_afterwards(folder, catalog):
    catalog.commit_batch([photo(number) for number in range(700)])
    there, gone, rng = set(range(700)), set(), random.Random(5)
    for turn in range(KILLS):
        lines = killed(folder, turn, rng, amid=(None, "compacting", "compressing")[turn % 3])
        for word, *rows in (line.split() for line in lines):
            if word == "added":
                there |= set(range(*map(int, rows)))
            if word == "deleted":
                gone |= set(map(int, rows))
        left = set(numbers(catalog))
        assert not gone & left
        assert len(there - gone - left) <= MOST_DELETED  # by the commit that could not be told any more
        there = left
        assert_answers_are_right(folder, catalog)
    with VectorStore(folder, catalog) as store:
        catalog.shrink()
        list(store.compress())
    assert PqFile(folder).read().header.depth
    assert not list(folder.glob("*.new"))


def killed(folder, seed, rng, *, amid=None):
    """Start the process, kill it some time after its first commit, or amid some work, and return the lines it wrote."""
    with subprocess.Popen([sys.executable, RUN, folder, str(seed)], stdout=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline()]
        while amid and not lines[-1].startswith(amid):
            lines.append(process.stdout.readline())
            assert lines[-1]
        try:
            process.wait(timeout=rng.random() * rng.choice((0.02, 0.02 if amid else 0.5)))
        except subprocess.TimeoutExpired:
            process.kill()
        lines += process.stdout
    assert process.returncode < 0
    return [line.strip() for line in lines if line.endswith("\n")]


def test_who_reads_meanwhile_never_misses_a_photo_nor_sees_a_wrong_score(folder, catalog):
    catalog.commit_batch([photo(number) for number in range(700)])
    compactions, rng = 0, random.Random(6)
    with (
        subprocess.Popen([sys.executable, RUN, folder, "1"], stdout=subprocess.PIPE, text=True) as process,
        VectorStore(folder, catalog) as store,
    ):
        try:
            while compactions < COMPACTIONS:
                line = process.stdout.readline()
                assert line
                compactions += line.startswith("compacted")
                number = rng.randrange(NEVER_DELETED)
                found, scores = catalog.of_one_numbering(lambda number=number: nearest(catalog, store, number))
                assert found[0] == number
                scores = scores[: len(found)] if len(found) == 5 else []  # one may have gone in between
                for each, score in zip(found, scores, strict=False):
                    np.testing.assert_allclose(score, vector_of(each) @ vector_of(number), atol=2e-3)
            assert store.drain_notices() == []
        finally:
            process.kill()


def nearest(catalog, store, number):
    """Return the numbers of the photos that are most like one, as a session finds them, and their scores."""
    store.refresh()
    found, scores = store.search(vector_of(number), 5)
    return numbers(catalog, found), scores


def assert_answers_are_right(folder, catalog):
    """A search sees just what the catalogue holds, at every tier, and has nothing to complain of."""
    rows = catalog.rows()
    blobs = dict(catalog.vectors_from(0))
    with VectorStore(folder, catalog) as store:
        for query in similar(3, seed=len(rows)):
            found, scores = store.search(query, 20)
            best = np.array([np.frombuffer(blobs[row], np.float16) for row in rows]).astype(np.float32) @ query
            np.testing.assert_array_equal(found, rows[np.lexsort((rows, -best))[:20]])
            exact, exact_scores = store.search(query, 20, exact=True)
            np.testing.assert_array_equal(found, exact)
            np.testing.assert_array_equal(scores, exact_scores)
        assert store.drain_notices() == []
    on_disk = rows_on_disk(folder)
    assert [row for row, blob in blobs.items() if on_disk.get(row) != blob] == []
