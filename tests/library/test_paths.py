import os
from pathlib import Path

import pytest

from photomap_cli.errors import BadPath
from photomap_cli.indexing.roots import covers, merged, resolved
from photomap_cli.library.paths import inside, part, shown

pytestmark = pytest.mark.skipif(os.sep != "/", reason="the tables are written with slashes")


@pytest.mark.parametrize(
    ("root", "path", "is_covered"),
    [
        ("/p", "/p", True),
        ("/p", "/p/a/b", True),
        ("/", "/p", True),
        ("/p", "/pp", False),
        ("/p/a", "/p", False),
        ("/p", "/p/.hidden/a", False),
        ("/p/.hidden", "/p/.hidden/a", True),
        ("/p", "/p/node_modules/a", False),
    ],
)
def test_a_root_covers_what_its_scan_comes_by(root, path, is_covered):
    assert covers(root, path) is is_covered


@pytest.mark.parametrize(
    ("roots", "enough"),
    [
        ([], ()),
        (["/b", "/a", "/a"], ("/a", "/b")),
        (["/a/b", "/a", "/a/b/c"], ("/a",)),
        (["/a", "/a/.h", "/a/.h/x"], ("/a", "/a/.h")),
        (["/a/b.jpg", "/a"], ("/a",)),
    ],
)
def test_roots_that_others_cover_are_dropped(roots, enough):
    assert merged(roots) == enough


def test_inside_means_strictly_below():
    assert inside(["/a", "/a/b", "/ab", "/c"], ["/a", "/c/d"]) == {"/a/b"}


def test_roots_lose_their_links_and_doubles(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    real = os.path.realpath(tmp_path / "real")
    assert resolved([tmp_path / "link", tmp_path / "real" / ".." / "real"], known=()) == (real,)


def test_a_root_has_to_exist_unless_it_is_known(tmp_path):
    gone = tmp_path / "gone"
    with pytest.raises(BadPath, match="does not exist"):
        resolved([gone], known=())
    assert resolved([gone], known=(os.path.realpath(gone),)) == (os.path.realpath(gone),)


def test_one_root_at_least_is_a_folder_or_named_like_a_photo(tmp_path):
    notes, picture = tmp_path / "notes.txt", tmp_path / "a.jpg"
    notes.touch()
    picture.touch()
    with pytest.raises(BadPath, match=r"notes\.txt isn't a folder or a photo"):
        resolved([notes, Path("/dev/null")], known=())
    assert resolved([notes, picture], known=()) == (os.path.realpath(notes), os.path.realpath(picture))
    assert resolved([], known=()) == ()


def test_what_is_shown_is_text():
    assert shown("/p/caf\udce9.jpg") == "/p/caf\ufffd.jpg"
    assert shown("/p/鳥.jpg") == "/p/鳥.jpg"


@pytest.mark.parametrize(
    ("folder", "roots", "is_part"),
    [
        ("/p/a", ["/p"], True),
        ("/p", ["/p"], False),
        ("/p", ["/p", "/q"], True),
        ("/", ["/p", "/q"], False),
        ("/pp", ["/p"], False),
        ("/p", [], False),
    ],
)
def test_a_folder_is_a_part_of_roots_that_reach_beyond_it(folder, roots, is_part):
    assert part(folder, roots) == (folder if is_part else "")
