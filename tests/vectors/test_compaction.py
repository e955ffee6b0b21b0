"""Rows of gone photos are swept out: nothing that anybody sees changes, whoever reads, and whenever it is cut short."""

import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from library_fakes import DIM, new_photo, rows_on_disk, similar
from test_pq_tier import assert_same_as_exact, scans, small  # noqa: F401
from test_store import add, assert_agrees
from waiting import LONG_SECONDS

from photomap_cli.doctor.library import checks
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.file_lock import FileLock
from photomap_cli.records import CheckState
from photomap_cli.vectors import compaction, vector_file
from photomap_cli.vectors import store as vectors_module
from photomap_cli.vectors.file_header import PAGE, row_bytes
from photomap_cli.vectors.pq_file import PqFile
from photomap_cli.vectors.pq_tier import LOCK_NAME, PqTier
from photomap_cli.vectors.store import VectorStore
from photomap_cli.vectors.vector_file import VectorFile

COUNT, GONE = 1000, 300
SCRIPT = Path(__file__).with_name("killed_sweep.py")


@pytest.fixture(autouse=True)
def often(monkeypatch):
    """Let a sweep be worth while in a library of some hundred photos."""
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


def sweep(store):
    """Sweep, and see that nobody finds a trace of it but in the files."""
    before = store._view.count
    list(store.sweep())
    assert store._view.count == store._view.photo_count < before
    assert store._view.live is None
    assert store.drain_notices() == []
    assert drafts(store._catalog.folder) == []


def drafts(folder):
    return [path.name for path in folder.glob("*.new")]


