"""A machine that is killed as it makes or replaces a library leaves nothing that the next run doesn't put right."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from fake_milvus import FakeMilvus, RpcError, failing
from library_fakes import ENCODER, INFO, new_photo
from library_places import ROOTS, SHARED, Place, place_of
from waiting import LONG_SECONDS

from photomap_cli import directories
from photomap_cli.errors import EmptyLibrary, LibraryUnreachable
from photomap_cli.indexing import shared_reindex
from photomap_cli.indexing.shared_reindex import SharedReindex
from photomap_cli.library.shared import address, leftovers, schema
from photomap_cli.library.shared.client import Client
from photomap_cli.library.shared.credentials import Credentials
from photomap_cli.library.shared.leftovers import Leftover
from photomap_cli.library.shared.schema import Mark
from photomap_cli.library.shared.store import SharedLibrary
from photomap_cli.settings import Settings

BEGIN_CHANGES, REPLACE_CHANGES = 5, 5
WHO = "an interrupted run"
GOOD = schema.new_properties("id", ENCODER)


@pytest.fixture(params=SHARED)
def places(request, tmp_path):
    """Return where a machine that is killed at each step works: one place for each."""
    if not hasattr(os, "fork"):
        pytest.skip("no forks")
    address = place_of(request.param, request, tmp_path).address
    return [Place(tmp_path / "next" / str(step), f"{address}_{step}") for step in range(20)]


def killed(what, places):
    """Have a machine make or replace a library at each place, killed one change later each time; how many it makes."""
    prefix = places[0].address.removesuffix("_0")
    command = [sys.executable, Path(__file__).with_name("killed_machine.py"), what, places[0].folder.parent, prefix]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=LONG_SECONDS)
    *steps, last = json.loads(ran.stdout or ran.stderr)
    assert (set(steps), last) == ({-9}, 0)
    return len(steps)


def collections(place):
    where = address.parse(place.address)
    client = Client(where, Credentials())
    try:
        mine = {where.name, where.rebuild.name}
        return [each for each in client.collections() if each[:-9] in mine]
    finally:
        client.close()


def left(library):
    return [(each.name, each.mark) for each in library.leftovers()]


def told(library):
    return [note for note in library.searches.drain_notices() if "had left" in note]


def test_a_machine_that_is_killed_as_it_makes_a_library(places):
    changes = killed("begin", places)
    assert changes >= BEGIN_CHANGES
    for place in places[: changes + 1]:
        before = collections(place)
        try:
            with place.opened() as library:  # a search
                assert (library.facts.photo_count, left(library)) == (0, [])
                lost = []
        except EmptyLibrary:
            lost = before
        with place.opened(create=True) as library:
            assert left(library) == [(name, Mark.BEGUN) for name in lost]
        with place.begun() as library:
            assert told(library) == [
                f"dropped the collection {name}, which an interrupted run had left" for name in lost
            ]
            library.writes.commit_batch([new_photo("/p/a.jpg")])
            assert left(library) == []
            assert library.facts.photo_count == 1
        assert len(collections(place)) == 1


def opened_at(folder):
    return SharedLibrary.open(folder, directories.library_name(folder), Settings(roots=ROOTS), create=True)


def test_a_machine_that_is_killed_as_a_rebuild_takes_the_librarys_place(places):
    places = places[: REPLACE_CHANGES + 1]
    for place in places:
        draft = replace(place, address=str(address.parse(place.address).rebuild))
        with place.begun() as library, draft.begun() as rebuilt:
            library.writes.commit_batch([new_photo("/p/old.jpg")])
            rebuilt.writes.commit_batch([new_photo("/p/new.jpg")])
    assert killed("replace", places) == REPLACE_CHANGES
    found = [ended_well(place) for place in places]
    assert found == sorted(found, reverse=True)  # the old ones, until it is in place
    assert set(found) == {"/p/old.jpg", "/p/new.jpg"}


def ended_well(place):
    """Go on where a machine was killed; return which photo there was before."""
    folder = directories.address_folder(place.address)
    with place.opened() as library:
        (photo,) = library.facts.photos(library.facts.rows())
        is_in_place = photo.path == "/p/new.jpg"
    assert (shared_reindex.unfinished(folder, opened_at) is None) == is_in_place
    with SharedReindex(folder, opened_at) as reindex:
        if is_in_place:
            assert not reindex.goes_on(INFO.spec)
            reindex.begin("another encoder")  # is not told that this one is being encoded again
        else:
            reindex.begin(INFO.spec)
            assert reindex.finish(prune=True) == ""
    with place.begun() as library:
        assert [each.path for each in library.facts.photos(library.facts.rows())] == ["/p/new.jpg"]
        assert library.leftovers() == []
    assert len(collections(place)) == 1
    return photo.path


def test_a_collection_has_no_alias_when_it_is_dropped(where_to, tmp_path, monkeypatch):
    """From 2.4.24 and 2.5.5 on, Milvus refuses to drop one that has."""
    true, dropped = Client.drop, []

    def drop(client, name):
        dropped.append(client.aliases(name))
        true(client, name)

    monkeypatch.setattr(Client, "drop", drop)
    place, draft = (Place(tmp_path, str(each)) for each in (where_to, where_to.rebuild))
    with place.begun() as library, draft.begun() as rebuilt:
        rebuilt.take_place_of(where_to)
        library.start_over()
    assert dropped == [[], []]


def test_a_collection_that_nobody_has_marked_is_named_and_never_dropped(where_to, client, tmp_path):
    place = Place(tmp_path, str(where_to))
    name = f"{where_to.name}_0123abcd"
    client.create(name, schema.fields(8, is_half=False), schema.Index("FLAT"), schema.new_properties("id", ENCODER))
    client.create(f"{name[:-8]}ffffffff", schema.fields(8, is_half=False), schema.Index("FLAT"), {"mine": "yes"})
    with place.begun() as library:
        assert library.leftovers() == [(name, Mark.NONE)]
        assert library.searches.drain_notices() == []
    client.drop(name)


def test_what_is_made_for_a_rebuild_is_not_taken_away_by_a_run_over_the_library():
    ours, rebuilds = "photos_0123abcd", "_rebuild_photos_0123abcd"
    assert [Leftover(ours, mark).is_for("photos") for mark in Mark] == [False, True, True]
    assert [Leftover(rebuilds, mark).is_for("photos") for mark in Mark] == [False, False, True]
    assert [Leftover(rebuilds, mark).is_for("_rebuild_photos") for mark in Mark] == [False, True, True]


@pytest.mark.parametrize("forbidden", ["list_collections", "drop_collection"])
def test_a_run_whose_role_may_not_drop_anything_goes_on(forbidden):
    own = {"collection_name": "photos_0123abcd", "properties": GOOD | Mark.BEGUN.properties, "fields": []}
    answers = {"list_collections": [["photos_0123abcd"]], "list_aliases": {"aliases": []}, "describe_collection": own}
    fake = FakeMilvus(**{**answers, "drop_collection": None, forbidden: RpcError("PERMISSION_DENIED")})
    client = Client(address.parse("milvus://127.0.0.1:9/photos"), Credentials(), connect=lambda *_: fake)
    assert list(leftovers.drop(client)) == []
    fake.answers[forbidden] = RpcError("UNAVAILABLE")
    with pytest.raises(LibraryUnreachable):
        list(leftovers.drop(client))


def test_an_alias_that_was_given_by_a_call_whose_answer_was_lost_is_the_first(where_to, client):
    own = {"collection_name": "photos_0123abcd", "properties": {}, "fields": []}
    fake = FakeMilvus(create_alias=failing(1, "alias already exists"), describe_collection=own)
    asked = Client(where_to, Credentials(), connect=lambda *_: fake)
    assert asked.name_first("photos", "photos_0123abcd")
    assert not asked.name_first("photos", "photos_fedcba98")
