"""A whole library copied to another folder: what is in the copy, what is refused, and what interrupts it."""

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import permissions
import pytest
from cases import cases
from library_fakes import ENCODER, new_photo, rows_on_disk, unit_vectors
from torture import kills
from waiting import LONG_SECONDS

from photomap_cli.doctor.library import album_checks, checks
from photomap_cli.errors import BadPath, EmptyLibrary, LibraryBusy, LibraryUnusable
from photomap_cli.export import library_copy
from photomap_cli.export.library_copy import copy_library
from photomap_cli.export.library_draft import DRAFT_NAME, LOCK_NAME
from photomap_cli.images.thumbnail_cache import ThumbnailCache
from photomap_cli.library import database, schema, user_data
from photomap_cli.library.albums import as_members
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.file_lock import FileLock
from photomap_cli.records import CheckState
from photomap_cli.vectors.store import VectorStore

PHOTOS = 300
DERIVED, CACHES = ("vectors.f16", "text-probes"), ("thumbnails.sqlite",)
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="kill -9, and a library to preload")


@pytest.fixture
def library(folder, catalog, store):
    vectors = unit_vectors(PHOTOS)
    catalog.commit_batch([new_photo(f"/p/{at}.jpg", vectors[at], camera="Canon") for at in range(PHOTOS)])
    catalog.commit_batch((), removed_rows=[3, 4])
    catalog.change_roots(["/p"])
    store.refresh()
    user_data.add(folder, "Best", as_members(catalog, ["/p/1.jpg", "/p/2.jpg"]))
    user_data.save_search(folder, "firsts", "album:Best name:1*")
    (folder / "text-probes").write_bytes(b"probes")
    with ThumbnailCache(folder, max_bytes=1_000_000) as thumbnails:
        thumbnails.put([("/p/1.jpg", 0, b"webp")])
    return folder


@pytest.fixture
def target(tmp_path):
    return tmp_path / "backup" / "library"


def copied(library, target, **options):
    return copy_library(library, target, derived=DERIVED, caches=CACHES, **options)


def content(folder):
    """Return all that a library's own files say."""
    opened = database.connect(folder, create=False)
    with opened.reading() as connection:
        tables = {table: connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in schema.TABLES}
    opened.close()
    return tables, user_data.every_album(folder), user_data.searches(folder)


def is_sound(folder):
    every = (*checks(folder), *album_checks(folder))
    return not [check for check in every if check.state is CheckState.FAULT]


def names(folder):
    return sorted(each.name for each in folder.iterdir()) if folder.exists() else []


def test_a_copy_there_and_back_is_the_same_to_the_bit(library, target, tmp_path):
    report = copied(library, target)
    assert (report.photos, report.albums, report.searches, report.was_there) == (PHOTOS - 2, 1, 1, False)
    assert report.bytes == sum(each.stat().st_size for each in target.iterdir())
    back = tmp_path / "back"
    copied(target, back)
    assert content(library) == content(target) == content(back)
    assert rows_on_disk(library) == rows_on_disk(target) == rows_on_disk(back)
    assert names(target) == ["albums.sqlite", "catalog.sqlite", "text-probes", "thumbnails.sqlite", "vectors.f16"]
    assert is_sound(back)
    with ThumbnailCache(back, max_bytes=1) as thumbnails:
        assert thumbnails.get("/p/1.jpg", 0) == b"webp"


def test_a_copy_is_its_owners_alone_and_a_folder_that_is_there_keeps_its_mode(library, target):
    copied(library, target)
    modes = {each.name: each.stat().st_mode & 0o777 for each in (target.parent, target, *target.iterdir())}
    assert {name: mode for name, mode in modes.items() if mode not in (0o600, 0o700)} == {}
    other = target.with_name("shared")
    other.mkdir()
    other.chmod(0o750)
    copied(library, other)
    assert other.stat().st_mode & 0o777 == 0o750


def test_a_copy_searches_as_the_library_does_without_making_anything_anew(library, target, store):
    copied(library, target)
    query = unit_vectors(1, seed=9)[0]
    with Catalog.open(target) as catalog, VectorStore(target, catalog) as there:
        before = (target / "vectors.f16").stat().st_ino
        assert [list(each) for each in there.search(query, 9)] == [list(each) for each in store.search(query, 9)]
        assert (there.drain_notices(), (target / "vectors.f16").stat().st_ino) == ([], before)


