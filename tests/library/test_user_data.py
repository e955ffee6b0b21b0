"""Albums and saved searches: the user's own, in a file that nothing else touches."""

import json
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import suppress

import pytest
from cases import cases
from library_fakes import new_photo, unit_vectors
from waiting import LONG_SECONDS

from photomap_cli.errors import BadQuery, LibraryUnusable, UsageError
from photomap_cli.library import albums, user_data
from photomap_cli.library.albums import AlbumRows, as_members
from photomap_cli.library.user_data import Member
from photomap_cli.library.user_data_json import export_json, import_json


@pytest.fixture
def library(catalog, folder):
    """Five photos, `/p/0.jpg` to `/p/4.jpg`, each with bytes of its own."""
    vectors = unit_vectors(5)
    catalog.commit_batch(
        [new_photo(f"/p/{at}.jpg", vectors[at], content_hash=bytes([at]) * 16, size_bytes=100 + at) for at in range(5)]
    )
    return folder


def rows(catalog, name):
    return AlbumRows(catalog, catalog.change_counter).rows(name)


def again(catalog, path, digest, size):
    """Have the catalogue be as after an index run that found these bytes at a path."""
    catalog.commit_batch([new_photo(path, content_hash=digest, size_bytes=size)])


def test_photos_are_added_once_and_taken_out_and_albums_go(library, catalog):
    assert user_data.add(library, "Best", as_members(catalog, ["/p/0.jpg", "/p/1.jpg"])) == 2
    assert user_data.add(library, "BEST", [Member("/p/1.jpg"), Member("/p/2.jpg")]) == 1
    assert user_data.albums(library) == (("Best", 3),)
    assert user_data.remove(library, "best", ["/p/1.jpg", "/p/9.jpg"]) == 1
    album = user_data.album(library, "bEsT")
    assert {member.path: member.digest for member in album.members} == {"/p/0.jpg": bytes(16), "/p/2.jpg": None}
    assert (user_data.delete(library, "best"), user_data.delete(library, "best")) == (True, False)
    assert user_data.albums(library) == ()


def test_what_is_read_makes_no_file(library):
    assert (user_data.albums(library), user_data.searches(library), user_data.album(library, "x")) == ((), {}, None)
    user_data.move(library, [("/a", "/b")])
    assert not user_data.path_in(library).exists()


def test_the_file_is_its_owners_alone(library):
    user_data.add(library, "a", [])
    assert stat.S_IMODE(user_data.path_in(library).stat().st_mode) == 0o600


@cases("name", ["", "  ", 'a"b', "a\nb\x1b", "x" * 201, "\udcff"])
def test_a_name_that_cannot_be_typed_is_refused(library, name):
    with pytest.raises(UsageError):
        user_data.save_search(library, name, "dog")
    with pytest.raises(UsageError):
        user_data.add(library, name, [])


def test_names_that_can_be_typed_are_kept(library):
    for name in ("Été 2023", "-x", "100%", "O'Brien; DROP TABLE albums", "日本", "a:b"):
        user_data.add(library, name, [Member("/p/0.jpg")])
        assert user_data.album(library, name.upper()).name == name


# -- which photos they are -------------------------------------------------------------------------------------------


def test_an_album_finds_its_photos_wherever_they_are_moved(library, catalog):
    user_data.add(library, "Best", as_members(catalog, ["/p/0.jpg", "/p/1.jpg", "/p/2.jpg", "/p/gone.jpg"]))
    assert rows(catalog, "best") == [0, 1, 2]
    catalog.commit_batch([], [1])  # moved by the user, and indexed anew under another name
    again(catalog, "/q/new name.jpg", bytes([1]) * 16, 101)
    assert rows(catalog, "best") == [0, 2, 5]
    paths = [member.path for member in user_data.album(library, "best").members]
    assert sorted(paths) == ["/p/0.jpg", "/p/2.jpg", "/p/gone.jpg", "/q/new name.jpg"]


