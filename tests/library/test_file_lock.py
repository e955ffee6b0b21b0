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


def test_a_folder_that_takes_no_lock_is_unusable(tmp_path):
    with pytest.raises(LibraryUnusable, match="cannot be written"), only_writer(tmp_path / "missing"):
        pass
