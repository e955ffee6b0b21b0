import multiprocessing
import shutil
import threading
from dataclasses import replace

import numpy as np
import pytest
from library_fakes import DIM, new_photo, rows_on_disk, unit_vectors
from waiting import LONG_SECONDS

from photomap_cli.library import database
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.entities import LibraryEncoder
from photomap_cli.records import FilterKind, PhotoFilter
from photomap_cli.vectors import store as vectors_module
from photomap_cli.vectors.file_header import PAGE, Header, row_bytes
from photomap_cli.vectors.store import VectorStore
from photomap_cli.vectors.vector_file import FILE_NAME

SIZE = DIM * 2


def add(catalog, vectors, *, name="a"):
    rows = catalog.commit_batch([new_photo(f"/p/{name}{number}.jpg", each) for number, each in enumerate(vectors)])
    return list(rows)


def reference(vectors, query, k, rows=None):
    """Return what the search should: the whole product, sorted by score, then by row."""
    rows = np.arange(len(vectors)) if rows is None else np.asarray(rows)
    scores = vectors.astype(np.float16).astype(np.float32)[rows] @ query
    order = np.lexsort((rows, -scores))[:k]
    return rows[order], scores[order]


def assert_agrees(store, vectors, query, k, rows=None, live=None):
    wanted = rows if live is None else np.intersect1d(live, np.arange(len(vectors)) if rows is None else rows)
    found_rows, found_scores = store.search_rows(query, k, rows)
    expected_rows, expected_scores = reference(vectors, query, k, wanted)
    assert (found_rows.dtype, found_scores.dtype) == (np.int64, np.float32)
    np.testing.assert_array_equal(found_rows, expected_rows)
    np.testing.assert_allclose(found_scores, expected_scores, atol=1e-5)
    np.testing.assert_allclose(found_scores, vectors[found_rows] @ query, atol=1e-3)


@pytest.fixture
def threaded(monkeypatch):
    monkeypatch.setattr(vectors_module, "THREADED_ROWS", 100)


def test_an_empty_library_has_no_hits_and_no_file(folder, store):
    rows, scores = store.search(unit_vectors(1)[0], 10)
    assert (rows.dtype, scores.dtype, len(rows), len(scores)) == (np.int64, np.float32, 0, 0)
    assert not (folder / FILE_NAME).exists()


@pytest.mark.parametrize("k", [1, 10, 999, 1000, 5000])
def test_hits_are_those_of_the_whole_product(catalog, store, k):
    vectors = unit_vectors(1000, seed=1)
    add(catalog, vectors)
    assert_agrees(store, vectors, unit_vectors(1, seed=2)[0], k)


@pytest.mark.parametrize("threads", [2, 3, 8])
@pytest.mark.parametrize("share", [None, 0.01, 0.1, 0.3, 0.4, 0.5, 0.9])
def test_threads_and_filters_change_nothing(folder, catalog, threaded, threads, share):
    vectors, rng = unit_vectors(2001, seed=3), np.random.default_rng(4)
    add(catalog, vectors)
    catalog.commit_batch([], range(0, 2001, 7))
    live = catalog.rows()
    rows = None if share is None else rng.permutation(np.flatnonzero(rng.random(2001) < share))
    with VectorStore(folder, catalog, threads=threads) as store:
        for query in unit_vectors(5, seed=5):
            assert_agrees(store, vectors, query, 20, rows, live)


def test_filters_are_looked_up_by_the_store(catalog, store):
    vectors = unit_vectors(300, seed=21)
    add(catalog, vectors[:200])
    add(catalog, vectors[200:], name="b")
    query = unit_vectors(1, seed=22)[0]
    within = (PhotoFilter(FilterKind.NAME, "b*"),)
    rows, scores = store.search(query, 20, within)
    expected_rows, expected_scores = reference(vectors, query, 20, range(200, 300))
    np.testing.assert_array_equal(rows, expected_rows)
    np.testing.assert_allclose(scores, expected_scores, atol=1e-5)
    assert len(store.search(query, 20, (*within, PhotoFilter(FilterKind.NAME, "a*")))[0]) == 0


