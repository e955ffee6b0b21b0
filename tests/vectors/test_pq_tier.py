import errno
import logging
import shutil

import numpy as np
import pytest
from library_fakes import similar, unit_vectors
from test_store import add, reference

from photomap_cli.library.catalog import Catalog
from photomap_cli.library.entities import LibraryEncoder
from photomap_cli.library.file_lock import FileLock
from photomap_cli.vectors import pq_file, pq_tier, pq_training
from photomap_cli.vectors import store as vectors_module
from photomap_cli.vectors.file_header import PAGE
from photomap_cli.vectors.pq_file import BLOCK, Header, PqFile
from photomap_cli.vectors.pq_tier import LOCK_NAME
from photomap_cli.vectors.store import VectorStore

COUNT = 3000


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Let a library of some hundred photos be a large one."""
    monkeypatch.setattr(pq_training, "ROWS", 600)
    monkeypatch.setattr(pq_file, "RERANKED", 64)
    monkeypatch.setattr(pq_file, "RERANKED_PER_HIT", 4)
    monkeypatch.setattr(pq_file, "DEEPEST_SHARE", 2)


@pytest.fixture
def vectors():
    return similar(COUNT)


@pytest.fixture
def compressing(catalog, vectors, store):
    """A store whose rows are compressed."""
    add(catalog, vectors)
    made = list(store.compress())
    assert made[-1] == (COUNT // BLOCK * BLOCK, COUNT)
    return store


def scans(monkeypatch):
    """Note each scan of all rows."""
    noted = []
    scan = VectorStore._scan
    monkeypatch.setattr(VectorStore, "_scan", lambda *given: noted.append(given) or scan(*given))
    return noted


def assert_same_as_exact(store, query, k):
    """The scores are those of the exact scan to the last bit."""
    rows, scores = store.search(query, k)
    exact_rows, exact_scores = store.search(query, k, exact=True)
    np.testing.assert_array_equal(rows, exact_rows)
    np.testing.assert_array_equal(scores, exact_scores)
    return rows


@pytest.mark.parametrize("k", [1, 10, 100])
def test_a_large_library_is_not_scanned_and_answers_are_the_same(compressing, monkeypatch, k):
    exact = [compressing.search(query, k, exact=True) for query in similar(20, seed=1)]
    noted = scans(monkeypatch)
    for query, (rows, scores) in zip(similar(20, seed=1), exact, strict=True):
        found_rows, found_scores = compressing.search(query, k)
        np.testing.assert_array_equal(found_rows, rows)
        np.testing.assert_array_equal(found_scores, scores)
    assert not noted


def test_a_small_library_is_not_compressed(folder, catalog, store, vectors):
    add(catalog, vectors[:599])
    assert list(store.compress()) == []
    assert not PqFile(folder).path.exists()
    assert_same_as_exact(store, vectors[0], 10)


def test_exact_and_deep_searches_scan_all(compressing, vectors, monkeypatch):
    noted = scans(monkeypatch)
    compressing.search(vectors[0], 10, exact=True)
    assert len(noted) == 1
    assert_same_as_exact(compressing, vectors[0], 2000)


def test_new_photos_are_found_at_once(catalog, compressing, vectors, monkeypatch):
    new = add(catalog, similar(100, seed=2), name="b")
    noted = scans(monkeypatch)
    compressing.refresh()
    for row, query in zip(new, similar(100, seed=2), strict=True):
        assert row in compressing.search(query, 3)[0]
    assert not noted
    assert_same_as_exact(compressing, vectors[5], 50)


def test_deleted_photos_are_gone_at_once_and_others_take_their_place(catalog, compressing, vectors):
    best, _ = compressing.search(vectors[7], 400)
    catalog.commit_batch([], best[:300])
    compressing.refresh()
    rows = assert_same_as_exact(compressing, vectors[7], 100)
    np.testing.assert_array_equal(rows, best[300:400])


def test_when_nearly_all_photos_are_gone_the_rest_is_found(catalog, compressing, vectors):
    catalog.commit_batch([], range(COUNT - 5))
    compressing.refresh()
    rows = assert_same_as_exact(compressing, vectors[0], 10)
    assert set(rows) == set(range(COUNT - 5, COUNT))


def test_copies_come_by_row_also_where_k_cuts_them(catalog, store):
    copies = np.repeat(similar(8), 300, axis=0)[np.random.default_rng(3).permutation(2400)]
    add(catalog, copies)
    list(store.compress())
    for k in (1, 5, 299, 300, 301):
        assert_same_as_exact(store, similar(8)[2], k)


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.5])
def test_filters_are_exact(compressing, vectors, share):
    rng = np.random.default_rng(4)
    for query in similar(20, seed=5):
        among = np.flatnonzero(rng.random(COUNT) < share)
        rows, scores = compressing.search_rows(query, 10, among)
        expected_rows, expected_scores = reference(vectors, query, 10, among)
        np.testing.assert_array_equal(rows, expected_rows)
        np.testing.assert_allclose(scores, expected_scores, atol=1e-5)


def test_a_filter_that_all_photos_meet_is_none(catalog, compressing, vectors, monkeypatch):
    catalog.commit_batch([], [5])
    compressing.refresh()
    noted = scans(monkeypatch)
    rows, scores = compressing.search_rows(vectors[5], 10, catalog.rows())
    assert not noted
    np.testing.assert_array_equal(rows, compressing.search(vectors[5], 10)[0])
    np.testing.assert_array_equal(scores, compressing.search(vectors[5], 10)[1])
    compressing.search_rows(vectors[5], 10, catalog.rows()[1:])
    compressing.search_rows(vectors[5], 10, catalog.rows(), exact=True)
    assert len(noted) == 2


def test_what_one_process_made_another_uses(folder, catalog, compressing, vectors, monkeypatch):
    with Catalog.open(folder) as later, VectorStore(folder, later) as other:
        noted = scans(monkeypatch)
        other.search(vectors[3], 10)
        assert not noted
        assert list(other.compress()) == []


def test_a_live_store_takes_up_what_is_made_while_it_runs(folder, catalog, store, vectors, monkeypatch):
    add(catalog, vectors)
    noted = scans(monkeypatch)
    store.search(vectors[3], 10)
    with Catalog.open(folder) as later, VectorStore(folder, later) as other:
        list(other.compress())
    store.search(vectors[3], 10)
    assert len(noted) == 1


def test_a_grown_library_is_extended_and_a_doubled_one_trained_anew(folder, catalog, compressing):
    made = {}
    for total in (COUNT + 150, COUNT + 200, 2 * COUNT):
        add(catalog, similar(total - catalog.next_row, seed=total), name=f"{total}-")
        list(compressing.compress())
        made[total] = PqFile(folder).read().header
        assert_same_as_exact(compressing, similar(3, seed=total)[2], 20)
    assert [header.count for header in made.values()] == [2976, 3200, 6000 // BLOCK * BLOCK]
    assert [header.trained_count for header in made.values()] == [2976, 2976, 6000 // BLOCK * BLOCK]


def test_vectors_that_do_not_compress_stay_exact_and_are_not_tried_again(folder, catalog, store, monkeypatch):
    monkeypatch.setattr(pq_file, "RERANKED", 1)
    monkeypatch.setattr(pq_file, "RERANKED_PER_HIT", 1)
    add(catalog, unit_vectors(COUNT))
    list(store.compress())
    assert PqFile(folder).read().header.depth == 0
    assert list(store.compress()) == []
    assert_same_as_exact(store, unit_vectors(1, seed=5)[0], 10)


def test_the_check_looks_deeper_before_it_gives_up(folder, catalog, store, monkeypatch):
    monkeypatch.setattr(pq_file, "RERANKED", 250)
    monkeypatch.setattr(pq_file, "RERANKED_PER_HIT", 1)
    add(catalog, unit_vectors(COUNT))
    list(store.compress())
    assert PqFile(folder).read().header.depth in (2, 4)


def test_recent_queries_take_part_in_the_check(folder, catalog, store, vectors, monkeypatch):
    checked = []
    held = pq_training._held
    monkeypatch.setattr(pq_training, "_held", lambda *given: checked.append(given[2][0]) or held(*given))
    add(catalog, vectors)
    query = unit_vectors(1, seed=9)[0]
    store.search(query, 3)
    list(store.compress())
    assert any((each == query).all() for each in checked)
    assert len(checked) == 129


def test_only_one_process_compresses_at_a_time(folder, catalog, store, vectors):
    add(catalog, vectors)
    with FileLock(folder / LOCK_NAME):
        assert list(store.compress()) == []
    assert list(store.compress()) != []


def test_what_another_process_made_in_between_is_not_made_again(folder, catalog, store, vectors, monkeypatch):
    add(catalog, vectors)
    take = FileLock.try_acquire

    def take_after_another(lock):
        monkeypatch.setattr(FileLock, "try_acquire", take)
        with Catalog.open(folder) as later, VectorStore(folder, later) as other:
            assert list(other.compress()) != []
        return take(lock)

    monkeypatch.setattr(FileLock, "try_acquire", take_after_another)
    assert list(store.compress()) == []


def test_a_file_that_can_be_neither_read_nor_replaced_is_done_without_and_each_is_said_once(
    folder, catalog, store, vectors
):
    PqFile(folder).path.mkdir(parents=True)
    add(catalog, vectors)
    for query in vectors[:3]:
        assert_same_as_exact(store, query, 10)
    assert list(store.compress()) != []
    assert list(store.compress()) == []
    assert_same_as_exact(store, vectors[0], 10)
    damaged, not_made = store.drain_notices()
    assert (damaged.split(";")[0], "could not be made" in not_made) == (
        "vectors.pq is damaged and will be rebuilt",
        True,
    )


def test_vectors_of_an_odd_dimension_stay_exact(folder):
    with Catalog.open(folder, create=True) as catalog, VectorStore(folder, catalog) as store:
        catalog.set_encoder(LibraryEncoder("odd", 37, "float32"))
        add(catalog, unit_vectors(700, dim=37))
        assert list(store.compress()) == []


@pytest.fixture
def full(monkeypatch):
    """A disk that takes no compressed rows, until `undo` is called."""

    def fail(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(pq_file.os, "fsync", fail)
        yield patched


def test_a_full_disk_leaves_nothing_behind_and_is_said_once(folder, catalog, vectors, full):
    add(catalog, vectors)
    now = [0.0]
    with VectorStore(folder, catalog, clock=lambda: now[0]) as store:
        for _ in range(3):
            assert list(store.compress()) != []
            assert sorted(path.name for path in folder.glob("vectors.pq*")) == [LOCK_NAME]
            now[0] += 2 * pq_tier.LONGEST_RETRY_SECONDS
            assert_same_as_exact(store, vectors[0], 10)
        (words,) = store.drain_notices()
    assert words.startswith("vectors.pq could not be made and will be tried again (no space left on device)")


def test_what_failed_is_tried_again_ever_later_until_it_works(folder, catalog, vectors, full):
    add(catalog, vectors)
    now = [1000.0]
    with VectorStore(folder, catalog, clock=lambda: now[0]) as store:
        for wait in (60, 120, 240, 480, 960, 1920, 3600, 3600):
            assert list(store.compress()) != []
            now[0] += wait - 1
            assert list(store.compress()) == []
            store.compress_behind()
            assert store._compressing is None
            now[0] += 1
        full.undo()
        store.compress_behind()
        store._compressing.join()
        assert PqFile(folder).read().header.depth
        assert len(store.drain_notices()) == 1


def test_after_a_success_a_failure_is_said_anew_and_waited_for_as_the_first(folder, catalog, vectors, monkeypatch):
    add(catalog, vectors)
    now, write, works = [0.0], PqFile.write, [False, True, False, True]

    def write_now_and_then(file, made):
        if works.pop(0):
            return write(file, made)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(PqFile, "write", write_now_and_then)
    with VectorStore(folder, catalog, clock=lambda: now[0]) as store:
        for _ in range(2):
            list(store.compress())
            assert len(store.drain_notices()) == 1
            now[0] += pq_tier.RETRY_SECONDS
            list(store.compress())
            assert (PqFile(folder).read() is not None, store.drain_notices()) == (True, [])
            add(catalog, similar(catalog.next_row, seed=catalog.next_row), name=str(catalog.next_row))
    assert works == []


def test_a_library_that_cannot_be_written_stays_exact_and_nothing_is_said(catalog, store, vectors, caplog, monkeypatch):
    def refuse(_lock):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(FileLock, "try_acquire", refuse)
    add(catalog, vectors)
    with caplog.at_level(logging.WARNING):
        assert list(store.compress()) == []
    assert "not compressed" in caplog.text
    assert store.drain_notices() == []
    assert_same_as_exact(store, vectors[0], 10)


def test_given_up_half_way_nothing_is_left_and_the_next_run_makes_it(folder, catalog, store, vectors):
    add(catalog, vectors)
    steps = store.compress()
    next(steps)
    steps.close()
    assert sorted(path.name for path in folder.glob("vectors.pq*")) == [LOCK_NAME]
    assert list(store.compress()) != []


def test_behind_a_session_it_is_made_without_being_waited_for(folder, catalog, store, vectors, monkeypatch):
    add(catalog, vectors)
    store.search(vectors[0], 3)
    store.compress_behind()
    store._compressing.join()
    noted = scans(monkeypatch)
    store.search(vectors[0], 3)
    assert not noted
    before = store._compressing
    store.compress_behind()
    assert store._compressing is before


def test_closing_gives_up_what_is_made_behind(folder, catalog, vectors, monkeypatch):
    add(catalog, vectors)
    monkeypatch.setattr(pq_training, "ROWS_AT_ONCE", 32)
    store = VectorStore(folder, catalog)
    store.refresh()
    store._closing.set()
    store.compress_behind()
    store.close()
    assert not PqFile(folder).path.exists()


# Damage.  Each function spoils the file of a library with COUNT photos.


def empty(path):
    path.write_bytes(b"")


def garbage(path):
    path.write_bytes(np.random.default_rng(0).bytes(50_000))


def cut_short(path):
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 100)


def too_long(path):
    with path.open("ab") as file:
        file.write(b"\0")


def one_bit(path):
    content = bytearray(path.read_bytes())
    content[-1000] ^= 4
    path.write_bytes(content)


def damaged_header(path):
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(content)


def of_another_library(path):
    _change(path, library_id="f" * 32)


def of_another_dimension(path):
    _change(path, dim=16)


def of_lost_photos(path):
    _change(path, tail_crc=1)


def _change(path, **values):
    content = bytearray(path.read_bytes())
    header = Header.unpack(bytes(content[:PAGE]))
    packed = pq_file.replace(header, **values).pack()
    content[: len(packed)] = packed
    path.write_bytes(content)


SPOILERS = [
    empty,
    garbage,
    cut_short,
    too_long,
    one_bit,
    damaged_header,
    of_another_library,
    of_another_dimension,
    of_lost_photos,
]


@pytest.mark.parametrize("spoil", SPOILERS)
def test_a_file_of_no_use_is_noticed_once_and_made_anew(folder, catalog, compressing, vectors, spoil):
    path = PqFile(folder).path
    right = path.read_bytes()
    compressing.close()
    spoil(path)
    with VectorStore(folder, catalog) as store:
        assert_same_as_exact(store, vectors[0], 10)
        assert len(store.drain_notices()) == (spoil is not of_another_library)  # those are of rows before a compaction
        assert store.drain_notices() == []
    with VectorStore(folder, catalog) as store:
        assert list(store.compress()) != []
        assert store.drain_notices() == []
    assert path.read_bytes() == right


def test_a_file_of_photos_that_a_power_cut_took_is_made_anew(folder, catalog, store, vectors, tmp_path):
    add(catalog, vectors[:2000])
    catalog.close()
    shutil.copy(folder / "catalog.sqlite", tmp_path / "before")
    with Catalog.open(folder) as later, VectorStore(folder, later) as extended:
        add(later, vectors[2000:], name="lost")
        list(extended.compress())
    shutil.copy(tmp_path / "before", folder / "catalog.sqlite")
    with Catalog.open(folder) as restored, VectorStore(folder, restored) as found:
        assert_same_as_exact(found, vectors[0], 10)
        add(restored, similar(1000, seed=8), name="new")
        found.refresh()
        assert_same_as_exact(found, similar(1, seed=8)[0], 10)
        list(found.compress())
        assert PqFile(folder).read().is_of(found._view)


def test_beginning_anew_takes_the_files_away_without_a_word(folder, catalog, compressing, vectors):
    encoder = catalog.encoder
    catalog.clear()
    compressing.reset()
    assert not PqFile(folder).path.exists()
    catalog.set_encoder(encoder)
    add(catalog, vectors[:700])
    list(compressing.compress())
    assert_same_as_exact(compressing, vectors[0], 10)
    assert compressing.drain_notices() == []


def test_a_search_among_few_of_many_is_exact(catalog, compressing, vectors, monkeypatch):
    noted = scans(monkeypatch)
    catalog.commit_batch([], [40])
    compressing.refresh()
    rows, scores = compressing.search_rows(vectors[40], 5, np.array([50, 40, -1, 9999, 41, 41], np.int64))
    assert (set(rows), len(noted)) == ({50, 41}, 0)
    np.testing.assert_allclose(scores, (vectors[rows].astype(np.float16).astype(np.float32) @ vectors[40]), atol=1e-5)
    assert len(compressing.search_rows(vectors[0], 5, np.array([40], np.int64))[0]) == 0


def test_a_header_reads_back_and_any_damaged_byte_is_noticed():
    header = Header("0123456789abcdef" * 2, 512, 999_968, 600_000, 2, 7, 8, 128_000_000)
    packed = header.pack()
    assert Header.unpack(packed.ljust(PAGE, b"\0")) == header
    for at in range(len(packed)):
        assert Header.unpack(packed[:at] + bytes([packed[at] ^ 1]) + packed[at + 1 :]) is None


def test_the_store_threads_do_not_change_compressed_answers(folder, catalog, compressing, vectors, monkeypatch):
    monkeypatch.setattr(vectors_module, "THREADED_ROWS", 100)
    with VectorStore(folder, catalog, threads=3) as store:
        for query in vectors[:5]:
            np.testing.assert_array_equal(store.search(query, 9)[1], compressing.search(query, 9)[1])
