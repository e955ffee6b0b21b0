import errno
import os

import pytest

from photomap_cli.errors import LibraryBusy, LibraryUnusable
from photomap_cli.library.file_lock import FileLock, only_writer


def test_a_lock_is_held_by_one(tmp_path):
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert first.try_acquire()
    assert not second.try_acquire()
    assert second.holder() == os.getpid()
    first.release()
    first.release()
    with second:
        assert not first.try_acquire()
    assert first.try_acquire()
    first.release()


def test_a_file_with_no_process_in_it_names_no_holder(tmp_path):
    (tmp_path / "lock").write_text("nobody")
    assert FileLock(tmp_path / "lock").holder() is None
    assert FileLock(tmp_path / "missing").holder() is None


def test_a_second_writer_is_told_who_the_first_is(tmp_path):
    with only_writer(tmp_path):
        with pytest.raises(LibraryBusy, match=f"process {os.getpid()} is indexing") as caught, only_writer(tmp_path):
            pass
        assert caught.value.hint
    with only_writer(tmp_path):
        pass


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_called_so(tmp_path, monkeypatch, number):
    def full(*_given):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(LibraryUnusable, match="the disk is full") as caught, only_writer(tmp_path):
        pass
    assert caught.value.hint == "free some space"


def test_what_stands_in_the_place_of_the_lock_is_named(tmp_path):
    (tmp_path / "index.lock").mkdir()
    with pytest.raises(LibraryUnusable, match=r"index\.lock is not a regular file") as caught, only_writer(tmp_path):
        pass
    assert "move it away" in caught.value.hint


def test_a_folder_that_takes_no_lock_is_unusable(tmp_path):
    with pytest.raises(LibraryUnusable, match="cannot be written"), only_writer(tmp_path / "missing"):
        pass