def test_a_search_with_a_filter_ends_where_nobody_waits_for_it(catalog, store):
    def leave():
        raise KeyboardInterrupt

    add(catalog, unit_vectors(3000))
    with pytest.raises(KeyboardInterrupt):
        store.search(unit_vectors(1)[0], 5, (PhotoFilter(FilterKind.NAME, "*9*a*b*c"),), checkpoint=leave)
    assert len(store.search(unit_vectors(1)[0], 5)[0]) == 5


def test_a_broad_filter_that_leaves_only_the_worst_is_exact(catalog, store, monkeypatch):
    vectors = unit_vectors(5000, seed=14)
    add(catalog, vectors)
    query = unit_vectors(1, seed=15)[0]
    worst = np.argsort(vectors @ query)[:2500]
    scans, scan = [], VectorStore._scan_slices
    monkeypatch.setattr(VectorStore, "_scan_slices", lambda *given: scans.append(given[-1]) or scan(*given))
    assert_agrees(store, vectors, query, 3, np.sort(worst))
    assert [allowed is None for allowed in scans] == [True, False]
    assert_agrees(store, vectors, query, 3, np.flatnonzero(np.arange(5000) % 2))
    assert [allowed is None for allowed in scans] == [True, False, True]


def test_rows_that_do_not_exist_are_left_out(catalog, store):
    vectors = unit_vectors(10)
    add(catalog, vectors)
    rows, _ = store.search_rows(vectors[0], 10, np.array([-1, 3, 10, 99, 3], np.int64))
    assert list(rows) == [3]
    assert len(store.search_rows(vectors[0], 10, np.empty(0, np.int64))[0]) == 0
    assert len(store.search(vectors[0], 0)[0]) == 0


@pytest.mark.parametrize("threads", [1, 4])
def test_equal_scores_come_by_row_also_where_k_cuts_them(folder, catalog, threaded, threads):
    copies = np.repeat(unit_vectors(9, seed=6), 60, axis=0)
    vectors = copies[np.random.default_rng(7).permutation(len(copies))]
    add(catalog, vectors)
    query = unit_vectors(1, seed=8)[0]
    with VectorStore(folder, catalog, threads=threads) as store:
        for k in (1, 5, 59, 60, 61, 130, 539):
            rows, scores = store.search(query, k)
            expected, _ = reference(np.round(vectors.astype(np.float16).astype(np.float64) @ query, 4)[:, None], [1], k)
            np.testing.assert_array_equal(rows, expected)
            assert (np.diff(scores) <= 0).all()


def test_nothing_is_seen_before_a_refresh_and_everything_after(catalog, store):
    vectors = unit_vectors(30)
    add(catalog, vectors[:10])
    store.refresh()
    add(catalog, vectors[10:20], name="b")
    assert len(store.search(vectors[15], 30)[0]) == 10
    store.refresh()
    assert_agrees(store, vectors[:20], vectors[15], 30)
    catalog.commit_batch([], [15])
    store.refresh()
    assert_agrees(store, vectors[:20], vectors[15], 30, live=catalog.rows())


def test_a_refresh_with_nothing_new_reads_nothing(catalog, store, monkeypatch):
    add(catalog, unit_vectors(3))
    store.refresh()
    monkeypatch.setattr(catalog, "snapshot", None)
    store.refresh()


def test_two_stores_extend_one_file(folder, catalog, store):
    vectors = unit_vectors(30)
    with Catalog.open(folder) as other_catalog, VectorStore(folder, other_catalog) as other:
        for start in (0, 10, 20):
            writer, first, second = (catalog, store, other) if start == 10 else (other_catalog, other, store)
            add(writer, vectors[start : start + 10], name=f"{start}-")
            first.refresh()
            second.refresh()
            assert_agrees(first, vectors[: start + 10], vectors[5], 30)
            assert_agrees(second, vectors[: start + 10], vectors[5], 30)