def test_an_edited_photo_stays_in_its_album(library, catalog):
    user_data.add(library, "Best", as_members(catalog, ["/p/0.jpg"]))
    again(catalog, "/p/0.jpg", b"edited" + bytes(10), 7)
    assert rows(catalog, "Best") == [5]
    [member] = user_data.album(library, "Best").members
    assert member.digest == b"edited" + bytes(10)


def test_another_photo_under_a_moved_ones_name_is_not_in_the_album(library, catalog):
    user_data.add(library, "Best", as_members(catalog, ["/p/0.jpg"]))
    again(catalog, "/p/0.jpg", b"another" + bytes(9), 7)
    again(catalog, "/archive/0.jpg", bytes(16), 100)
    assert rows(catalog, "Best") == [6]


def test_of_copies_the_one_that_kept_its_name_is_in_the_album(library, catalog):
    user_data.add(library, "Best", as_members(catalog, ["/p/0.jpg"]))
    catalog.commit_batch([], [0])
    again(catalog, "/q/copy.jpg", bytes(16), 100)
    again(catalog, "/q/0.jpg", bytes(16), 100)
    assert rows(catalog, "Best") == [6]


def test_an_album_outlives_a_library_that_is_encoded_anew(library, catalog):
    user_data.add(library, "Best", as_members(catalog, ["/p/3.jpg", "/p/4.jpg"]))
    catalog.clear()
    again(catalog, "/elsewhere/3.jpg", bytes([3]) * 16, 103)
    again(catalog, "/p/4.jpg", bytes([4]) * 16, 104)
    assert rows(catalog, "Best") == [0, 1]


def test_rows_are_remembered_until_something_changes(library, catalog, monkeypatch):
    user_data.add(library, "Best", as_members(catalog, ["/p/0.jpg"]))
    found = AlbumRows(catalog, catalog.change_counter)
    assert found.rows("Best") == [0]
    looked = []
    own = albums._found
    monkeypatch.setattr(albums, "_found", lambda *given: looked.append(1) or own(*given))
    assert found.rows("Best") == [0]
    assert looked == []
    user_data.add(library, "Best", as_members(catalog, ["/p/1.jpg"]))
    assert found.rows("Best") == [0, 1]


def test_an_album_that_is_not_there_is_named_with_those_that_are(library, catalog):
    with pytest.raises(BadQuery, match="no album") as caught:
        rows(catalog, "Best")
    assert caught.value.hint == "`:album NAME` at the prompt makes one"
    for number in range(7):
        user_data.add(library, f"A{number}", [])
    with pytest.raises(BadQuery) as caught:
        rows(catalog, "Best")
    assert caught.value.hint == "albums: A0, A1, A2, A3, A4, ..."
    assert rows(catalog, "a0") == []


# -- taken along -----------------------------------------------------------------------------------------------------


def test_an_export_that_is_imported_is_the_same(library, catalog, tmp_path):
    user_data.add(library, "Best", as_members(catalog, ["/p/0.jpg", "/p/gone.jpg"]))
    user_data.add(library, "Empty", [])
    user_data.save_search(library, "trip", "beach -people")
    exported = export_json(library)
    (tmp_path / "albums.json").write_text(json.dumps({"version": 1, **exported}))
    other = tmp_path / "other"
    assert import_json(other, tmp_path / "albums.json") == (2, 2, 1)
    assert export_json(other) == exported
    assert import_json(other, tmp_path / "albums.json") == (2, 0, 1)
    assert export_json(other) == exported


