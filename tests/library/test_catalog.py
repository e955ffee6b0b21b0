import errno
import multiprocessing
import os
import shutil
import sqlite3
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import permissions
import pytest
from cases import cases
from library_fakes import DIM, ENCODER, new_photo, stored_vector, unit_vectors
from waiting import LONG_SECONDS

from photomap_cli.errors import EmptyLibrary, LibraryBusy, LibraryFormat, LibraryUnusable
from photomap_cli.library import database, schema, stats
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.entities import FoundAgain, FoundFile, LibraryEncoder
from photomap_cli.library.filtered_rows import FilteredRows
from photomap_cli.records import DateSource, FilterKind, Photo, PhotoDetails, PhotoFilter

CATALOG = "catalog.sqlite"


def test_a_library_that_does_not_exist_says_how_to_make_one(folder):
    with pytest.raises(EmptyLibrary) as caught:
        Catalog.open(folder)
    assert caught.value.hint == "`photomap index FOLDER` creates one"
    assert not folder.exists()


def test_a_commit_waits_for_the_disk(folder):
    with Catalog.open(folder, create=True) as catalog, catalog._database.writing() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL: it outlives a power cut


def test_a_photo_takes_little_more_than_its_vector_and_its_facts(folder):
    vectors = unit_vectors(4000, dim=512)
    with Catalog.open(folder, create=True) as catalog:
        catalog.set_encoder(LibraryEncoder("wide", 512, "float32"))
        catalog.commit_batch([new_photo(f"/photos/{n // 100}/IMG_{n}.jpg", each) for n, each in enumerate(vectors)])
    assert (folder / CATALOG).stat().st_size < 4000 * (2 * 512 + 450)


def test_opening_again_finds_everything_as_it_was(folder):
    with Catalog.open(folder, create=True) as catalog:
        catalog.set_encoder(ENCODER)
        catalog.commit_batch([new_photo("/p/a.jpg")])
        catalog.change_roots(["/p"])
        library_id = catalog.library_id
    with Catalog.open(folder) as catalog:
        assert (catalog.library_id, catalog.encoder, catalog.roots()) == (library_id, ENCODER, ("/p",))
        assert (catalog.next_row, catalog.photo_count) == (1, 1)


def test_closing_twice_is_fine(folder):
    catalog = Catalog.open(folder, create=True)
    catalog.close()
    catalog.close()


DAMAGED = {
    "text": b"not a database at all" * 100,
    "header": b"SQLite format 3\0" + b"\xff" * 4096,
    "empty": b"",
}


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_refused_with_a_way_out_and_stays(folder, content, create):
    folder.mkdir()
    (folder / CATALOG).write_bytes(content)
    (folder / f"{CATALOG}-wal").write_bytes(b"may be all there is")
    with pytest.raises(LibraryUnusable, match=r"damaged") as caught:
        Catalog.open(folder, create=create)
    assert "move" in caught.value.hint
    assert (folder / CATALOG).read_bytes() == content
    assert content or (folder / f"{CATALOG}-wal").read_bytes() == b"may be all there is"


