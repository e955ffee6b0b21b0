"""What `photomap doctor` says of a library that many share."""

from __future__ import annotations

import numpy as np
import pytest
from library_fakes import new_photo, unit_vectors
from library_places import SHARED, Place, place_of

from photomap_cli import directories
from photomap_cli.doctor import shared_library
from photomap_cli.library.shared.leftovers import Leftover
from photomap_cli.library.shared.schema import Index, IndexState, Mark
from photomap_cli.library.shared.searches import SharedSearches
from photomap_cli.records import CheckState
from photomap_cli.settings import Settings

PHOTOS = 80


@pytest.fixture
def place(kind, request, tmp_path):
    """Return a library at an address, under the folder that stands for it, with photos of two roots."""
    address = place_of(kind, request, tmp_path).address
    place = Place(directories.address_folder(address), address)
    with place.begun() as library:
        photos = [new_photo(f"/{'pq'[at % 2]}/{at}.jpg", each) for at, each in enumerate(unit_vectors(PHOTOS))]
        library.writes.commit_batch(photos)
        library.writes.change_roots(["/p", "/q"])
    return place


def told(place, **roots):
    """Return the checks' states and messages, by subject."""
    found = shared_library.checks(place.folder, Settings(roots=roots or place.roots))
    return {each.subject: (each.state, each.message, each.hint) for each in found}


@pytest.mark.parametrize("kind", SHARED)
def test_a_library_that_is_as_it_should_be_has_no_faults(place):
    checks = told(place)
    assert {state for state, _, _ in checks.values()} <= {CheckState.OK, CheckState.ADVICE}
    assert checks["server"][:2] == (CheckState.OK, checks["server"][1])
    assert checks["server"][1].startswith("answers, without a password; Milvus ")
    assert checks["library"][1] == f"{place.address}: {PHOTOS} photos, fake"
    assert checks["index"][:2] == (CheckState.OK, "every vector is compared")
    assert checks["vectors"][:2] == (CheckState.OK, f"{PHOTOS} read back, intact")
    assert checks["search"][:2] == (CheckState.OK, "100.0 % of the best photos are found")


def test_a_root_is_here_or_elsewhere_or_its_disk_is_not_mounted(place, tmp_path):
    (tmp_path / "here").mkdir()
    checks = told(place, pp=str(tmp_path / "here"))
    assert checks[f"photos in {tmp_path}/here"] == (CheckState.OK, "40 photos", "")
    assert checks["photos in qq:"] == (CheckState.OK, "40 photos, not on this computer", "")
    away = told(place, pp=str(tmp_path / "away"))[f"photos in {tmp_path}/away"]
    assert away == (CheckState.ADVICE, "40 photos, and the folder is not there", "mount its disk")


def test_vectors_that_the_server_has_lost_or_spoilt_are_a_fault(place, monkeypatch):
    with place.opened() as library:
        photo = new_photo("/p/0.jpg", 3 * unit_vectors(1)[0])
        library.writes.commit_batch([photo])
    assert told(place)["vectors"][:2] == (CheckState.FAULT, f"of {PHOTOS} vectors 1 are missing or damaged")
    monkeypatch.setattr(
        "photomap_cli.library.shared.searches.SharedSearches.sample",
        lambda self, most: np.empty((0, 32), np.float32),
    )
    assert told(place)["vectors"][1] == f"of {PHOTOS} vectors {PHOTOS} are missing or damaged"


def test_what_is_not_in_the_index_yet_is_told(place, monkeypatch):
    monkeypatch.setattr(
        "photomap_cli.library.shared.store.SharedLibrary.index", lambda self: IndexState(Index("SCANN", 4000), 1200)
    )
    state, message, _ = told(place)["index"]
    assert state is CheckState.ADVICE
    assert message == ("compressed vectors in 4,000 cells, all of them searched; 1,200 photos are not in it yet")


def test_a_share_of_the_cells_is_named_and_compared_with_all_of_them(place, monkeypatch):
    monkeypatch.setattr(
        "photomap_cli.library.shared.store.SharedLibrary.index", lambda self: IndexState(Index("SCANN", 4000), 0)
    )
    true = SharedSearches.search
    monkeypatch.setattr(
        SharedSearches, "search", lambda self, *asked, exact=False: true(self, *asked[:1], 10 if exact else 5)
    )
    found = shared_library.checks(place.folder, Settings(roots=place.roots, shared_probe=0.125))
    checks = {each.subject: (each.message, each.hint) for each in found}
    assert checks["index"][0] == "compressed vectors in 4,000 cells, 12.5 % of them searched (shared_probe)"
    assert checks["search"] == ("50.0 % of the best photos are found", "photomap config set shared_probe 1")


def test_a_server_that_nobody_has_tried_is_said_to_be_one(place, monkeypatch):
    monkeypatch.setattr("photomap_cli.library.shared.store.SharedLibrary.version", "v2.9.1")
    monkeypatch.setattr("photomap_cli.library.shared.store.SharedLibrary.user", "reader")
    assert told(place)["server"][:2] == (
        CheckState.ADVICE,
        "answers, as reader; photomap has not been tried with Milvus v2.9.1",
    )


def test_what_interrupted_runs_have_left_is_named(place, tmp_path, monkeypatch):
    found = [Leftover("photos_0123abcd", Mark.BEGUN), Leftover("photos_fedcba98", Mark.NONE)]
    monkeypatch.setattr("photomap_cli.library.shared.store.SharedLibrary.leftovers", lambda self: found)
    for folder in (place.folder, directories.address_folder(f"{place.address}_nobody_began")):
        checks = [each for each in shared_library.checks(folder, Settings()) if each.subject == "leftovers"]
        assert [each.state for each in checks] == [CheckState.ADVICE] * 2
        assert checks[0].message == "the collection photos_0123abcd was left by an interrupted run"
        assert checks[1].message == "the collection photos_fedcba98 is a library that no address means"
