"""Which photo a file is, of those that have its content; see test_indexer.py for whole runs."""

import pytest

from photomap_cli.indexing.plan import Todo
from photomap_cli.indexing.rename_detection import RenameDetector
from photomap_cli.indexing.unmounted_disks import DeletionCheck
from photomap_cli.library.entities import FoundAgain, FoundFile, LibraryEncoder
from tests.library_fakes import new_photo, unit_vectors

COPIES = 200
CONTENT, DIM = b"a" * 16, unit_vectors(1).shape[1]


@pytest.fixture
def library(catalog):
    """A library with many copies of one photo."""
    catalog.set_encoder(LibraryEncoder("other/tag", DIM, "float32"))
    catalog.commit_batch([new_photo(f"/old/{number}.jpg", content_hash=CONTENT) for number in range(COPIES)])
    return catalog


def size_of(catalog):
    return catalog.known_sizes(range(10_000)).pop()


def test_copies_that_all_moved_take_one_look_each(library):
    looked = []
    detector = RenameDetector(library, lambda path: looked.append(path) or True)
    size = size_of(library)
    names = [f"/new/{number}.jpg" for number in reversed(range(COPIES))]
    settled = [detector.match(Todo(FoundFile(name, size, 1), None), CONTENT).settled for name in names]
    assert [(each.row, each.path) for each in settled] == [(COPIES - 1 - at, name) for at, name in enumerate(names)]
    assert all(isinstance(each, FoundAgain) for each in settled)
    assert len(looked) == COPIES


def test_what_moved_under_another_name_is_the_first_that_nobody_took(library):
    detector = RenameDetector(library, lambda path: True)
    size = size_of(library)
    rows = [
        detector.match(Todo(FoundFile(name, size, 1), None), CONTENT).settled.row
        for name in ("/new/1.jpg", "/new/x.jpg", "/newer/1.jpg", "/new/0.jpg")
    ]
    assert rows == [1, 0, 2, 3]


def test_further_copies_take_no_look_at_those_that_are_there(library):
    looked = []
    detector = RenameDetector(library, lambda path: bool(looked.append(path)))
    size = size_of(library)
    for number in range(COPIES):
        match = detector.match(Todo(FoundFile(f"/new/{number}.jpg", size, 1), None), CONTENT)
        assert match.like[0] == "/old/0.jpg"
        assert match.settled.path == f"/new/{number}.jpg"
        library.commit_batch([match.settled])
    assert len(looked) == COPIES
    assert not detector.moved


def test_a_photo_that_left_the_library_meanwhile_has_not_moved(library):
    detector = RenameDetector(library, lambda path: path != "/old/5.jpg")
    size = size_of(library)
    assert detector.match(Todo(FoundFile("/new/0.jpg", size, 1), None), CONTENT).settled.row == 0
    library.commit_batch([], removed_rows=[1, 2])
    assert detector.match(Todo(FoundFile("/new/1.jpg", size, 1), None), CONTENT).settled.row == 3
    assert detector.moved == {0, 3}


def test_a_photo_of_a_root_that_another_computer_has_is_not_gone_from_here(catalog, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    catalog.set_encoder(LibraryEncoder("other/tag", DIM, "float32"))
    catalog.commit_batch([new_photo("archive:2014/a.jpg", content_hash=CONTENT)])
    deletion_check = DeletionCheck(catalog, [str(tmp_path)], [])
    match = RenameDetector(catalog, deletion_check.is_gone).match(
        Todo(FoundFile(f"{tmp_path}/a.jpg", size_of(catalog), 1), None), CONTENT
    )
    assert match.settled.path == f"{tmp_path}/a.jpg"
    assert not isinstance(match.settled, FoundAgain)
    assert not deletion_check.kept
