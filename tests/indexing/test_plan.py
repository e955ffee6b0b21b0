import pytest

from photomap_cli.indexing.plan import FEW_INODES, Todo, diff
from photomap_cli.library.entities import FoundFile, SeenFile
from photomap_cli.records import IndexFailure


def test_files_are_new_changed_unchanged_or_gone():
    found = [
        FoundFile("/p/new", 1, 1),
        FoundFile("/p/bigger", 2, 1),
        FoundFile("/p/later", 1, 2),
        FoundFile("/p/same", 1, 1),
    ]
    seen = {f"/p/{name}": SeenFile(row, 1, 1) for row, name in enumerate(["bigger", "later", "same", "gone"])}
    plan = diff(found, seen)
    assert [(todo.file.path, todo.old_row) for todo in plan.todo] == [
        ("/p/new", None),
        ("/p/bigger", 0),
        ("/p/later", 1),
    ]
    assert (plan.gone, plan.scanned, plan.unchanged, plan.failures) == ({"/p/gone": 3}, 4, 1, [])


def test_a_photo_that_cannot_be_looked_at_was_found_as_well_and_a_folder_is_no_photo():
    found = [IndexFailure("/p/a.jpg", "a broken link"), IndexFailure("/p/sub", "permission denied")]
    plan = diff(found, {})
    assert (plan.scanned, plan.failures) == (1, found)


def file(*, ctime_ns=50, inode=7, mtime_ns=1):
    return FoundFile("/p/a", 1, mtime_ns, ctime_ns, inode)


@pytest.mark.parametrize(
    ("before", "now", "is_suspect"),
    [
        (SeenFile(0, 1, 1, 50, 7), file(), False),
        (SeenFile(0, 1, 1, 50, 7), file(ctime_ns=60), True),
        (SeenFile(0, 1, 1, 50, 7), file(ctime_ns=60, inode=8), True),
        (SeenFile(0, 1, 1, 50, 7), file(ctime_ns=40), True),  # a disk that was put back to an earlier state
        (SeenFile(0, 1, 1, 50, 7), file(ctime_ns=1), True),
        (SeenFile(0, 1, 1, 50, 7), file(inode=8), True),
    ],
)
def test_a_file_with_its_old_size_and_time_is_suspect_by_what_else_has_changed(before, now, is_suspect):
    plan = diff([now], {"/p/a": before})
    assert plan.todo == ([Todo(now, 0, is_suspect=True)] if is_suspect else [])
    assert (plan.unchanged, plan.gone) == (0 if is_suspect else 1, {})
    assert plan.noted == []


@pytest.mark.parametrize("ctime_ns", [50, 1])  # 1: the disk has none of its own any more, as FAT's
def test_a_file_system_that_makes_its_inodes_up_has_nothing_read(ctime_ns):
    many = [FoundFile(f"/p/{number}", 1, 1, ctime_ns, 9000 + number) for number in range(FEW_INODES + 1)]
    seen = {each.path: SeenFile(row, 1, 1, 50, 1 + row) for row, each in enumerate(many)}
    plan = diff(many, seen)
    assert (plan.todo, plan.unchanged) == ([], len(many))
    assert plan.noted == [each.again(row) for row, each in enumerate(many)]


def test_a_recheck_suspects_every_file_that_the_library_has():
    new = FoundFile("/p/new", 1, 1, 50, 8)
    plan = diff([file(), new], {"/p/a": SeenFile(0, 1, 1, 50, 7)}, recheck=True)
    assert plan.todo == [Todo(file(), 0, is_suspect=True), Todo(new, None)]


@pytest.mark.parametrize(("failed", "gone"), [("/p/a", [1, 2]), ("/p", []), ("/p/a/x", [1, 2]), ("/", [])])
def test_what_was_not_looked_for_is_not_gone(failed, gone):
    seen = {"/p/a/x": SeenFile(0, 1, 1), "/p/ab/y": SeenFile(1, 1, 1), "/p/z": SeenFile(2, 1, 1)}
    assert list(diff([IndexFailure(failed, "permission denied")], seen).gone.values()) == gone


def test_a_name_that_is_no_text_fails():
    plan = diff([FoundFile("/p/caf\udce9.jpg", 1, 1)], {})
    assert (plan.todo, plan.scanned, plan.failures[0].reason) == ([], 1, "its name is not valid UTF-8")


def test_a_time_and_an_inode_that_are_not_known_are_no_sign_of_a_change():
    plan = diff([FoundFile("/p/a.jpg", 1, 1, 77, 9)], {"/p/a.jpg": SeenFile(0, 1, 1)})
    assert (plan.todo, plan.unchanged) == ([], 1)