def test_a_sweep_takes_the_rows_out_of_both_files_and_changes_no_answer(folder, catalog, thinned, vectors, monkeypatch):
    queries = similar(20, seed=3)
    before = [thinned.search(query, 10) for query in queries]
    sweep(thinned)
    assert (folder / vector_file.FILE_NAME).stat().st_size == 3 * PAGE + (COUNT - GONE) * row_bytes(DIM)  # 700 numbers
    assert rows_on_disk(folder) == dict(catalog.vectors_from(0))
    header = PqFile(folder).read().header
    assert (header.count, header.depth > 0) == ((COUNT - GONE) // 32 * 32, True)
    noted = scans(monkeypatch)
    for query, (rows, scores) in zip(queries, before, strict=True):
        found_rows, found_scores = thinned.search(query, 10)
        np.testing.assert_array_equal(found_rows, rows)
        np.testing.assert_array_equal(found_scores, scores)
    assert not noted


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("share", [None, 0.003, 0.1, 0.5, 0.9])
def test_filters_and_threads_give_the_same_after_a_sweep(
    folder, catalog, thinned, vectors, monkeypatch, threads, share
):
    monkeypatch.setattr(vectors_module, "THREADED_ROWS", 100)
    sweep(thinned)
    more = similar(50, seed=7)
    add(catalog, more, name="b")
    catalog.commit_batch([], [1, 2, COUNT + 3])
    everything, rng = np.concatenate([vectors, more]), np.random.default_rng(5)
    with VectorStore(folder, catalog, threads=threads) as store:
        for query in similar(5, seed=6):
            rows = None if share is None else rng.permutation(np.flatnonzero(rng.random(COUNT + 50) < share))
            assert_agrees(store, everything, query, 20, rows, catalog.rows())
        found, _ = store.search(more[9], 3, np.array([-1, 0, 1, COUNT + 9, COUNT + 50, 9999], np.int64))
        assert list(found) == [COUNT + 9]


def test_equal_scores_come_by_row_after_a_sweep(catalog, store):
    add(catalog, np.repeat(similar(4), 200, axis=0)[np.random.default_rng(3).permutation(800)])
    store.refresh()
    catalog.commit_batch([], range(0, 800, 3))
    store.refresh()
    sweep(store)
    for k in (1, 5, 100):
        rows = assert_same_as_exact(store, similar(4)[2], k)
        assert (np.diff(rows) > 0).all()


def test_few_gone_photos_are_left_where_they_are(folder, catalog, store, vectors, monkeypatch):
    add(catalog, vectors)
    store.refresh()
    catalog.commit_batch([], range(COUNT // compaction.SHARE))
    file = rows_inode(folder, store)
    assert list(store.sweep()) == []
    assert rows_inode(folder, store) == file
    catalog.commit_batch([], [999])
    monkeypatch.setattr(compaction, "LEAST", COUNT // compaction.SHARE + 2)
    assert list(store.sweep()) == []
    assert rows_inode(folder, store) == file
    catalog.commit_batch([], [998])
    list(store.sweep())
    assert rows_inode(folder, store) != file


def rows_inode(folder, store):
    store.refresh()
    return (folder / vector_file.FILE_NAME).stat().st_ino


def test_a_library_goes_on_from_a_sweep_to_the_next(folder, catalog, thinned):
    for turn in range(4):
        sweep(thinned)
        new = add(catalog, similar(200, seed=20 + turn), name=f"{turn}-")
        thinned.refresh()
        assert new[7] in thinned.search(similar(200, seed=20 + turn)[7], 3)[0]
        catalog.commit_batch([], catalog.rows()[::2])
        thinned.refresh()
        assert_same_as_exact(thinned, similar(1, seed=9)[0], 30)
    assert not [check for check in checks(folder) if check.state is CheckState.FAULT]
    with another(folder) as fresh:
        np.testing.assert_array_equal(fresh.search(similar(1)[0], 40)[0], thinned.search(similar(1)[0], 40)[0])


def test_a_library_without_photos_is_swept_empty_and_filled_again(folder, catalog, store, vectors):
    add(catalog, vectors)
    store.refresh()
    catalog.commit_batch([], range(COUNT))
    store.refresh()
    sweep(store)
    assert (folder / vector_file.FILE_NAME).stat().st_size == PAGE
    assert len(store.search(vectors[0], 5)[0]) == 0
    add(catalog, vectors[:20], name="b")
    store.refresh()
    assert list(store.search(vectors[3], 1)[0]) == [COUNT + 3]


def test_a_library_that_has_become_small_is_not_compressed_any_more(folder, catalog, thinned):
    catalog.commit_batch([], catalog.rows()[:200])
    thinned.refresh()
    sweep(thinned)
    assert not PqFile(folder).path.exists()
    assert_same_as_exact(thinned, similar(1, seed=4)[0], 10)


# Those who read meanwhile ---------------------------------------------------------------------------------------------


def test_a_session_moves_over_by_itself_although_nothing_is_committed(folder, thinned, monkeypatch):
    with another(folder) as session:
        query = similar(1, seed=8)[0]
        before = session.search(query, 10)
        sweep(thinned)
        session.refresh()
        noted = scans(monkeypatch)
        np.testing.assert_array_equal(session.search(query, 10), before)
        assert session._view.count == COUNT - GONE
        assert not noted
        assert session.drain_notices() == []


def test_a_search_under_way_ends_on_the_rows_it_began_with(folder, catalog, thinned):
    with another(folder) as session:
        query = similar(1, seed=8)[0]
        before = session.search(query, 10)
        sweep(thinned)
        new = PqFile(folder).path.stat().st_ino
        np.testing.assert_array_equal(
            session.search(query, 10), before
        )  # not refreshed: the compressed rows are not its
        assert session.drain_notices() == []
        assert PqFile(folder).path.stat().st_ino == new


def test_what_a_session_saw_before_it_looks_at_the_file_makes_no_noise(folder, catalog, thinned):
    snapshot = catalog.snapshot()
    catalog.commit_batch([], [1, 2, 4])
    sweep(thinned)
    notes = []
    file = VectorFile(folder, notes.append)
    assert file.map(snapshot) is None  # of photos that the file has no more
    _, mapped = file.repair(catalog.snapshot, catalog.vectors_from)
    assert (mapped.header.count, notes) == (COUNT - GONE - 3, [])


def test_photos_that_come_and_go_during_a_sweep_are_not_lost(folder, catalog, thinned, vectors, monkeypatch):
    adopt, new = VectorFile.adopt_draft, similar(40, seed=30)

    def adopt_after_commits(file, *given):
        add(catalog, new[:20], name="b")
        catalog.commit_batch([], [1])
        with another(folder):
            pass  # appends to the old file
        add(catalog, new[20:], name="c")
        return adopt(file, *given)

    monkeypatch.setattr(VectorFile, "adopt_draft", adopt_after_commits)
    list(thinned.sweep())
    for number, query in enumerate(new):
        assert COUNT + number in thinned.search(query, 2)[0]
    assert 1 not in thinned.search(vectors[1], 5)[0]
    assert thinned.drain_notices() == []
    assert rows_on_disk(folder).items() >= dict(catalog.vectors_from(0)).items()


def test_a_session_does_not_compress_rows_that_were_swept_meanwhile(folder, catalog, thinned, monkeypatch):
    with another(folder) as session:
        sweep(thinned)
        made = PqFile(folder).path.stat().st_ino
        session.compress_behind()  # what it knows is of before the sweep
        if session._compressing:
            session._compressing.join()
        assert PqFile(folder).path.stat().st_ino == made


def test_a_library_that_begins_again_during_a_sweep_is_not_given_its_old_rows(folder, catalog, thinned, monkeypatch):
    adopt, encoder = VectorFile.adopt_draft, catalog.encoder

    def adopt_after_beginning(file, *given):
        catalog.clear()
        thinned.begin_anew()
        catalog.set_encoder(encoder)
        add(catalog, similar(5, seed=40), name="b")
        return adopt(file, *given)

    monkeypatch.setattr(VectorFile, "adopt_draft", adopt_after_beginning)
    list(thinned.sweep())
    assert_agrees(thinned, similar(5, seed=40), similar(1)[0], 10)
    assert (thinned.drain_notices(), drafts(folder)) == ([], [])


def test_while_another_process_compresses_nothing_is_swept(folder, thinned):
    with FileLock(folder / LOCK_NAME):
        file = rows_inode(folder, thinned)
        assert list(thinned.sweep()) == []
        assert rows_inode(folder, thinned) == file
    sweep(thinned)


# Cut short ------------------------------------------------------------------------------------------------------------


def test_a_full_disk_leaves_the_files_as_they_were(folder, thinned, monkeypatch):
    file, query = rows_inode(folder, thinned), similar(1)[0]
    before = thinned.search(query, 10)

    def full(_descriptor):
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(vector_file, "_sync", full)
        list(thinned.sweep())
    with monkeypatch.context() as patched:
        patched.setattr("photomap_cli.vectors.pq_file.os.fsync", full)
        list(thinned.sweep())
    assert (rows_inode(folder, thinned), drafts(folder), thinned.drain_notices()) == (file, [], [])
    np.testing.assert_array_equal(thinned.search(query, 10), before)
    sweep(thinned)


def test_given_up_half_way_nothing_is_left(folder, thinned):
    file, steps = rows_inode(folder, thinned), thinned.sweep()
    next(steps)
    assert drafts(folder) != []
    steps.close()
    assert (rows_inode(folder, thinned), drafts(folder)) == (file, [])


def test_what_a_killed_process_left_of_a_sweep_that_is_not_due_any_more_goes(folder, catalog, store, vectors):
    add(catalog, vectors[:100])
    store.refresh()
    for name in (vector_file.DRAFT_NAME, "vectors.pq.new"):
        (folder / name).write_bytes(b"half a file")
        list(store.sweep())
        assert drafts(folder) == []


def test_a_sweep_that_another_process_has_just_done_is_not_done_again(folder, thinned, monkeypatch):
    take = FileLock.try_acquire

    def take_after_another(lock):
        monkeypatch.setattr(FileLock, "try_acquire", take)
        with another(folder) as other:
            sweep(other)
        return take(lock)

    monkeypatch.setattr(FileLock, "try_acquire", take_after_another)
    assert list(thinned.sweep()) == []
    assert thinned._view.count == COUNT - GONE


def test_compressed_rows_of_the_old_places_are_quietly_made_anew(folder, thinned, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(PqTier, "adopt_draft", lambda _tier: None)  # as if killed before it
        list(thinned.sweep())
    with another(folder) as session:
        noted = scans(monkeypatch)
        assert_same_as_exact(session, similar(1, seed=5)[0], 10)
        assert noted
        list(session.compress())
        noted.clear()
        session.search(similar(1, seed=5)[0], 10)
        assert (noted, session.drain_notices()) == ([], [])


def test_a_deletion_that_a_power_cut_took_back_brings_the_photo_back(folder, catalog, thinned, vectors, tmp_path):
    catalog.close()
    shutil.copy(folder / "catalog.sqlite", tmp_path / "before")
    with another(folder) as later:
        later._catalog.commit_batch([], [1, 2])
        later.refresh()
        sweep(later)
    shutil.copy(tmp_path / "before", folder / "catalog.sqlite")
    with another(folder) as restored:
        restored._catalog.commit_batch([], [4, 5])  # as many, but others
        restored.refresh()
        for row in (1, 2):
            assert row in restored.search(vectors[row], 3)[0]
        assert restored.drain_notices() == ["vectors.f16 did not match the catalogue and was made anew"]


@pytest.mark.parametrize("at", [PAGE, PAGE + 700 * 8 - 1])
def test_a_damaged_list_of_rows_is_noticed(folder, catalog, thinned, vectors, at):
    sweep(thinned)
    thinned.close()
    content = bytearray((folder / vector_file.FILE_NAME).read_bytes())
    content[at] ^= 4
    (folder / vector_file.FILE_NAME).write_bytes(content)
    with another(folder) as store:
        assert_agrees(store, vectors, vectors[7], 20, live=catalog.rows())
        assert store.drain_notices() == ["vectors.f16 did not match the catalogue and was made anew"]
    assert rows_on_disk(folder) == dict(catalog.vectors_from(0))


def test_a_row_that_differs_in_a_swept_file_is_named(folder, catalog, thinned):
    sweep(thinned)
    catalog.commit_batch([new_photo("/p/new.jpg", similar(1)[0])])
    thinned.refresh()
    assert not [check for check in checks(folder) if check.state is CheckState.FAULT]
    path = folder / vector_file.FILE_NAME
    content = bytearray(path.read_bytes())
    content[-1] ^= 4  # of the photo added since
    content[3 * PAGE] ^= 4  # of the first one
    path.write_bytes(content)
    (fault,) = [check for check in checks(folder) if check.state is CheckState.FAULT]
    assert fault.message == "rows that are not the catalogue's: 2"


@pytest.mark.skipif(sys.platform != "linux", reason="kill -9")
def test_a_sweep_that_is_killed_at_any_step_loses_nothing(folder, catalog, thinned, vectors):
    thinned.close()
    query, live = similar(1, seed=8)[0], catalog.rows()
    catalog.close()
    killed, steps = True, 0
    while killed:
        steps += 1
        victim = Path(shutil.copytree(folder, folder.with_name(f"victim{steps}")))
        run = subprocess.run([sys.executable, SCRIPT, victim, str(steps)], timeout=LONG_SECONDS)
        killed = run.returncode == -signal.SIGKILL
        assert killed or run.returncode == 0
        with another(victim) as store:
            assert_agrees(store, vectors, query, 20, live=live)
            assert_same_as_exact(store, query, 20)
            list(store.sweep())
            list(store.compress())
            assert_same_as_exact(store, query, 20)
            assert (store.drain_notices(), store._view.count) == ([], len(live))
        assert drafts(victim) == []
        assert rows_on_disk(victim).keys() == set(live.tolist())
        shutil.rmtree(victim)
    assert steps > 8
