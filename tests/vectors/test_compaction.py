"""Gone photos' rows are given to others: no search sees a change, whoever reads, and whenever it is cut short."""

import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from library_fakes import DIM, new_photo, rows_on_disk, similar, stored_vector
from test_pq_tier import assert_same_as_exact, scans, small  # noqa: F401
from test_store import add, assert_agrees
from torture import IS_LONG
from waiting import LONG_SECONDS

from photomap_cli.doctor.library import checks
from photomap_cli.library import compaction
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.contents import Contents
from photomap_cli.records import CheckState
from photomap_cli.search import near_duplicates
from photomap_cli.vectors import store as vectors_module
from photomap_cli.vectors import vector_file
from photomap_cli.vectors.file_header import PAGE, row_bytes
from photomap_cli.vectors.pq_file import PqFile
from photomap_cli.vectors.store import VectorStore

COUNT, GONE = 1000, 300
LEFT = [number for number in range(COUNT) if number % 3 or number >= 3 * GONE]
SCRIPT = Path(__file__).with_name("killed_compaction.py")
STRIDE = 1 if IS_LONG else 4
"""Killed at every step where it may take long, else at one in so many."""


@pytest.fixture(autouse=True)
def often(monkeypatch):
    """Let it be worth while in a library of some hundred photos."""
    monkeypatch.setattr(compaction, "LEAST", 10)


@pytest.fixture
def vectors():
    return similar(COUNT)


@pytest.fixture
def thinned(catalog, store, vectors):
    """A store of compressed rows, 300 of which have gone since: every third of the first 900."""
    add(catalog, vectors)
    list(store.compress())
    catalog.commit_batch([], range(0, 3 * GONE, 3))
    store.refresh()
    return store


@contextmanager
def another(folder):
    """The library as another process has it open."""
    with Catalog.open(folder) as catalog, VectorStore(folder, catalog) as store:
        store.refresh()
        yield store


def compact(store, *, compress=True):
    """Do what an index run does at its end, and see that nobody finds a trace of gone photos."""
    catalog, before = store._catalog, store._catalog.library_id
    catalog.shrink()
    assert catalog.library_id != before
    store.refresh()
    assert store._view.live is None
    assert catalog.rows().tolist() == list(range(catalog.next_row)) == list(range(catalog.photo_count))
    if compress:
        list(store.compress())
    assert store.drain_notices() == []
    assert drafts(catalog.folder) == []


def drafts(folder):
    return [path.name for path in folder.glob("*.new")]


def found(store, query, k, **options):
    """Return the paths of the photos that a search finds, and their scores."""
    rows, scores = store.search(query, k, **options)
    return [photo.path for photo in store._catalog.photos(rows)], scores.tolist()


def paths(catalog):
    """Return the path of every photo, by row."""
    return [photo.path for photo in catalog.photos(catalog.rows())]