@pytest.mark.parametrize("any_format", [False, True])
def test_a_file_without_tables_is_damaged(folder, any_format):
    folder.mkdir()
    with closing(sqlite3.connect(folder / CATALOG)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    with pytest.raises(LibraryUnusable, match="damaged"):
        database.connect(folder, create=False, any_format=any_format)


def test_a_library_that_could_not_be_made_leaves_nothing(folder, monkeypatch):
    def fail(connection):
        connection.execute("CREATE TABLE half (x)")
        raise KeyboardInterrupt

    monkeypatch.setattr(schema, "create", fail)
    with pytest.raises(KeyboardInterrupt):
        Catalog.open(folder, create=True)
    assert [*folder.iterdir()] == []


def test_damage_found_later_is_told_alike(folder):
    with Catalog.open(folder, create=True) as catalog:
        catalog.commit_batch([new_photo(f"/p/{number:04}.jpg") for number in range(500)])
    with (folder / CATALOG).open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 100_000)
    with pytest.raises(LibraryUnusable, match="damaged"), Catalog.open(folder) as catalog:
        list(catalog.vectors_from(0))


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("PRAGMA user_version = 0", "version 0, not 1"),
        ("PRAGMA user_version = 8", "version 8, not 1"),
        ("ALTER TABLE photos ADD COLUMN stars INTEGER", "its table photos is another"),
        ("ALTER TABLE photos RENAME COLUMN lens TO glass", "its table photos is another"),
        ("DROP TABLE unfinished", "it has no table unfinished"),
        ("CREATE TABLE albums (name)", "its table albums is not photomap's"),
        ("DROP INDEX photos_by_date", "it has no index photos_by_date"),
        (
            "DROP INDEX photos_by_date; CREATE INDEX photos_by_date ON photos (row)",
            "its index photos_by_date is another",
        ),
        ("CREATE VIEW more AS SELECT * FROM photos", "its view more is not photomap's"),
    ],
)
def test_another_version_or_shape_is_refused_with_the_way_out(folder, statement, told, monkeypatch):
    Catalog.open(folder, create=True).close()
    with closing(sqlite3.connect(folder / CATALOG)) as connection:
        connection.executescript(statement)
    for create in (False, True):
        with pytest.raises(LibraryFormat) as caught:
            Catalog.open(folder, create=create)
        assert caught.value.message == f"the library {folder} has another format: {told}"
        assert f"`photomap index --rebuild --library {folder}`" in caught.value.hint  # not the user's own
    monkeypatch.setenv("PHOTOMAP_LIBRARY", str(folder))
    with pytest.raises(LibraryFormat) as caught:
        Catalog.open(folder)
    assert "`photomap index --rebuild`" in caught.value.hint


def test_somebody_elses_database_is_left_alone(folder):
    folder.mkdir()
    connection = sqlite3.connect(folder / CATALOG)
    connection.execute("CREATE TABLE recipes (name)")
    connection.close()
    with pytest.raises(LibraryUnusable, match="isn't photomap's"):
        Catalog.open(folder, create=True)


def test_a_folder_that_cannot_be_made_is_unusable(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(LibraryUnusable, match="cannot be made"):
        Catalog.open(tmp_path / "file" / "library", create=True)


def read_only(address):
    """Return an address of which SQLite says what it says of a folder without permission, unless only to read."""
    return address if "immutable" in address else address.replace(CATALOG, "missing")


def test_a_folder_that_cannot_be_written_is_still_read(folder, monkeypatch):
    with Catalog.open(folder, create=True) as catalog:
        catalog.commit_batch([new_photo("/p/a.jpg")])
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda address, **options: connect(read_only(address), **options))
    with Catalog.open(folder) as catalog:
        assert catalog.photo_at("/p/a.jpg")
        with pytest.raises(LibraryUnusable, match="cannot be read or written"):
            catalog.commit_batch([new_photo("/p/b.jpg")])


@pytest.mark.parametrize(
    ("number", "reason"), [(errno.EACCES, "permission denied"), (errno.ENAMETOOLONG, "file name too long")]
)
def test_a_folder_that_cannot_be_looked_into_is_unusable(folder, monkeypatch, number, reason):
    def denied(path):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "is_file", denied)
    for look in (lambda: Catalog.open(folder), lambda: stats.facts(folder)):
        with pytest.raises(LibraryUnusable, match=reason) as caught:
            look()
        assert "--library" in caught.value.hint


def test_a_folder_without_permission_is_read_and_not_written(folder):
    Catalog.open(folder, create=True).close()
    folder.chmod(0o500)
    with permissions.obeyed(), Catalog.open(folder) as catalog, pytest.raises(LibraryUnusable):
        catalog.commit_batch([new_photo("/p/b.jpg")])
    folder.chmod(0o700)