def test_an_old_view_outlives_a_rebuild(folder, catalog, store):
    vectors = unit_vectors(20)
    add(catalog, vectors)
    store.refresh()
    with Catalog.open(folder) as other_catalog, VectorStore(folder, other_catalog) as other:
        other_catalog.clear()
        other_catalog.set_encoder(LibraryEncoder("other", 8, "float32"))
        add(other_catalog, unit_vectors(3, dim=8))
        other.refresh()
        assert_agrees(store, vectors, vectors[0], 20)
        store.refresh()
        assert_agrees(store, unit_vectors(3, dim=8), unit_vectors(1, dim=8)[0], 20)


def _extend(folder, name, start):
    database.BUSY_SECONDS = LONG_SECONDS
    with Catalog.open(folder) as catalog, VectorStore(folder, catalog) as store:
        start.wait()
        for number in range(20):
            add(catalog, unit_vectors(2, seed=number), name=f"{name}{number}-")
            store.refresh()


def test_processes_extend_one_file_together(folder, catalog, store):
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(3, timeout=LONG_SECONDS)
    processes = [context.Process(target=_extend, args=(folder, name, start)) for name in "ab"]
    for process in processes:
        process.start()
    start.wait()
    while any(process.is_alive() for process in processes):
        store.refresh()
        processes[0].join(0.01)
    for process in processes:
        process.join()
    store.refresh()
    assert [process.exitcode for process in processes] == [0, 0]
    assert rows_on_disk(folder) == dict(catalog.vectors_from(0))
    assert len(store.search(unit_vectors(1)[0], 100)[0]) == 80


# Damage.  Each function spoils the file of a library with 40 photos.


def missing(path):
    path.unlink()


def empty(path):
    path.write_bytes(b"")


def garbage(path):
    path.write_bytes(np.random.default_rng(0).bytes(10_000))


def torn_tail(path):
    with path.open("ab") as file:
        file.write(b"\xff" * 33)


def uncounted_rows(path):
    with path.open("ab") as file:
        file.write(b"\xff" * 5 * SIZE)


def cut_short(path):
    with path.open("r+b") as file:
        file.truncate(PAGE + 17 * SIZE + 3)


def stale_header(path):
    _count(path, lambda header: replace(header, next_row=25), spoil_from=25)


def ahead_of_the_catalogue(path):
    with path.open("ab") as file:
        file.write(b"\xff" * 5 * SIZE)
    _count(path, lambda header: replace(header, next_row=45))


def of_another_library(path):
    _count(path, lambda header: replace(header, library_id="f" * 32), spoil_from=0)


def of_another_dimension(path):
    _count(path, lambda header: replace(header, dim=16, next_row=80))


def of_another_version(path):
    content = bytearray(path.read_bytes())
    content[8] += 1
    path.write_bytes(content)


def with_rows_of_lost_photos(path):
    _count(path, lambda header: header, spoil_from=35)


def _count(path, change, *, spoil_from=None):
    content = bytearray(path.read_bytes())
    packed = change(Header.unpack(bytes(content))).pack()
    content[: len(packed)] = packed
    if spoil_from is not None:
        content[PAGE + spoil_from * SIZE :] = b"\x01" * (len(content) - PAGE - spoil_from * SIZE)
    path.write_bytes(content)


