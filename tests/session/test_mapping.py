"""A session's map, here and over the socket: scope, filters, turns, and what is refused."""

from __future__ import annotations

import threading

import pytest
from waiting import LONG_SECONDS, in_thread

from photomap_cli.errors import BadPath, BadQuery, EmptyLibrary, ProtocolMismatch, TooFewPhotos, UsageError
from photomap_cli.indexing.index_options import IndexOptions
from photomap_cli.library import user_data
from photomap_cli.records import SearchRequest
from photomap_cli.records.maps import GroupRequest, MapRequest
from photomap_cli.session.client import SessionClient
from photomap_cli.session.handlers import RequestHandlers
from photomap_cli.session.server import SessionServer, claim


@pytest.fixture
def photos(tmp_path):
    """Ten photos in each of two folders."""
    from PIL import Image

    folder = tmp_path / "photos"
    for name, base in (("warm", (200, 60, 20)), ("cold", (20, 60, 200))):
        (folder / name).mkdir(parents=True)
        for number in range(10):
            colour = (base[0] + number, base[1] + 5 * number, base[2])
            Image.new("RGB", (40, 30), colour).save(folder / name / f"{number}.png")
    return folder


def names(drawn):
    return {point.path.split("/")[-2] for point in drawn.points}


def test_a_map_has_every_photo_of_the_library_or_of_the_current_folder(session, photos):
    assert len(session.map(MapRequest("/")).points) == 20
    assert names(session.map(MapRequest(str(photos / "warm")))) == {"warm"}
    assert len(session.map(MapRequest(str(photos / "warm"), folder="*")).points) == 20
    assert names(session.map(MapRequest("/", folder=str(photos / "cold")))) == {"cold"}


def test_a_map_of_a_part_of_the_photos_says_so(session, monkeypatch):
    assert session.map(MapRequest("/")).notices == ()
    monkeypatch.setattr(session.catalog, "spread", lambda within, checkpoint: (session.catalog.rows()[:10], 2_000_000))
    drawn = session.map(MapRequest("/"))
    assert drawn.notices == ("the map shows 10 of 2,000,000 photos, spread evenly",)
    assert len(drawn.points) == 10


def test_filters_are_those_of_searches(session, photos):
    assert names(session.map(MapRequest("/", filters=f"-in:{photos}/warm ext:png"))) == {"cold"}
    with pytest.raises(TooFewPhotos):
        session.map(MapRequest("/", filters="name:1*"))
    with pytest.raises(TooFewPhotos, match="there are none"):
        session.map(MapRequest("/", filters="ext:heic"))


@pytest.mark.parametrize(
    ("filters", "position"),
    [("dog", 0), ("ext:png red dog", 8), ("colour:red", 0), ("after:soon", 6), ("min:0.3", 0)],
)
def test_what_is_no_filter_is_refused_with_its_place(session, filters, position):
    with pytest.raises(BadQuery) as caught:
        session.map(MapRequest("/", filters=filters))
    assert caught.value.position == position


def test_a_folder_that_is_none_and_an_empty_library_say_so(session, make_session, tmp_path):
    with pytest.raises(BadPath):
        session.map(MapRequest("/", folder="/no/such/folder"))
    with pytest.raises(EmptyLibrary):
        make_session(tmp_path / "empty").map(MapRequest("/"))


def test_names_cost_the_encoder_once_in_a_librarys_life(session, encoder):
    encoder.calls.clear()
    session.map(MapRequest("/"))
    assert "encode" in encoder.calls
    session.offload()
    encoder.calls.clear()
    session.map(MapRequest("/", clusters=2))
    assert encoder.calls == []


def test_searches_go_on_while_a_map_is_drawn(session, monkeypatch):
    drawing, go_on = threading.Event(), threading.Event()
    real = session._maps.builder.draw

    def slow(*arguments):
        session._maps.builder.stage = "laying out…"
        drawing.set()
        assert go_on.wait(LONG_SECONDS)
        return real(*arguments)

    monkeypatch.setattr(session._maps.builder, "draw", slow)
    made = []
    thread = in_thread(lambda: made.append(session.map(MapRequest("/"))))
    assert drawing.wait(LONG_SECONDS)
    assert session.search(SearchRequest("dog", cwd="/")).hits
    assert session.progress() == "laying out…"
    go_on.set()
    thread.join(LONG_SECONDS)
    assert len(made[0].points) == 20
    assert session.progress() == ""


