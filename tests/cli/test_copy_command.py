"""`photomap copy` as a user runs it, in this process: what it says, and what it refuses."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import numpy as np
import permissions
import pytest
from cases import cases
from command_line import run_here
from library_fakes import ENCODER, new_photo, unit_vectors
from library_places import SHARED, place_of

from photomap_cli.images.thumbnail_cache import ThumbnailCache
from photomap_cli.library import user_data
from photomap_cli.library.albums import as_members
from photomap_cli.library.catalog import Catalog
from photomap_cli.map.npz_cache import NpzCache


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "home"
    folder.mkdir()
    with Catalog.open(folder / "library", create=True) as catalog:
        catalog.set_encoder(ENCODER)
        catalog.commit_batch([new_photo(f"/p/{at}.jpg", each) for at, each in enumerate(unit_vectors(4))])
        user_data.add(folder / "library", "Best", as_members(catalog, ["/p/1.jpg"]))
    with ThumbnailCache(folder / "library", max_bytes=1_000_000) as thumbnails:
        thumbnails.put([("/p/1.jpg", 0, b"webp")])
    return folder


@pytest.fixture
def photomap(home):
    def run(*words, cwd=home):
        ended = run_here(*words, cwd=cwd, environment={**os.environ, "HOME": str(home)})
        return ended.returncode, ended.stdout, ended.stderr

    return run


def test_a_library_is_copied_and_used_from_there(home, photomap):
    status, out, err = photomap("copy", "library", "~/backup/one")
    assert (status, err) == (0, "")
    assert out.startswith("4 photos, 1 album: ")
    assert out.endswith(f"now in {home}/backup/one\n")
    assert photomap("--library", str(home / "backup/one"), "albums")[:2] == (0, "Best\t1\n")
    assert photomap("copy", "library", "backup/one") == (
        0,
        f"{home}/backup/one already has this library: 4 photos, 1 album\n",
        "",
    )
    (home / "here").mkdir()
    assert photomap("copy", "../library", ".", cwd=home / "here")[0] == 0
    assert (home / "here" / "catalog.sqlite").exists()


def test_it_is_quiet_where_it_shall_be_and_writes_json(home, photomap):
    assert photomap("-q", "copy", "library", "one") == (0, "", "")
    status, out, err = photomap("copy", "library", "two", "--json", "--no-thumbnails")
    report = json.loads(out)
    assert (status, err, report["version"], report["was_there"]) == (0, "", 1, False)
    assert (report["source"], report["target"]) == (str(home / "library"), str(home / "two"))
    assert (report["photos"], report["albums"], report["searches"]) == (4, 1, 0)
    assert (home / "one" / "thumbnails.sqlite").exists()
    assert not (home / "two" / "thumbnails.sqlite").exists()
    status, out, err = photomap("copy", "nothing", "three", "--json")
    assert (status, json.loads(out)["error"]["code"], err) == (2, "empty_library", "")


@cases(
    ("words", "told"),
    [
        (("library", "milvus://me:secret@host:19530/photos"), "holds a user name or password"),
        (("Milvus://host/photos", "two"), "isn't encrypted"),
        (("library", "file:///tmp/two"), "isn't a library's scheme"),
        (("library", ""), "TO is empty"),
        (("", "two"), "FROM is empty"),
        (("library", "~nobody-of-this-name/two"), "there is no home folder ~nobody-of-this-name"),
        (("library", "two/" + "x" * 300), "too long"),
        (("library", "library"), "own folder"),
        (("library", "library/../library/."), "own folder"),
        (("library", "library/two"), "inside the library's folder"),
        (("library", "."), "not empty"),
        (("library", "library/catalog.sqlite"), "inside the library's folder"),
        (("nothing", "two"), "there is no library in"),
        (("library/catalog.sqlite", "two"), "there is no library in"),
        (("library",), "copy needs TO"),
        (("library", "two", "three"), "unexpected argument"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_and_a_hint(words, told, home, photomap):
    status, out, err = photomap("copy", *words)
    assert (status, out) == (2, "")
    assert [line.partition(":")[0] for line in err.splitlines()] == ["photomap", "hint"]
    assert told in err
    assert "secret" not in err
    assert sorted(each.name for each in home.iterdir()) == ["library"]


def test_a_library_that_nobody_may_look_at_is_named(home, photomap):
    (home / "closed").mkdir(mode=0)
    with permissions.obeyed():
        status, out, err = photomap("copy", "closed/library", "copy")
        failed = json.loads(photomap("copy", "closed/library", "copy", "--json")[1])
    assert (status, out) == (2, "")
    assert err.startswith(f"photomap: {home}/closed/library: permission denied\nhint: ")
    assert failed["error"]["code"] == "file_unusable"


def test_maps_need_not_be_drawn_again(home, photomap):
    for kind in ("map", "phrases", "other"):
        NpzCache(home / "library", kind).put("a", {"places": np.zeros((2, 2))})
    assert photomap("copy", "library", "two")[0] == 0
    found = [NpzCache(home / "two", kind).get("a") is not None for kind in ("map", "phrases", "other")]
    assert found == [True, True, False]


def test_ctrl_c_says_that_nothing_is_left(home, photomap, monkeypatch):
    def interrupted(*_words, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("photomap_cli.library.backup.back_up", interrupted)
    status, out, err = photomap("copy", "library", "two")
    assert (status, out) == (130, "")
    assert err == "photomap: stopped; run the same command again to copy from the start\n"
    assert not Path(home / "two").exists()


@pytest.fixture
def address(kind, request, home, monkeypatch):
    """Return the address of a library that is not there yet, for somebody who says where its roots are."""
    monkeypatch.setenv("PHOTOMAP_ROOTS", "photos=/p")
    return place_of(kind, request, home).address


def everything(folder):
    """Return all that a library says of its photos, by path, and of itself."""
    with Catalog.open(folder) as catalog:
        photos = sorted(catalog.whole_photos(catalog.rows().tolist()), key=lambda each: each.path)
        facts = [{**asdict(each), "vector": each.vector.tolist()} for each in photos]
        return facts, catalog.roots(), catalog.encoder, user_data.every_album(folder), user_data.searches(folder)


@pytest.mark.parametrize("kind", SHARED)
def test_a_library_there_and_back_is_the_same(home, address, photomap):
    user_data.save_search(home / "library", "cats", "cat -dog")
    with Catalog.open(home / "library") as catalog:
        catalog.change_roots(["/p"])
    status, out, err = photomap("copy", "library", address)
    assert (status, err) == (0, "")
    assert out.startswith("4 photos, 1 album, 1 saved search: 256 B in ")
    assert out.endswith(f"now in {address}\n")
    assert (
        photomap("copy", "library", address)[1]
        == f"{address} already has this library: 4 photos, 1 album, 1 saved search\n"
    )
    assert photomap("--library", address, "albums")[:2] == (0, "Best\t1\n@@cats\tcat -dog\n")
    status, out, err = photomap("copy", address, "back")
    assert (status, err) == (0, "")
    assert out.endswith(f"now in {home}/back\n")
    assert everything(home / "back") == everything(home / "library")
    assert photomap("copy", address, "back", "--json")[0] == 0
    with ThumbnailCache(home / "back", max_bytes=1) as thumbnails:
        assert thumbnails.get("/p/1.jpg", 0) == b"webp"


def test_photos_that_have_no_root_here_are_not_copied_to_an_address(home, address, photomap, monkeypatch):
    monkeypatch.setenv("PHOTOMAP_ROOTS", "photos=/elsewhere")
    status, out, err = photomap("copy", "library", address)
    assert (status, out) == (2, "")
    assert "/p/0.jpg is below none of the shared library's roots" in err


def test_an_address_without_a_library_is_none_to_copy(home, address, photomap):
    status, out, err = photomap("copy", address, "two")
    assert (status, out) == (2, "")
    assert f"there is no library {address} yet" in err
    assert not (home / "two").exists()