@pytest.mark.parametrize("when", ["at once", "with new photos"])
@pytest.mark.parametrize(
    "spoil",
    [
        missing,
        empty,
        garbage,
        torn_tail,
        uncounted_rows,
        cut_short,
        stale_header,
        ahead_of_the_catalogue,
        of_another_library,
        of_another_dimension,
        of_another_version,
        with_rows_of_lost_photos,
    ],
)
def test_a_file_that_does_not_match_is_made_right(folder, catalog, spoil, when):
    vectors = unit_vectors(60, seed=9)
    add(catalog, vectors[:40])
    with VectorStore(folder, catalog) as store:
        store.refresh()
    spoil(folder / FILE_NAME)
    if when == "with new photos":
        add(catalog, vectors[40:], name="b")
    with VectorStore(folder, catalog) as store:
        store.refresh()
        assert_agrees(store, vectors[: catalog.next_row], vectors[20], 60)
        add(catalog, vectors[:7], name="c")
        store.refresh()
    assert rows_on_disk(folder) == dict(catalog.vectors_from(0))


@pytest.mark.parametrize(("lost", "new"), [(5, 6), (5, 3), (100, 6), (100, 150)])
def test_rows_given_away_again_after_a_power_cut_are_noticed(folder, catalog, store, tmp_path, lost, new):
    vectors = unit_vectors(20 + lost, seed=10)
    add(catalog, vectors[:20])
    store.refresh()
    catalog.close()
    shutil.copy(folder / "catalog.sqlite", tmp_path / "before")
    with Catalog.open(folder) as later, VectorStore(folder, later) as extended:
        add(later, vectors[20:], name="lost")
        extended.refresh()
    shutil.copy(tmp_path / "before", folder / "catalog.sqlite")
    with Catalog.open(folder) as restored, VectorStore(folder, restored) as found:
        add(restored, unit_vectors(new, seed=11), name="new")
        found.refresh()
        assert rows_on_disk(folder) == dict(restored.vectors_from(0))


def test_a_library_that_cannot_be_written_is_searched_in_memory(folder, catalog):
    vectors = unit_vectors(50, seed=12)
    (folder / FILE_NAME).mkdir()
    add(catalog, vectors)
    catalog.commit_batch([], [3, 4])
    with VectorStore(folder, catalog) as store:
        for query in vectors[:5]:
            assert_agrees(store, vectors, query, 10, live=catalog.rows())
        add(catalog, vectors[:1], name="b")
        store.refresh()
        assert list(store.search(vectors[0], 2)[0]) == [0, 50]


def test_a_file_that_is_right_is_used_without_writing(folder, catalog, monkeypatch):
    add(catalog, unit_vectors(5))
    with VectorStore(folder, catalog) as store:
        store.refresh()
    monkeypatch.setattr("photomap_cli.vectors.vector_file.FileLock", None)
    with VectorStore(folder, catalog) as store:
        assert len(store.search(unit_vectors(1)[0], 9)[0]) == 5


def test_threads_may_search_while_others_add(folder, catalog, threaded):
    vectors = unit_vectors(400, seed=13)
    add(catalog, vectors[:200])
    failures = []
    with VectorStore(folder, catalog, threads=2) as store:

        def search():
            try:
                for query in vectors[:40]:
                    store.refresh()
                    rows, scores = store.search(query, 5)
                    np.testing.assert_allclose(scores, vectors[rows] @ query, atol=1e-3)
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=search) for _ in range(3)]
        for thread in threads:
            thread.start()
        for start in range(200, 400, 10):
            add(catalog, vectors[start : start + 10], name=f"{start}-")
            store.refresh()
        for thread in threads:
            thread.join()
    assert failures == []


def test_closing_twice_is_fine_and_lets_go_of_the_rows(catalog, store):
    add(catalog, unit_vectors(5))
    store.search(unit_vectors(1)[0], 1)
    store.close()
    store.close()
    assert store._view.count == 0


def test_a_dimension_of_any_parity_works(folder):
    with Catalog.open(folder, create=True) as catalog, VectorStore(folder, catalog) as store:
        catalog.set_encoder(LibraryEncoder("odd", 37, "float32"))
        vectors = unit_vectors(50, dim=37)
        add(catalog, vectors)
        assert_agrees(store, vectors, vectors[3], 10)
        assert (folder / FILE_NAME).stat().st_size == PAGE + 50 * row_bytes(37)