def test_it_takes_the_rows_out_of_all_files_and_changes_no_answer(folder, catalog, thinned, vectors, monkeypatch):
    queries = similar(20, seed=3)
    before = [found(thinned, query, 10) for query in queries]
    compact(thinned)
    assert (folder / vector_file.FILE_NAME).stat().st_size == PAGE + (COUNT - GONE) * row_bytes(DIM)
    assert rows_on_disk(folder) == dict(catalog.vectors_from(0))
    assert paths(catalog) == [f"/p/a{number}.jpg" for number in LEFT]
    header = PqFile(folder).read().header
    assert (header.count, header.depth > 0) == ((COUNT - GONE) // 32 * 32, True)
    noted = scans(monkeypatch)
    assert [found(thinned, query, 10) for query in queries] == before
    assert not noted


def test_every_fact_stays_with_its_photo(catalog, thinned):
    facts = {path: (catalog.details(path), catalog.seen_files(path)[path][1:]) for path in paths(catalog)}
    by_path = {path: stored_vector(catalog, catalog.photo_at(path).row).tobytes() for path in facts}
    compact(thinned)
    assert {path: (catalog.details(path), catalog.seen_files(path)[path][1:]) for path in paths(catalog)} == facts
    assert {path: stored_vector(catalog, catalog.photo_at(path).row).tobytes() for path in facts} == by_path


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("share", [None, 0.003, 0.5, 0.9])
def test_filters_and_threads_give_the_same_afterwards(folder, catalog, thinned, vectors, monkeypatch, threads, share):
    monkeypatch.setattr(vectors_module, "THREADED_ROWS", 100)
    compact(thinned)
    add(catalog, similar(50, seed=7), name="b")
    catalog.commit_batch([], [1, 2, 703])
    everything, rng = np.concatenate([vectors[LEFT], similar(50, seed=7)]), np.random.default_rng(5)
    with VectorStore(folder, catalog, threads=threads) as store:
        for query in similar(5, seed=6):
            rows = None if share is None else rng.permutation(np.flatnonzero(rng.random(len(everything)) < share))
            assert_agrees(store, everything, query, 20, rows, catalog.rows())


def test_equal_scores_come_in_the_same_order_afterwards(catalog, store):
    add(catalog, np.repeat(similar(4), 200, axis=0)[np.random.default_rng(3).permutation(800)])
    store.refresh()
    catalog.commit_batch([], range(0, 800, 3))
    store.refresh()
    before = [found(store, similar(4)[2], k) for k in (1, 5, 100)]
    compact(store)
    assert [found(store, similar(4)[2], k) for k in (1, 5, 100)] == before
    assert (np.diff(assert_same_as_exact(store, similar(4)[2], 100)) > 0).all()


def test_few_gone_photos_are_left_where_they_are(catalog, store, vectors, monkeypatch):
    add(catalog, vectors)
    catalog.commit_batch([], range(COUNT // compaction.SHARE))
    before = catalog.library_id
    catalog.shrink()
    assert catalog.library_id == before
    catalog.commit_batch([], [999])
    monkeypatch.setattr(compaction, "LEAST", COUNT // compaction.SHARE + 2)
    catalog.shrink()
    assert catalog.library_id == before
    catalog.commit_batch([], [998])
    catalog.shrink()
    assert (catalog.library_id != before, catalog.next_row) == (True, COUNT * 4 // 5 - 2)


def test_a_library_goes_on_from_one_to_the_next(folder, catalog, thinned):
    for turn in range(4):
        compact(thinned)
        new = similar(200, seed=20 + turn)
        rows = add(catalog, new, name=f"{turn}-")
        thinned.refresh()
        assert rows[7] in thinned.search(new[7], 3)[0]
        catalog.commit_batch([], catalog.rows()[::2])
        thinned.refresh()
        assert_same_as_exact(thinned, similar(1, seed=9)[0], 30)
    assert not [check for check in checks(folder) if check.state is CheckState.FAULT]
    with another(folder) as fresh:
        assert found(fresh, similar(1)[0], 40) == found(thinned, similar(1)[0], 40)


def test_a_library_without_photos_is_emptied_and_filled_again(catalog, store, vectors):
    add(catalog, vectors)
    store.refresh()
    catalog.commit_batch([], range(COUNT))
    catalog.shrink()
    assert (catalog.next_row, catalog.encoder.spec) == (0, "fake")
    store.refresh()
    assert len(store.search(vectors[0], 5)[0]) == 0
    add(catalog, vectors[:20], name="b")
    store.refresh()
    assert list(store.search(vectors[3], 1)[0]) == [3]
    assert store.drain_notices() == []


def test_a_library_that_has_become_small_is_not_compressed_any_more(folder, catalog, thinned):
    catalog.commit_batch([], catalog.rows()[:200])
    compact(thinned)
    assert not PqFile(folder).path.exists()
    assert_same_as_exact(thinned, similar(1, seed=4)[0], 10)


# Those who read meanwhile ---------------------------------------------------------------------------------------------


def test_a_session_moves_over_by_itself(folder, thinned, monkeypatch):
    with another(folder) as session:
        query = similar(1, seed=8)[0]
        before = found(session, query, 10)
        compact(thinned)
        session.refresh()
        noted = scans(monkeypatch)
        assert found(session, query, 10) == before
        assert session._view.count == COUNT - GONE
        assert not noted
        assert session.drain_notices() == []


def test_a_search_under_way_ends_on_the_rows_it_began_with(folder, thinned):
    with another(folder) as session:
        query = similar(1, seed=8)[0]
        before = session.search(query, 10)
        compact(thinned)
        new = PqFile(folder).path.stat().st_ino
        np.testing.assert_array_equal(session.search(query, 10), before)  # not refreshed: the new files are not its
        session.compress_behind()
        if session._compressing:
            session._compressing.join()
        assert session.drain_notices() == []
        assert PqFile(folder).path.stat().st_ino == new


def test_until_the_rows_are_compressed_again_all_are_scanned(folder, thinned, monkeypatch):
    compact(thinned, compress=False)
    noted = scans(monkeypatch)
    assert_same_as_exact(thinned, similar(1, seed=5)[0], 10)
    assert noted
    list(thinned.compress())
    noted.clear()
    thinned.search(similar(1, seed=5)[0], 10)
    assert (noted, thinned.drain_notices()) == ([], [])


def test_work_whose_rows_become_those_of_other_photos_is_done_again(catalog, thinned):
    there = paths(catalog)

    def names(overtaken):
        rows = catalog.rows()[:50]
        if overtaken:
            catalog.shrink()
        return [photo.path for photo in catalog.photos(rows)]

    assert names(overtaken=True) != there[:50]
    tries = [False, True]
    assert catalog.of_one_numbering(lambda: names(tries.pop())) == there[:50]


def test_a_row_that_is_gone_is_looked_for_again_only_where_rows_are_others(catalog, thinned):
    last, tries = int(catalog.rows()[-1]), []

    def look():
        tries.append(None)
        if len(tries) == 2:
            return "found"
        catalog.shrink()
        return stored_vector(catalog, last)

    assert (catalog.of_one_numbering(look), len(tries)) == ("found", 2)
    with pytest.raises(KeyError):
        catalog.of_one_numbering(lambda: stored_vector(catalog, last))


def test_duplicates_are_never_other_photos(folder, catalog, monkeypatch):
    """What is listed as spare is what people delete."""
    for number in range(40):
        path = folder.parent / f"{number}.jpg"
        path.write_bytes(bytes([number // 2]) * 5)
        info = path.stat()
        facts = {"size_bytes": 5, "mtime_ns": info.st_mtime_ns, "ctime_ns": info.st_ctime_ns, "inode": info.st_ino}
        catalog.commit_batch([new_photo(str(path), content_hash=bytes([number // 2]) * 16, **facts)])
    catalog.commit_batch([], range(0, 20))
    wanted = near_duplicates.find(catalog, threshold=0.99, only_identical=True)
    read = Contents.copies_of

    def overtaken(*asked):
        monkeypatch.setattr(Contents, "copies_of", read)
        with Catalog.open(folder) as other:
            other.shrink()
        return read(*asked)

    monkeypatch.setattr(Contents, "copies_of", overtaken)
    assert near_duplicates.find(catalog, threshold=0.99, only_identical=True) == wanted
    assert len(wanted) == 10
    assert catalog.next_row == 20


# Cut short ------------------------------------------------------------------------------------------------------------


def test_a_full_disk_leaves_all_as_it_was(folder, catalog, thinned):
    before, query = (catalog.library_id, paths(catalog)), similar(1)[0]
    answer = found(thinned, query, 10)
    connection = catalog._database._connection
    connection.execute("CREATE TEMP TRIGGER last BEFORE DELETE ON main.tombstones BEGIN SELECT raise(ABORT, ''); END")
    catalog.shrink()
    assert (catalog.library_id, paths(catalog)) == before
    assert found(thinned, query, 10) == answer
    connection.execute("DROP TRIGGER temp.last")
    compact(thinned)


def test_a_file_that_cannot_be_written_costs_no_answer(folder, catalog, thinned, monkeypatch):
    query = similar(1)[0]
    before = found(thinned, query, 10)

    def full(_descriptor):
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(vector_file, "sync", full)
        compact(thinned, compress=False)
        assert found(thinned, query, 10) == before
    assert drafts(folder) == []


def test_a_catalogue_that_is_not_sound_is_left_as_it_is(folder, catalog, thinned):
    with catalog._database.writing() as connection:
        connection.execute("DELETE FROM photos WHERE row = 1")  # and not its vector
    before = catalog.library_id
    catalog.shrink()
    assert catalog.library_id == before
    assert [check for check in checks(folder) if check.state is CheckState.FAULT]


def test_a_backup_from_before_is_a_library_again(folder, catalog, thinned, vectors, tmp_path):
    catalog.close()
    shutil.copy(folder / "catalog.sqlite", tmp_path / "before")
    with another(folder) as later:
        later._catalog.commit_batch([], [1, 2])
        later.refresh()
        compact(later)
    shutil.copy(tmp_path / "before", folder / "catalog.sqlite")
    with another(folder) as restored:
        for row in (1, 2):
            assert row in restored.search(vectors[row], 3)[0]
        assert restored.drain_notices() == []


def test_a_deletion_that_a_backup_takes_back_brings_the_photo_back(folder, catalog, thinned, vectors, tmp_path):
    catalog.close()
    shutil.copy(folder / "catalog.sqlite", tmp_path / "before")
    with another(folder) as later:
        later._catalog.commit_batch([], [1, 2])
        (folder / vector_file.FILE_NAME).unlink()
        later.refresh()  # without the two
    shutil.copy(tmp_path / "before", folder / "catalog.sqlite")
    with another(folder) as restored:
        for row in (1, 2):
            assert row in restored.search(vectors[row], 3)[0]
        assert restored.drain_notices() == ["vectors.f16 didn't match the library and was rebuilt"]


def test_a_row_that_differs_afterwards_is_named(folder, catalog, thinned):
    compact(thinned)
    catalog.commit_batch([new_photo("/p/new.jpg", similar(1)[0])])
    thinned.refresh()
    assert not [check for check in checks(folder) if check.state is CheckState.FAULT]
    path = folder / vector_file.FILE_NAME
    content = bytearray(path.read_bytes())
    content[-1] ^= 4  # of the photo added since
    content[PAGE] ^= 4  # of the first one
    path.write_bytes(content)
    (fault,) = [check for check in checks(folder) if check.state is CheckState.FAULT]
    assert fault.message == "rows that differ from the library: 2"


@pytest.mark.skipif(sys.platform != "linux", reason="kill -9")
def test_killed_at_any_step_it_loses_nothing(folder, catalog, thinned):
    query = similar(1, seed=8)[0]
    before, there = found(thinned, query, 20), paths(catalog)
    thinned.close()
    catalog.close()
    killed, steps, ids = True, 1 - STRIDE, set()
    while killed:
        steps += STRIDE
        victim = Path(shutil.copytree(folder, folder.with_name(f"victim{steps}")))
        run = subprocess.run([sys.executable, SCRIPT, victim, str(steps)], timeout=LONG_SECONDS)
        killed = run.returncode == -signal.SIGKILL
        assert killed or run.returncode == 0
        with another(victim) as store:
            assert (found(store, query, 20), paths(store._catalog)) == (before, there)
            ids.add(store._catalog.next_row)
            store._catalog.shrink()
            store.refresh()
            list(store.compress())
            assert (found(store, query, 20), paths(store._catalog)) == (before, there)
            assert (store.drain_notices(), store._view.count) == ([], len(there))
            assert rows_on_disk(victim) == dict(store._catalog.vectors_from(0))
        assert drafts(victim) == []
        shutil.rmtree(victim)
    assert steps > 20
    assert ids == {COUNT, COUNT - GONE}