def test_a_copy_is_of_one_moment_while_another_process_indexes(library, target, catalog, monkeypatch):
    monkeypatch.setattr("photomap_cli.library.backup._BYTES_AT_ONCE", 16384)
    before, steps = content(library), []

    def index_on(done, _total):
        if len(steps) < 200:
            steps.append(done)
            catalog.commit_batch([new_photo(f"/p/new/{len(steps)}.jpg")])

    copied(library, target, on_progress=index_on)
    assert 10 < len(steps) < 100
    photos = {path for _, path, *_ in content(target)[0]["photos"]}
    assert {path for path in photos if "new" not in path} == {path for _, path, *_ in before[0]["photos"]}
    new = sorted(int(Path(path).stem) for path in photos if "new" in path)
    assert new == list(range(1, len(new) + 1))
    assert len(new) < len(steps)
    assert is_sound(target)


def test_rows_that_become_other_photos_amid_a_copy_are_read_anew_from_its_catalogue(library, target, catalog, store):
    def begin_again(_done, _total):
        if catalog.photo_count != 1:
            catalog.clear()
            catalog.set_encoder(ENCODER)
            catalog.commit_batch([new_photo("/p/only.jpg", unit_vectors(1, seed=5)[0])])
            store.refresh()

    copied(library, target, on_progress=begin_again)
    with Catalog.open(target) as there, VectorStore(target, there) as vectors:
        rows, _ = vectors.search(unit_vectors(1, seed=5)[0], 3)
        assert [each.path for each in there.photos(rows)] == ["/p/only.jpg"]
        assert vectors.drain_notices() == []


def test_a_second_copy_of_the_same_state_has_nothing_to_do_and_of_another_is_refused(library, target, catalog):
    copied(library, target)
    before = (target / "catalog.sqlite").stat()
    assert copied(library, target).was_there
    assert (target / "catalog.sqlite").stat().st_ino == before.st_ino
    assert DRAFT_NAME not in names(target)
    user_data.save_search(library, "more", "cat")
    with pytest.raises(BadPath, match="another library, or an older copy"):
        copied(library, target)
    user_data.delete_search(library, "more")
    assert copied(library, target).was_there
    catalog.commit_batch([new_photo("/p/new.jpg")])
    with pytest.raises(BadPath, match="another library, or an older copy"):
        copied(library, target)
    assert len(content(target)[0]["photos"]) == PHOTOS - 2


def a_file(target):
    target.parent.mkdir(exist_ok=True)
    target.write_text("mine")


def a_dangling_link(target):
    target.parent.mkdir(exist_ok=True)
    target.symlink_to("nowhere")


def other_files(target):
    target.mkdir(parents=True)
    (target / "thesis.txt").write_text("mine")


def only_albums(target):
    user_data.add(target, "Mine", [])


def another_library(target):
    with Catalog.open(target, create=True) as catalog:
        catalog.commit_batch(())


def something_damaged(target):
    target.mkdir(parents=True)
    (target / "catalog.sqlite").write_text("mine")


def a_planted_draft(target):
    target.mkdir(parents=True)
    target.with_name("elsewhere").mkdir()
    (target.with_name("elsewhere") / "thesis.txt").write_text("mine")
    (target / DRAFT_NAME).symlink_to(target.with_name("elsewhere"))


def a_planted_lock(target):
    (target / DRAFT_NAME / LOCK_NAME).mkdir(parents=True)


def a_file_for_a_draft(target):
    target.mkdir(parents=True)
    (target / DRAFT_NAME).write_text("mine")


def everything_in(folder):
    every = sorted(folder.rglob("*"))
    return [(str(each), each.read_bytes() if each.is_file() else os.path.realpath(each)) for each in every]


@cases(
    ("make", "told"),
    [
        (a_file, "isn't a folder"),
        (a_dangling_link, "a broken link"),
        (other_files, "not empty: thesis.txt"),
        (only_albums, "other albums or saved searches"),
        (another_library, "another library"),
        (something_damaged, "another library"),
        (a_planted_draft, "in the way"),
        (a_planted_lock, "in the way"),
        (a_file_for_a_draft, "in the way"),
    ],
)
def test_what_is_in_the_target_is_never_touched(make, told, library, tmp_path):
    place = tmp_path / make.__name__
    place.mkdir()
    make(place / "library")
    before = everything_in(place)
    with pytest.raises(BadPath, match=told):
        copied(library, place / "library")
    assert everything_in(place) == before


def test_an_empty_folder_behind_a_link_is_filled(library, target):
    target.mkdir(parents=True)
    target.with_name("link").symlink_to(target)
    copied(library, target.with_name("link"))
    assert content(target) == content(library)


def test_no_copy_goes_into_its_own_library(library, tmp_path):
    (tmp_path / "link").symlink_to(library)
    for target in (library, tmp_path / "link", library / "copy", library / "a/b", tmp_path / "link" / "copy"):
        with pytest.raises(BadPath, match="the library's"):
            copied(library, target)
    with pytest.raises(BadPath, match="not empty"):
        copied(library, library.parent)
    assert "copy" not in names(library)


