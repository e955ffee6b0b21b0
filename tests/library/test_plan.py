import pytest

from photomap_cli.library.entries import SeenFile
from photomap_cli.library.plan import diff
from photomap_cli.library.scan import FoundFile
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


@pytest.mark.parametrize(("failed", "gone"), [("/p/a", [1, 2]), ("/p", []), ("/p/a/x", [1, 2]), ("/", [])])
def test_what_was_not_looked_for_is_not_gone(failed, gone):
    seen = {"/p/a/x": SeenFile(0, 1, 1), "/p/ab/y": SeenFile(1, 1, 1), "/p/z": SeenFile(2, 1, 1)}
    assert list(diff([IndexFailure(failed, "permission denied")], seen).gone.values()) == gone


def test_a_name_that_is_no_text_fails():
    plan = diff([FoundFile("/p/caf\udce9.jpg", 1, 1)], {})
    assert (plan.todo, plan.scanned, plan.failures[0].reason) == ([], 1, "its name is not valid UTF-8")
