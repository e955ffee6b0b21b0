"""`photomap albums`, and albums and saved searches in `photomap search`, as a user runs them, in this process."""

import io
import json
import sys

import pytest
from library_fakes import ENCODER, new_photo, unit_vectors

from photomap_cli.cli import run
from photomap_cli.library import user_data
from photomap_cli.library.albums import as_members
from photomap_cli.library.catalog import Catalog


@pytest.fixture
def library(tmp_path):
    with Catalog.open(tmp_path / "library", create=True) as catalog:
        catalog.set_encoder(ENCODER)
        vectors = unit_vectors(4)
        catalog.commit_batch([new_photo(f"/p/{at}.jpg", vectors[at], content_hash=bytes([at]) * 16) for at in range(4)])
    return tmp_path / "library"


@pytest.fixture
def best(library):
    with Catalog.open(library) as catalog:
        user_data.add(library, "Best", as_members(catalog, ["/p/1.jpg", "/p/2.jpg"]))
    user_data.save_search(library, "firsts", "album:Best name:1*")


@pytest.fixture
def photomap(library, capfdbinary):
    def run_it(*words):
        status = run(["--library", str(library), *words])
        told = capfdbinary.readouterr()
        return status, told.out.decode(), told.err.decode()

    return run_it


@pytest.mark.usefixtures("best")
def test_albums_are_listed_exported_and_imported(photomap, tmp_path, library, monkeypatch):
    assert photomap("albums") == (0, "Best\t2\n@@firsts\talbum:Best name:1*\n", "")
    status, out, _ = photomap("albums", "--json")
    exported = json.loads(out)
    assert (status, exported["version"], exported["albums"][0]["name"]) == (0, 1, "Best")
    (tmp_path / "albums.json").write_text(out)
    user_data.path_in(library).unlink()
    told = "imported 1 album with 2 new photos, and 1 saved search\n"
    assert photomap("albums", "--import", str(tmp_path / "albums.json")) == (0, "", told)
    assert json.loads(photomap("albums", "--json")[1]) == exported
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(out.encode())))
    assert photomap("albums", "--import", "-")[0] == 0


@pytest.mark.usefixtures("best")
def test_one_shot_searches_know_albums_and_saved_searches(photomap):
    status, out, _ = photomap("search", "album:best", "--paths", "--local")
    assert (status, sorted(out.split())) == (0, ["/p/1.jpg", "/p/2.jpg"])
    assert photomap("search", "@@firsts", "--paths", "--local")[:2] == (0, "/p/1.jpg\n")
    status, out, err = photomap("search", "album:nothing", "--paths", "--local")
    assert (status, out) == (2, "")
    assert "there is no album 'nothing'" in err
    assert "albums: Best" in err


def test_without_any_nothing_is_found(photomap, library):
    status, out, told = photomap("albums")
    assert (status, out) == (1, "")
    assert told.startswith("no albums or saved searches yet")
    assert photomap("albums", "--quiet") == (1, "", "")
    assert photomap("albums", "--json") == (1, '{"version": 1, "albums": [], "searches": []}\n', "")
    assert not user_data.path_in(library).exists()


def test_what_is_wrong_is_one_line(photomap, tmp_path, library):
    assert photomap("albums", "--json", "--import", "x")[0] == 2
    status, _, err = photomap("albums", "--import", str(tmp_path / "gone.json"))
    assert (status, err.count("\n")) == (2, 2)
    user_data.path_in(library).write_bytes(b"no database" * 500)
    status, out, _ = photomap("albums", "--json")
    assert (status, json.loads(out)["error"]["code"]) == (2, "library_unusable")


@pytest.mark.usefixtures("best")
def test_doctor_looks_at_the_albums(library):
    from photomap_cli.doctor.library import album_checks

    assert [(check.subject, check.state.value, check.message) for check in album_checks(library)] == [
        ("albums", "ok", "1, sound")
    ]
    user_data.path_in(library).write_bytes(b"no database" * 500)
    [check] = album_checks(library)
    assert check.state.value == "fault"
    assert check.hint
