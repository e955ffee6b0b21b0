"""Files are read from a slow disk before a decoder asks for them."""

import os

import pytest

from photomap_cli import files
from photomap_cli.indexing import read_ahead
from photomap_cli.indexing.read_ahead import ReadAhead
from tests.waiting import wait_until

pytestmark = pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="the system takes no such request")


@pytest.fixture
def asked_for(monkeypatch):
    """The size of each file that the system is asked for."""
    sizes = []
    monkeypatch.setattr(files, "will_need", lambda descriptor, length: sizes.append(length))
    return sizes


@pytest.fixture
def paths(tmp_path):
    """Ten files of one to ten bytes."""
    made = [tmp_path / f"{number}.jpg" for number in range(10)]
    for number, path in enumerate(made):
        path.write_bytes(bytes(number + 1))
    return [str(path) for path in made]


def test_so_many_files_are_read_ahead_of_those_in_work(paths, asked_for):
    ahead = ReadAhead(paths, 3)
    wait_until(lambda: sorted(asked_for) == [1, 2, 3])
    ahead.next_begins()
    wait_until(lambda: sorted(asked_for) == [1, 2, 3, 4])
    for _ in paths:
        ahead.next_begins()
    wait_until(lambda: sorted(asked_for) == list(range(1, 11)))
    ahead.close()


def test_once_it_is_closed_nothing_more_is_read(paths, asked_for):
    ahead = ReadAhead(paths, 0)
    ahead.close()
    ahead.next_begins()
    wait_until(lambda: not [thread for thread in read_ahead.threading.enumerate() if thread.name == "read-ahead"])
    assert asked_for == []


def test_what_cannot_be_opened_is_passed_over(paths, asked_for, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    ahead = ReadAhead([str(tmp_path / "gone"), str(tmp_path / "pipe"), str(tmp_path), paths[0]], 4)
    wait_until(lambda: asked_for == [1])
    ahead.close()


def test_of_a_large_file_the_beginning_is_read(paths, asked_for, monkeypatch):
    monkeypatch.setattr(read_ahead, "MOST_AT_ONCE", 5)
    ahead = ReadAhead(paths[-1:], 1)
    wait_until(lambda: asked_for == [5])
    ahead.close()


def test_each_piece_is_asked_for_by_itself(paths, monkeypatch):
    asked = []
    monkeypatch.setattr(os, "posix_fadvise", lambda file, at, length, advice: asked.append((at, length, advice)))
    piece = files._PIECE_BYTES
    files.will_need(0, 2 * piece + 1)
    assert asked == [(at, piece, os.POSIX_FADV_WILLNEED) for at in (0, piece, 2 * piece)]


def test_a_file_system_that_knows_no_such_request_is_no_fault(monkeypatch):
    def refuse(*_):
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(os, "posix_fadvise", refuse)
    files.will_need(0, 1)