def test_new_photos_are_on_the_next_map(session, photos):
    session.map(MapRequest("/"))
    (photos / "warm" / "0.png").unlink()
    for _ in session.indexer(IndexOptions()).run([photos]):
        pass
    assert len(session.map(MapRequest("/")).points) == 19


def test_a_client_gets_the_same_map(session):
    with (
        SessionServer(session, claim(session.catalog.folder)),
        SessionClient.find(session.catalog.folder) as other,
    ):
        remote, local = (each.map(MapRequest("/", clusters=3)).to_json() for each in (other, session))
        assert {**remote, "elapsed_ms": 0} == {**local, "elapsed_ms": 0}
        with pytest.raises(BadQuery):
            other.map(MapRequest("/", filters="dog"))


@pytest.mark.parametrize(
    "request_",
    [{}, {"cwd": 3}, {"cwd": "/", "clusters": "many"}, {"cwd": "/", "clusters": 0}, {"cwd": "/", "colour": "red"}],
)
def test_a_request_that_is_none_is_refused(session, request_):
    with pytest.raises(ProtocolMismatch):
        RequestHandlers(session, None).answer({"version": 1, "op": "map", "request": request_}, lambda: None)


def test_a_group_lists_its_own_photos_the_most_typical_first(session, photos):
    for request in (MapRequest("/"), MapRequest("/", clusters=3), MapRequest(str(photos / "warm"), filters="ext:png")):
        drawn = session.map(request)
        for cluster in drawn.clusters:
            found = session.group(GroupRequest(request, cluster))
            members = {point.path for point in drawn.points if point.cluster == cluster.id}
            assert {hit.path for hit in found.hits} == members
            assert len(found.hits) == cluster.count
            assert [hit.rank for hit in found.hits] == [*range(1, cluster.count + 1)]
            scores = [hit.score for hit in found.hits]
            assert scores == sorted(scores, reverse=True)
            assert -1 <= scores[-1] <= scores[0] <= 1.001
            assert (found.query, found.hits[0].width) == (cluster.name, 40)


def test_a_group_of_a_map_that_is_another_one_by_now_is_refused(session, photos):
    request = MapRequest("/", clusters=4)
    cluster = session.map(request).clusters[0]
    for path in session.map(request).clusters[0].representatives:
        (photos / path).unlink()
    for _ in session.indexer(IndexOptions()).run([photos]):
        pass
    with pytest.raises(UsageError, match="has changed"):
        session.group(GroupRequest(request, cluster))


def test_a_group_over_the_socket_is_the_one_here(session):
    request = MapRequest("/", clusters=4)
    cluster = session.map(request).clusters[1]
    here = session.group(GroupRequest(request, cluster))
    with (
        SessionServer(session, claim(session.catalog.folder)),
        SessionClient.find(session.catalog.folder) as asking,
    ):
        there = asking.group(GroupRequest(request, cluster))
    assert [(hit.path, hit.rank) for hit in there.hits] == [(hit.path, hit.rank) for hit in here.hits]
    assert there.served_by.startswith("session ")


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"map": {}, "cluster": {}},
        {"map": {"cwd": "/"}, "cluster": {"id": "1"}},
        {"map": {"cwd": "/"}, "cluster": {"id": 0, "name": "", "count": 1, "centre": [0, 0], "representatives": []}},
        {"map": {"cwd": "/"}, "cluster": {"id": 1, "name": "", "count": 1, "centre": [0], "representatives": []}},
        {"map": {"cwd": "/"}, "cluster": {"id": 1, "name": "", "count": 1, "centre": [0, 0], "representatives": [1]}},
        {"map": {"cwd": 1}, "cluster": {"id": 1, "name": "", "count": 1, "centre": [0, 0], "representatives": []}},
    ],
)
def test_what_is_no_request_for_a_group_is_refused(session, broken):
    with pytest.raises(ProtocolMismatch):
        RequestHandlers(session, None).answer({"version": 1, "op": "group", "request": broken}, lambda: None)


def test_filters_may_be_a_saved_search(session, photos):
    library = session.catalog.folder
    user_data.save_search(library, "cold", f"-in:{photos}/warm")
    user_data.save_search(library, "dogs", "dog ext:png")
    assert names(session.map(MapRequest("/", filters="@@cold ext:png"))) == {"cold"}
    with pytest.raises(BadQuery, match="there is no saved search trip"):
        session.map(MapRequest("/", filters="@@trip"))
    with pytest.raises(BadQuery, match="dog is not a filter, in dog ext:png"):
        session.map(MapRequest("/", filters="@@dogs"))