def test_a_writer_that_does_not_end_makes_others_busy(folder, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.01)
    with Catalog.open(folder, create=True) as catalog:
        blocker = sqlite3.connect(folder / CATALOG, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        with pytest.raises(LibraryBusy):
            catalog.change_roots(["/p"])
        assert catalog.roots() == ()
        blocker.close()


def test_a_full_disk_is_said_and_loses_nothing(catalog):
    catalog.commit_batch([new_photo("/p/a.jpg")])
    connection = catalog._database._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(LibraryUnusable, match="disk is full"):
        catalog.commit_batch([new_photo(f"/p/{number}.jpg") for number in range(500)])
    assert (catalog.photo_count, catalog.next_row) == (1, 1)


@pytest.fixture
def emptied(folder, monkeypatch):
    """A library of which 1,500 of 2,000 photos have gone, and of which 16 kB count as much; and its size."""
    monkeypatch.setattr(database, "LEAST_FREE_BYTES", 16 << 10)
    with Catalog.open(folder, create=True) as catalog:
        catalog.set_encoder(ENCODER)
        catalog.commit_batch([new_photo(f"/p/{number}.jpg", each) for number, each in enumerate(unit_vectors(2000))])
        catalog.commit_batch([], range(1500))
        catalog._database._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        yield catalog, (folder / CATALOG).stat().st_size


def test_space_that_many_photos_leave_is_given_back_while_others_read(folder, emptied):
    catalog, size = emptied
    with Catalog.open(folder) as other:
        before = sorted(other.paths())
        catalog.shrink()
        assert (folder / CATALOG).stat().st_size < size / 2
        assert (folder / f"{CATALOG}-wal").stat().st_size == 0
        assert sorted(other.paths()) == before
        assert (
            stored_vector(other, other.photo_at("/p/1700.jpg").row) == unit_vectors(2000)[1700].astype(np.float16)
        ).all()
        assert catalog.commit_batch([new_photo("/p/new.jpg")]) == range(500, 501)


def test_little_space_is_left_to_new_photos(folder, emptied, monkeypatch):
    catalog, size = emptied
    with monkeypatch.context() as patched:
        patched.setattr(database, "LEAST_FREE_BYTES", size)
        catalog.shrink()
    assert (folder / CATALOG).stat().st_size == size
    catalog.shrink()
    less = (folder / CATALOG).stat().st_size
    catalog.commit_batch([], range(1500, 1510))
    catalog.shrink()
    assert (folder / CATALOG).stat().st_size == less


def test_space_is_given_back_neither_on_a_full_disk_nor_while_another_writes(folder, emptied, monkeypatch):
    catalog, size = emptied
    with monkeypatch.context() as patched:
        patched.setattr(database.shutil, "disk_usage", lambda _folder: shutil._ntuple_diskusage(size, 0, size))
        catalog.shrink()
    catalog._database._connection.execute("PRAGMA busy_timeout = 10")
    blocker = sqlite3.connect(folder / CATALOG, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    catalog.shrink()
    blocker.close()
    assert (folder / CATALOG).stat().st_size == size
    assert catalog.photo_count == 500


def _create(folder, start):
    database.BUSY_SECONDS = LONG_SECONDS
    start.wait()
    Catalog.open(folder, create=True).close()


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be removed")
@pytest.mark.parametrize("is_made_again", [False, True])
def test_a_library_that_is_removed_or_replaced_while_it_is_open_is_not_answered_from(folder, is_made_again):
    with Catalog.open(folder, create=True) as catalog:
        catalog.change_counter()
        shutil.rmtree(folder)
        if is_made_again:
            Catalog.open(folder, create=True).close()
        with pytest.raises(LibraryUnusable, match="removed or replaced while it was open") as caught:
            catalog.change_counter()
        assert "photomap stop" in caught.value.hint


def test_a_disk_that_fails_is_not_taken_for_a_missing_permission(folder):
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE  # of a disk too full for the log's index
    with pytest.raises(LibraryUnusable, match="disk I/O error") as caught, database.translated(folder):
        raise error
    assert "full or failing" in caught.value.hint


def test_a_disk_too_full_for_the_logs_index_is_called_full(folder, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(1 << 20, 1 << 20, 4096))
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE
    with pytest.raises(LibraryUnusable, match="the disk is full: nothing"), database.translated(folder):
        raise error


def test_several_processes_may_make_a_library_at_once(folder):
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(3)
    processes = [context.Process(target=_create, args=(folder, start)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    with Catalog.open(folder) as catalog:
        assert catalog.next_row == 0


# Rows


def test_rows_are_dense_and_never_used_again(catalog):
    assert catalog.commit_batch([new_photo("/p/a.jpg"), new_photo("/p/b.jpg")]) == range(2)
    catalog.commit_batch([], [1])
    assert catalog.commit_batch([new_photo("/p/b.jpg")]) == range(2, 3)
    catalog.commit_batch([], [0, 2])
    assert catalog.commit_batch([new_photo("/p/c.jpg")]) == range(3, 4)
    assert catalog.photo_count == 1


def test_an_edited_photo_gets_a_new_row(catalog):
    catalog.commit_batch([new_photo("/p/a.jpg", size_bytes=1)])
    catalog.commit_batch([new_photo("/p/a.jpg", size_bytes=2)])
    assert [(photo.row, photo.size_bytes) for photo in catalog.photos([0, 1])] == [(1, 2)]
    assert list(catalog.snapshot().tombstones) == [0]
    assert [row for row, _ in catalog.vectors_from(0)] == [1]


def test_removing_a_row_twice_counts_once(catalog):
    catalog.commit_batch([new_photo("/p/a.jpg"), new_photo("/p/b.jpg")])
    catalog.commit_batch([], [0])
    catalog.commit_batch([], [0, 0, 77])
    assert catalog.photo_count == 1


def test_a_batch_that_fails_leaves_nothing(catalog):
    catalog.commit_batch([new_photo("/p/a.jpg")])
    broken = new_photo("/p/c.jpg", width=None)
    with pytest.raises(sqlite3.IntegrityError):
        catalog.commit_batch([new_photo("/p/b.jpg"), broken], [0])
    assert [photo.path for photo in catalog.photos(catalog.rows())] == ["/p/a.jpg"]
    assert catalog.commit_batch([new_photo("/p/b.jpg")]) == range(1, 2)


def test_clearing_starts_rows_again_under_a_new_name(catalog):
    catalog.commit_batch([new_photo("/p/a.jpg")])
    catalog.change_roots(["/p"])
    old = catalog.library_id
    catalog.clear()
    assert (catalog.photo_count, catalog.next_row, catalog.encoder, catalog.roots()) == (0, 0, None, ("/p",))
    assert catalog.library_id != old


# Reading


def test_photos_come_in_the_order_asked_for_without_those_gone(catalog):
    catalog.commit_batch([new_photo(f"/p/{number}.jpg") for number in range(1200)])
    catalog.commit_batch([], [5])
    wanted = np.arange(1199, -1, -1)
    assert [photo.row for photo in catalog.photos(wanted)] == [row for row in wanted if row != 5]


def test_a_photo_has_all_its_facts(catalog):
    catalog.commit_batch(
        [new_photo("/p/ä.JPG", size_bytes=3, mtime_ns=4, taken_at="2020-01-02T03:04:05", camera="Canon EOS")]
    )
    expected = Photo(0, "/p/ä.JPG", 3, 4, "2020-01-02T03:04:05", "2020-01-02T03:04:05", 4, 3, "Canon EOS")
    assert catalog.photo_at("/p/ä.JPG") == expected
    assert catalog.photo_at("/p/Ä.jpg") is None
    assert catalog.photo_at("/p/\udce4.JPG") is None


@pytest.mark.parametrize("mtime_ns", [2**62, -(2**62)])
def test_a_file_time_that_never_was_is_no_obstacle(catalog, mtime_ns):
    catalog.commit_batch([new_photo("/p/a.jpg", mtime_ns=mtime_ns)])
    assert len(catalog.photos([0])[0].dated_at) >= 19


def test_vectors_come_back_as_stored(catalog):
    vectors = unit_vectors(3)
    catalog.commit_batch([new_photo(f"/p/{number}.jpg", vector) for number, vector in enumerate(vectors)])
    np.testing.assert_array_equal(stored_vector(catalog, 1), vectors[1].astype(np.float16).astype(np.float32))
    assert [row for row, _ in catalog.vectors_from(1)] == [1, 2]
    with pytest.raises(KeyError):
        stored_vector(catalog, 3)


def test_many_vectors_are_read_in_pieces_without_a_gap(catalog, monkeypatch):
    monkeypatch.setattr("photomap_cli.library.catalog_facts._VECTORS_AT_ONCE", 3)
    catalog.commit_batch([new_photo(f"/p/{number}.jpg") for number in range(9)])
    catalog.commit_batch([], [4])
    assert [row for row, _ in catalog.vectors_from(1)] == [1, 2, 3, 5, 6, 7, 8]


def test_seen_files_are_those_at_or_below_a_root(catalog):
    paths = ["/p/a.jpg", "/p/b/c.jpg", "/pp/d.jpg", "/p%/e.jpg", "/P/f.jpg"]
    catalog.commit_batch([new_photo(path) for path in paths])
    assert sorted(catalog.seen_files("/p")) == ["/p/a.jpg", "/p/b/c.jpg"]
    assert catalog.seen_files("/p/a.jpg") == {"/p/a.jpg": (0, 1, 0, 0, 0)}
    assert len(catalog.seen_files("/")) == 5


def test_the_change_counter_sees_own_and_other_commits(folder, catalog):
    with Catalog.open(folder) as other:
        counters = [catalog.change_counter()]
        catalog.commit_batch([new_photo("/p/a.jpg")])
        counters.append(catalog.change_counter())
        other.commit_batch([new_photo("/p/b.jpg")])
        counters.append(catalog.change_counter())
        assert len(set(counters)) == 3
        catalog.photos([0])
        assert catalog.change_counter() == counters[-1]


def test_the_status_says_where_and_how_much(folder, catalog):
    catalog.commit_batch([new_photo("/p/a.jpg")])
    catalog.change_roots(["/q", "/p"])
    catalog.touch_indexed(datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC))
    status = catalog.status()
    assert (status.path, status.photos, status.encoder, status.dim) == (str(folder), 1, "fake", DIM)
    assert (status.last_indexed_at, status.roots) == ("2024-05-06T07:08:09+00:00", ("/p", "/q"))
    assert status.bytes == sum(file.stat().st_size for file in folder.iterdir())


def test_a_fresh_library_has_a_status_too(folder):
    with Catalog.open(folder, create=True) as catalog:
        status = catalog.status()
    assert (status.photos, status.encoder, status.dim, status.last_indexed_at) == (0, None, None, None)


def test_threads_may_share_a_catalogue(catalog):
    failures = []

    def work(name):
        try:
            for number in range(20):
                catalog.commit_batch([new_photo(f"/p/{name}-{number}.jpg")])
                catalog.photos(catalog.rows())
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (failures, catalog.photo_count, catalog.next_row) == ([], 80, 80)


# Filters

PATHS = {
    "/p/Beach 2023.JPG": {"taken_at": "2023-06-15T10:00:00", "camera": "Canon EOS 40D"},
    "/p/Italy/Café.jpeg": {"taken_at": "2023-07-01T00:00:00", "camera": "SONY ILCE-7M3"},
    "/p/Italy/100%_done.png": {"taken_at": "2022-01-01T00:00:00"},
    "/p/Italy/rome/[x]-1.jpg": {"taken_at": "2021-01-01T00:00:00", "camera": "Ünïcode CAM"},
    "/p/Italy2/b.jpg": {"taken_at": "2020-12-31T23:59:59"},
    "/p/italy/c.jpg": {"taken_at": "2020-01-01T00:00:00", "camera": "canon powershot"},
}
IN, AFTER, BEFORE = FilterKind.IN, FilterKind.AFTER, FilterKind.BEFORE
EXT, CAMERA, NAME = FilterKind.EXT, FilterKind.CAMERA, FilterKind.NAME


@pytest.fixture
def filterable(catalog):
    catalog.commit_batch([new_photo(path, **facts) for path, facts in PATHS.items()])
    return catalog


@cases(
    ("kind", "value", "rows"),
    [
        (IN, "/p/Italy", {1, 2, 3}),
        (IN, "/p/Italy/", {1, 2, 3}),
        (IN, "/p/Italy/rome", {3}),
        (IN, "/p/italy", {5}),
        (IN, "/p", {0, 1, 2, 3, 4, 5}),
        (IN, "/", {0, 1, 2, 3, 4, 5}),
        (IN, "/p/It_ly", set()),
        (IN, "/p/%", set()),
        (IN, "/p/Italy/rome/[x]-1.jpg", set()),
        (AFTER, "2023-06-15T10:00:00", {0, 1}),
        (BEFORE, "2023-06-15T10:00:00", {2, 3, 4, 5}),
        (EXT, "jpg", {0, 1, 3, 4, 5}),
        (EXT, ".JPEG", {0, 1, 3, 4, 5}),
        (CAMERA, "canon", {0, 5}),
        (CAMERA, "ÜNÏ", {3}),
        (CAMERA, "%", set()),
        (NAME, "beach*", {0}),
        (NAME, "beach", set()),
        (NAME, "?.jpg", {4, 5}),
        (NAME, "[bc].JPG", {4, 5}),
        (NAME, "[!b].jpg", {5}),
        (NAME, "[^b].jpg", {5}),
        (NAME, "[a-b].jpg", {4}),
        (NAME, "[x]*", set()),
        (NAME, "[[]x]*", {3}),
        (NAME, "*[]]*", {3}),
        (NAME, "[x*", {3}),
        (NAME, "100%_*", {2}),
        (NAME, "%", set()),
        (NAME, "cafe\N{COMBINING ACUTE ACCENT}.*", {1}),
        (NAME, "*", {0, 1, 2, 3, 4, 5}),
    ],
)
def test_a_filter_keeps_what_meets_it_and_its_negation_the_rest(filterable, kind, value, rows):
    assert set(filterable.rows([PhotoFilter(kind, value)])) == rows
    assert set(filterable.rows([PhotoFilter(kind, value, negated=True)])) == set(range(len(PATHS))) - rows


def test_all_filters_have_to_hold(filterable):
    both = [PhotoFilter(IN, "/p/Italy"), PhotoFilter(EXT, "png", negated=True), PhotoFilter(AFTER, "2022")]
    assert list(filterable.rows(both)) == [1]


def test_without_filters_all_photos_there_are_come_sorted(filterable):
    filterable.commit_batch([new_photo("/p/italy/c.jpg")], [2])
    rows = filterable.rows()
    assert rows.dtype == np.int64
    assert list(rows) == [0, 1, 3, 4, 6]
    assert filterable.rows([PhotoFilter(EXT, "none")]).dtype == np.int64


def test_an_encoder_can_be_recorded_again(catalog):
    other = LibraryEncoder("other/tag", 7, "bfloat16")
    catalog.set_encoder(other)
    assert catalog.encoder == other


def test_a_photo_found_again_keeps_its_row_and_takes_its_new_place(catalog):
    catalog.commit_batch([new_photo("/p/a.jpg", content_hash=b"a"), new_photo("/p/b.jpg")])
    catalog.commit_batch([], found_again=[FoundAgain(0, "/p/B.png", 7), FoundAgain(1, "/p/b.jpg", 8)])
    assert [(each.row, each.path, each.mtime_ns) for each in catalog.photos([0, 1])] == [
        (0, "/p/B.png", 7),
        (1, "/p/b.jpg", 8),
    ]
    catalog.commit_batch([], found_again=[FoundAgain(0, "/p/b.jpg", 9)])
    assert [(each.row, each.path) for each in catalog.photos([0, 1])] == [(0, "/p/b.jpg")]
    assert catalog.snapshot().tombstones.tolist() == [1]


def test_photos_are_known_by_size_and_content(catalog):
    places = [(1, b"a"), (1, b"b"), (2, b"a"), (1, b"a")]
    catalog.commit_batch(
        [
            new_photo(f"/p/{number}.jpg", size_bytes=size, content_hash=content)
            for number, (size, content) in enumerate(places)
        ]
    )
    assert catalog.known_sizes(range(10)) == {1, 2}
    assert catalog.contents.photos(1, b"a") == {0: ("/p/0.jpg", 0), 3: ("/p/3.jpg", 0)}
    assert catalog.contents.photos(3, b"a") == {}
    assert catalog.contents.photo(1, b"a") == (0, ("/p/0.jpg", 0))
    assert catalog.contents.photo(1, b"a", 3) == (3, ("/p/3.jpg", 0))
    assert catalog.contents.photo(1, b"a", 2) is catalog.contents.photo(3, b"a") is None


def test_a_copy_of_a_photo_that_is_gone_is_refused(catalog):
    with pytest.raises(KeyError):
        catalog.copy(0, FoundFile("/p/a.jpg", 1, 1))


def dates(catalog):
    photos = catalog.photos(catalog.rows())
    return [(photo.taken_at, photo.dated_at, catalog.details(photo.path).date_source) for photo in photos]


EXIF, WHATSAPP, PIXEL = "2001-02-03T04:05:06", "2018-05-14T00:00:00", "2021-02-03T04:05:06"


def test_a_date_is_of_the_exif_else_of_the_name_else_of_the_file(catalog):
    catalog.commit_batch(
        [
            new_photo("/p/IMG-20180514-WA0001.jpg", taken_at=EXIF),
            new_photo("/p/IMG-20180514-WA0002.jpg", taken_at="2001-02-03T00:00:00", is_day=True),
            new_photo("/p/IMG-20180514-WA0003.jpg", mtime_ns=10**18),
            new_photo("/p/PXL_20210203_040506789.jpg", mtime_ns=10**18),
            new_photo("/p/DSC_0001.jpg", mtime_ns=10**18),
        ]
    )
    of_file = datetime.fromtimestamp(10**9).isoformat()
    assert dates(catalog) == [
        (EXIF, EXIF, "exif"),
        ("2001-02-03T00:00:00", "2001-02-03T00:00:00", "exif-day"),
        (WHATSAPP, WHATSAPP, "name-day"),
        (PIXEL, PIXEL, "name"),
        (None, of_file, "file"),
    ]
    assert list(catalog.rows([PhotoFilter(FilterKind.BEFORE, "2019-01-01T00:00:00")])) == [0, 1, 2, 4]
    assert list(catalog.rows([PhotoFilter(FilterKind.AFTER, "2018-05-14T00:00:00")])) == [2, 3]


@cases("mtime_ns", [4_200_000_000 * 10**9, -5 * 10**18, 2**63 - 1, -(2**63) + 1])
def test_a_files_time_that_cannot_be_true_is_no_date(catalog, mtime_ns):
    path = f"/p/DSC_{mtime_ns}.jpg"
    catalog.commit_batch([new_photo(path, mtime_ns=mtime_ns)])
    details = catalog.details(path)
    assert (details.taken_at, details.dated_at, details.date_source) == (None, "1970-01-01T00:00:00", "unknown")
    assert not catalog.rows([PhotoFilter(FilterKind.HAS, "date")]).size
    assert not catalog.rows([PhotoFilter(FilterKind.AFTER, "1971-01-01T00:00:00")]).size


def test_a_photo_that_is_renamed_has_the_date_of_its_new_name_unless_the_exif_has_one(catalog):
    catalog.commit_batch(
        [
            new_photo("/p/a.jpg", mtime_ns=10**18),
            new_photo("/p/b.jpg", taken_at=EXIF, is_day=True),
            new_photo("/p/c.jpg"),
        ]
    )
    again = [(0, "/p/IMG-20180514-WA0003.jpg", 5), (1, "/p/IMG-20180514-WA0004.jpg", 5), (2, "/p/d.jpg", 10**18)]
    catalog.commit_batch([], found_again=[FoundAgain(*each) for each in again])
    of_file = datetime.fromtimestamp(10**9).isoformat()
    assert dates(catalog) == [(WHATSAPP, WHATSAPP, "name-day"), (EXIF, EXIF, "exif-day"), (None, of_file, "file")]


def test_a_copy_has_the_exif_of_its_photo_and_the_name_of_its_file(catalog):
    catalog.commit_batch([new_photo("/p/IMG-20180514-WA0003.jpg"), new_photo("/p/b.jpg", taken_at=EXIF, is_day=True)])
    copies = [catalog.copy(row, FoundFile(f"/q/{row}.jpg", 1, 10**18)) for row in (0, 1)]
    catalog.commit_batch(copies)
    of_file = datetime.fromtimestamp(10**9).isoformat()
    assert dates(catalog)[2:] == [(None, of_file, "file"), (EXIF, EXIF, "exif-day")]


def test_the_details_of_a_photo(catalog):
    catalog.commit_batch([new_photo("/p/a.jpg", taken_at=EXIF, lens="50mm", latitude=1.5, longitude=-2.5, rating=4)])
    details = PhotoDetails("/p/a.jpg", 1, EXIF, EXIF, DateSource.EXIF, 4, 3, None, "50mm", 1.5, -2.5, 4, "photo", "jpg")
    assert catalog.details("/p/a.jpg") == details
    assert PhotoDetails.from_json(details.to_json()) == details
    catalog.commit_batch([new_photo("/p/a.mp4", kind="video", seconds=12.5)])
    details = catalog.details("/p/a.mp4")
    assert (details.kind, details.seconds, details.extension) == ("video", 12.5, "mp4")
    assert catalog.details("/p/b.jpg") is None
    assert catalog.details("/p/\udce4.JPG") is None


def test_a_source_that_is_none_is_damage(catalog):
    catalog.commit_batch([new_photo("/p/a.jpg")])
    with catalog._database.writing() as connection:
        connection.execute("UPDATE photos SET date_source = 'satellite'")
    with pytest.raises(LibraryUnusable, match="damaged: there is no DateSource 'satellite'"):
        catalog.details("/p/a.jpg")


def test_the_same_filters_are_read_once_until_something_is_committed(folder, catalog, monkeypatch):
    catalog.commit_batch([new_photo(f"/p/{number}.jpg") for number in range(4)])
    asked = [PhotoFilter(FilterKind.IN, "/p")]
    reads, read = [], FilteredRows._read
    monkeypatch.setattr(FilteredRows, "_read", lambda *given: reads.append(given) or read(*given))
    assert [list(catalog.rows(asked)) for _ in range(3)] == [[0, 1, 2, 3]] * 3
    assert len(reads) == 1
    with Catalog.open(folder) as other:
        other.commit_batch([], [1])
    assert list(catalog.rows(asked)) == [0, 2, 3]
    catalog.commit_batch([], [2])
    assert list(catalog.rows(asked)) == [0, 3]
    assert list(catalog.rows([PhotoFilter(FilterKind.IN, "/p", negated=True)])) == []
    assert len(reads) == 4


def test_photos_of_the_same_bytes_are_found_together(catalog):
    digests = [b"a", b"b", b"a", b"c", b"b", b"d"]
    catalog.commit_batch([new_photo(f"/p/{at}.jpg", content_hash=each * 16) for at, each in enumerate(digests)])
    assert catalog.contents.copies_of(np.arange(6)) == [[0, 2], [1, 4]]
    assert catalog.contents.copies_of(np.array([2, 3])) == [[0, 2]]
    assert catalog.contents.copies_of(np.empty(0, np.int64)) == []


def test_stored_vectors_are_those_of_the_rows_that_are_there(catalog):
    vectors = unit_vectors(5)
    catalog.commit_batch([new_photo(f"/p/{at}.jpg", each) for at, each in enumerate(vectors)])
    catalog.commit_batch([], [2])
    rows, stored = catalog.stored_vectors(np.array([1, 2, 4]))
    assert (rows.tolist(), stored.dtype) == ([1, 4], np.float16)
    np.testing.assert_array_equal(stored, vectors[[1, 4]].astype(np.float16))
    assert catalog.stored_vectors(np.empty(0, np.int64))[1].shape == (0, DIM)


def test_roots_are_added_and_forgotten_and_the_others_stay(catalog):
    catalog.change_roots(["/b", "/a"])
    catalog.change_roots(["/c", "/a"], ["/b", "/never"])
    assert catalog.roots() == ("/a", "/c")


def test_only_a_few_answers_are_kept(catalog):
    for number in range(50):
        catalog.rows([PhotoFilter(FilterKind.IN, f"/{number}")])
        assert len(catalog._filtered._kept) <= 4