def test_a_source_without_a_library_leaves_no_target(tmp_path, target):
    with pytest.raises(EmptyLibrary):
        copied(tmp_path / "nothing", target)
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "catalog.sqlite").write_text("mine")
    with pytest.raises(LibraryUnusable):
        copied(tmp_path / "damaged", target)
    assert not target.parent.exists()


def test_a_damaged_page_is_found_and_not_handed_on(library, target, catalog, store):
    store.close()
    catalog.close()
    path = library / "catalog.sqlite"
    content = bytearray(path.read_bytes())
    content[-4096 * 20 : -4096 * 10] = os.urandom(4096 * 10)
    path.write_bytes(content)
    with pytest.raises(LibraryUnusable, match=r"catalog\.sqlite is damaged"):
        copied(library, target)
    assert not target.parent.exists()


def test_derived_files_that_are_no_files_are_left_out(library, target):
    (library / "text-probes").unlink()
    (library / "text-probes").mkdir()
    (library / "thumbnails.sqlite").write_text("no database")
    copied(library, target)
    assert names(target) == ["albums.sqlite", "catalog.sqlite", "vectors.f16"]


def test_two_copies_to_one_folder_do_not_meet(library, target):
    (target / DRAFT_NAME).mkdir(parents=True)
    with FileLock(target / DRAFT_NAME / LOCK_NAME), pytest.raises(LibraryBusy, match="copying to"):
        copied(library, target)
    copied(library, target)
    assert content(target) == content(library)


def test_a_library_made_there_meanwhile_is_kept(library, target, monkeypatch):
    real = library_copy.put_in_place

    def index_first(draft, target, names):
        with Catalog.open(target, create=True) as other:
            other.change_roots(["/theirs"])
        real(draft, target, names)

    monkeypatch.setattr(library_copy, "put_in_place", index_first)
    with pytest.raises(BadPath, match="another library"):
        copied(library, target)
    with Catalog.open(target) as there:
        assert there.roots() == ("/theirs",)
    assert user_data.albums(target) == ()


def test_an_unwritable_place_is_named(library, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with permissions.obeyed(), pytest.raises(BadPath, match="permission denied"):
        copied(library, tmp_path / "locked" / "library")


class Interrupted(BaseException):
    """Stands in for Ctrl-C."""


def test_a_copy_that_is_interrupted_at_any_moment_leaves_all_or_nothing(library, target):
    state = {"left": 0}

    def interrupt(event, _arguments):
        if event in ("open", "os.rename", "os.remove", "os.mkdir", "sqlite3.connect", "sqlite3.connect/handle"):
            state["left"] -= 1
            if state["left"] == 0:
                raise Interrupted

    sys.addaudithook(interrupt)
    expected, moments = content(library), 0
    for moment in range(1, 1000):
        state["left"] = moment
        try:
            copied(library, target)
        except Interrupted:
            state["left"], moments = 0, moment
            assert not database.library_exists(target) or content(target) == expected
        else:
            state["left"] = 0
            if moment > moments + 5:
                break
    assert moments > 20
    assert content(target) == expected
    assert DRAFT_NAME not in names(target)


@LINUX
def test_a_copy_that_is_killed_at_any_moment_is_all_or_nothing_and_begins_again(library, target):
    expected, rng, killed = content(library), random.Random(1), 0
    script = Path(__file__).with_name("killed_copy.py")
    for _ in range(kills()):
        step = str(rng.randrange(1, 60))
        status = subprocess.run([sys.executable, script, library, target, step], timeout=LONG_SECONDS).returncode
        killed += status < 0
        assert not database.library_exists(target) or content(target) == expected
        if status == 0 or rng.random() < 0.5:  # else the next one finds what this one left
            copied(library, target)
            assert (content(target), content(library)) == (expected, expected)
            assert (is_sound(target), DRAFT_NAME in names(target)) == (True, False)
            shutil.rmtree(target)
    assert killed >= kills() // 2


@LINUX
def test_a_full_disk_is_named_and_leaves_nothing(library, target, full_disk):
    expected, failed = content(library), 0
    for seed in range(kills()):
        environment = {"LD_PRELOAD": full_disk, "FULL_DISK": str(target), "FULL_DISK_SEED": str(seed)}
        run = subprocess.run(
            [sys.executable, "-m", "photomap_cli", "copy", library, target],
            env={**os.environ, **environment, "FULL_DISK_ONE_IN": str(3 ** (1 + seed % 5))},
            capture_output=True,
            text=True,
            timeout=LONG_SECONDS,
        )
        if run.returncode == 0:
            assert content(target) == expected
            for each in target.iterdir():
                each.unlink()
            continue
        failed += 1
        assert (run.returncode, run.stdout, names(target)) == (2, "", [])
        assert [line.partition(":")[0] for line in run.stderr.splitlines()] == ["photomap", "hint"]
        assert str(target) in run.stderr
    assert failed
    copied(library, target)
    assert content(target) == expected