@cases(
    "text",
    [
        *("", "[]", "{}", "null", '{"albums": [], "searches": [{}]}', "[" * 100_000),
        '{"albums": [{"name": "a", "made_at": "", "photos": [{"path": 1}]}], "searches": []}',
        '{"albums": [{"name": "a", "made_at": "", "photos": "x"}], "searches": []}',
        '{"albums": [{"name": "\\ud800", "made_at": "", "photos": []}], "searches": []}',
        '{"albums": [{"name": "a\\"", "made_at": "", "photos": []}], "searches": []}',
    ],
)
def test_what_is_no_export_is_refused_whole(library, tmp_path, text):
    (tmp_path / "albums.json").write_text(text)
    with pytest.raises(UsageError):
        import_json(library, tmp_path / "albums.json")
    assert user_data.albums(library) == ()


# -- a file that is not as it was written ----------------------------------------------------------------------------


def read_all(library):
    user_data.albums(library)
    user_data.every_album(library)
    user_data.searches(library)
    user_data.album(library, "Best")
    user_data.faults(library)
    user_data.add(library, "Best", [Member("/p/7.jpg")])


@cases(
    "damage", ["text", "empty", "no tables", "cut", "table", "trigger", "version", "types", "folder", "pipe", "link"]
)
def test_a_damaged_file_is_one_line_and_stays(damage, tmp_path):
    library = tmp_path / damage
    user_data.add(library, "Best", [Member(f"/p/{at}.jpg", 1, b"x" * 16) for at in range(500)])
    path = user_data.path_in(library)
    whole = path.read_bytes()
    commands = {
        "table": "CREATE TABLE other (x)",
        "no tables": "DROP TABLE albums; DROP TABLE photos; DROP TABLE searches",
        "trigger": "CREATE TRIGGER t AFTER INSERT ON photos BEGIN DELETE FROM photos; END",
        "version": "PRAGMA user_version = 9",
        "types": "UPDATE photos SET added_at = x'07'",
    }
    if command := commands.get(damage):
        connection = sqlite3.connect(path)
        connection.executescript(command)
        connection.commit()
        connection.close()
    elif damage in ("text", "cut"):
        path.write_bytes(b"no database at all" * 99 if damage == "text" else whole[:5000])
    else:
        path.unlink()
        {
            "empty": lambda: path.touch(),
            "folder": path.mkdir,
            "pipe": lambda: os.mkfifo(path),
            "link": lambda: path.symlink_to(tmp_path / "elsewhere"),
        }[damage]()
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(LibraryUnusable) as caught:
        read_all(library)
    assert str(path) in caught.value.message
    assert caught.value.hint
    assert os.path.lexists(path)
    assert before is None or path.read_bytes() == before
    assert not (tmp_path / "elsewhere").exists()


def test_any_byte_flipped_is_no_traceback(tmp_path):
    user_data.add(tmp_path, "Best", [Member(f"/p/{at}.jpg", at, bytes([at]) * 16) for at in range(60)])
    user_data.save_search(tmp_path, "trip", "beach")
    path = user_data.path_in(tmp_path)
    whole = path.read_bytes()
    for at in range(0, len(whole), 211):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        path.with_name("albums.sqlite-journal").unlink(missing_ok=True)
        with suppress(LibraryUnusable):  # any other error fails the test
            read_all(tmp_path)


KILLED = """
import sys, pathlib
from photomap_cli.library import user_data
library = pathlib.Path(sys.argv[1])
print("go", flush=True)
for number in range(100000):
    user_data.add(library, f"album {number}", [user_data.Member(f"/p/{number}/{each}.jpg") for each in range(20)])
    print(number, flush=True)
"""


def test_kill_9_loses_nothing_that_was_said_to_be_kept(tmp_path):
    for _ in range(3):
        program = [sys.executable, "-c", KILLED, str(tmp_path)]
        with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as child:
            lines = [child.stdout.readline() for _ in range(8)]
            child.kill()
            child.wait(LONG_SECONDS)
        kept = dict(user_data.albums(tmp_path))
        assert {f"album {line.strip()}" for line in lines[1:]} <= kept.keys()
        assert set(kept.values()) == {20}
        assert user_data.faults(tmp_path) == []
