"""Gives each test of the contract a place for its library."""

from __future__ import annotations

import pytest
from library_places import KINDS, Place, place_of


@pytest.fixture(params=KINDS)
def nowhere(request, tmp_path):
    """Return where there is no library yet."""
    return place_of(request.param, request, tmp_path / "library")


@pytest.fixture(scope="session")
def reused(request, tmp_path_factory):
    """Return a library on a real server, which takes seconds to make one."""
    place = place_of("milvus", request, tmp_path_factory.mktemp("reused") / "library")
    with place.begun():
        return place


@pytest.fixture(params=KINDS)
def place(request, tmp_path):
    """Return where there is a library without photos and roots."""
    if request.param != "milvus":
        place = place_of(request.param, request, tmp_path / "library")
        with place.begun():
            return place
    place = Place(tmp_path / "library", request.getfixturevalue("reused").address)
    with place.opened() as library:
        library.writes.commit_batch([], library.facts.rows().tolist())
        library.writes.change_roots([], library.facts.roots())
        library.writes.runs.end(library.writes.runs.unfinished(), [], lambda _path: True)
    return place
