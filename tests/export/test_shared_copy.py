"""A library copied photo by photo into a folder, which becomes one when all is there, and on from where it stopped."""

from __future__ import annotations

import pytest
from library_fakes import new_photo, unit_vectors
from test_photo_copy import content, filled

from photomap_cli.errors import BadPath, EmptyLibrary, LibraryBusy
from photomap_cli.export.library_draft import DRAFT_NAME, LOCK_NAME
from photomap_cli.export.shared_copy import copy_to_address, copy_to_folder
from photomap_cli.library import database
from photomap_cli.library.file_lock import FileLock
from photomap_cli.vectors.local_library import LocalLibrary

NAMES = "milvus://host:19530/photos", "target"


def opened(folder):
    return LocalLibrary.open(folder, create=True)


def copied(source, target, progress=lambda done, total: None):
    return copy_to_folder(source, target, NAMES, opened, progress)


def stop_after(photos):
    def stop(done, _total):
        if done >= photos:
            raise KeyboardInterrupt

    return stop


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.setattr("photomap_cli.library.catalog_facts._FILES_AT_ONCE", 40)
    with filled(tmp_path / "source") as library:
        yield library


def names(folder):
    return sorted(each.name for each in folder.iterdir())


def test_the_folder_is_a_library_with_all_that_there_is(source, tmp_path):
    target = tmp_path / "new" / "target"
    report = copied(source, target)
    assert content(target) == content(source.facts.folder)
    assert (report.source, report.target) == NAMES
    assert (report.photos, report.albums, report.searches, report.was_there) == (source.facts.photo_count, 1, 1, False)
    assert report.bytes == sum(each.stat().st_size for each in target.iterdir())
    assert DRAFT_NAME not in names(target)


def test_until_then_it_is_none_and_the_next_copy_goes_on(source, tmp_path):
    target, steps = tmp_path / "target", []
    with pytest.raises(KeyboardInterrupt):
        copied(source, target, stop_after(80))
    assert (names(target), database.library_exists(target)) == ([DRAFT_NAME], False)
    with opened(target / DRAFT_NAME) as draft:
        before = draft.facts.next_row
    copied(source, target, lambda done, total: steps.append(done))
    with opened(target) as there:
        assert (before, there.facts.next_row) == (80, there.facts.photo_count)
    assert content(target) == content(source.facts.folder)


def test_what_a_copy_of_another_library_left_is_not_gone_on_with(source, tmp_path):
    target = tmp_path / "target"
    with filled(tmp_path / "other", [new_photo("/q/other.jpg")]) as other, pytest.raises(KeyboardInterrupt):
        copied(other, target, stop_after(1))
    copied(source, target)
    assert content(target) == content(source.facts.folder)


def test_the_same_copy_again_has_nothing_to_do_and_another_library_is_not_touched(source, tmp_path):
    target = tmp_path / "target"
    copied(source, target)
    assert (copied(source, target).was_there, names(target)) == (True, ["albums.sqlite", "catalog.sqlite"])
    source.writes.commit_batch([new_photo("/p/one more.jpg", unit_vectors(1, seed=5)[0])])
    with pytest.raises(BadPath, match="another library, or an older copy"):
        copied(source, target)
    with opened(target) as there:
        assert there.facts.photo_at("/p/one more.jpg") is None


def test_a_folder_with_something_in_it_is_no_place(source, tmp_path):
    (tmp_path / "mine.txt").touch()
    with pytest.raises(BadPath, match="is not empty"):
        copied(source, tmp_path)
    assert DRAFT_NAME not in names(tmp_path)
    target = tmp_path / "target"
    (target / DRAFT_NAME).mkdir(parents=True)
    with FileLock(target / DRAFT_NAME / LOCK_NAME), pytest.raises(LibraryBusy, match="copying to"):
        copied(source, target)


def test_what_is_copied_to_an_address_is_counted_and_again_there_is_nothing_to_do(source, tmp_path):
    with opened(tmp_path / "target") as target:
        report = copy_to_address(source, target, NAMES, lambda done, total: None)
        assert (report.was_there, report.bytes) == (False, source.facts.photo_count * 32 * 2)
        report = copy_to_address(source, target, NAMES, lambda done, total: None)
        assert (report.was_there, report.bytes, report.photos) == (True, 0, source.facts.photo_count)
        assert content(tmp_path / "target") == content(source.facts.folder)


def test_a_library_without_photos_is_not_begun_elsewhere(tmp_path):
    with opened(tmp_path / "source") as source, opened(tmp_path / "target") as target:
        with pytest.raises(EmptyLibrary, match="no photos to copy"):
            copy_to_address(source, target, NAMES, lambda done, total: None)
        assert target.facts.encoder is None
