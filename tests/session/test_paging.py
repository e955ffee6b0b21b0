"""Pages of a search that never repeat a photo, whatever is indexed in between, and bursts shown once."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from PIL import Image
from places import asked

from photomap_cli.indexing.index_options import IndexOptions
from photomap_cli.records import Hit, SearchRequest
from photomap_cli.repl.connection import Connection
from photomap_cli.repl.pipe_frontend import PipeFrontend
from photomap_cli.repl.state import SearchState
from photomap_cli.views.machine_output import ResultStyle


def write(folder, colours):
    for name, colour in colours.items():
        Image.new("RGB", (40, 30), colour).save(folder / f"{name}.png")


@pytest.fixture
def many(tmp_path):
    """A folder of twenty photos, none like another."""
    folder = tmp_path / "many"
    folder.mkdir()
    write(folder, {f"p{number:02d}": (12 * number, 250 - 12 * number, (number * 97) % 256) for number in range(20)})
    return folder


@pytest.fixture
def index(make_session, many):
    def run():
        for _ in make_session().indexer(IndexOptions()).run([many]):
            pass

    run()
    return run


def is_burst(path):
    return Path(path).name.startswith("burst")


class Unclosed:
    """A backend that outlives its conversation."""

    def __init__(self, backend):
        self.search, self.status = backend.search, backend.status

    def close(self):
        pass


@pytest.fixture
def talk():
    def start(backend, *, limit=5, collapse=None, pages_ahead=1):
        out, err = io.StringIO(), io.StringIO()
        front = PipeFrontend(out, err, style=ResultStyle.PATHS, cwd=Path("/"), open_thumbnailer=lambda: None)
        connection = Connection(lambda: Unclosed(backend))
        state = SearchState(connection, front, cwd=Path("/"), limit=limit, pages_ahead=pages_ahead)
        state.collapse = collapse
        return state

    return start


def pages(state, between):
    """Ask, then page to the end, with something happening before each page; return the paths page by page."""
    state.ask("dog")
    shown = [[hit.path for hit in state.shown]]
    for happen in between:
        happen()
        before = len(state.shown)
        state.more()
        shown.append([hit.path for hit in state.shown[before:]])
    return shown


@pytest.mark.parametrize("place", ["here", "over the socket"])
def test_pages_repeat_nothing_though_photos_come_and_go(make_session, index, many, talk, place):
    session = make_session()
    with asked(session, place) as backend:
        state = talk(backend)
        first = [hit.path for hit in backend.search(SearchRequest("dog", cwd="/", limit=20)).hits]

        def one_comes():  # near the best hit, so it would push everything a rank down
            colour = Image.open(first[0]).getpixel((0, 0))
            write(many, {"new": tuple(min(255, value + 9) for value in colour)})
            index()

        def two_go():
            for path in (first[1], first[7]):
                Path(path).unlink()
            index()

        shown = pages(state, [one_comes, two_go, index, index, index])
    every = [path for page in shown for path in page]
    assert len(every) == len(set(every))
    assert set(first) | {str(many / "new.png")} == set(every)
    assert [hit.rank for hit in state.shown] == list(range(1, len(every) + 1))


def test_collapsed_pages_are_stable_and_stand_for_every_shot_once(make_session, index, many, talk):
    write(many, {f"burst{number}": (30, 200, 40 + number) for number in range(6)})
    index()
    state = talk(make_session(same_shot_score=0.999), limit=4, collapse=True)
    shown = pages(state, [lambda: None] * 8)
    paths = [path for page in shown for path in page]
    assert len(paths) == len(set(paths))
    hidden = [path for hit in state.shown for path in hit.collapsed]
    assert set(paths).isdisjoint(hidden)
    assert len(set(paths) | set(hidden)) == 26
    leader = next(hit for hit in state.shown if is_burst(hit.path))
    assert sum(is_burst(path) for path in (leader.path, *leader.collapsed)) == 6


def test_a_shot_of_a_burst_that_was_shown_is_not_shown_when_its_leader_has_gone(make_session, index, many, talk):
    write(many, {f"burst{number}": (30, 200, 40 + number) for number in range(6)})
    index()
    state = talk(make_session(same_shot_score=0.999), limit=26, collapse=True)
    state.limit = 1
    state.ask("dog")
    while not is_burst(state.shown[-1].path):
        state.more()

    Path(state.shown[-1].path).unlink()
    index()
    for _ in range(26):
        state.more()
    assert sum(is_burst(hit.path) for hit in state.shown) == 1


def test_collapse_is_off_unless_asked_for_by_request_or_setting(make_session, index, many):
    write(many, {f"burst{number}": (30, 200, 40 + number) for number in range(6)})
    index()

    def found(session, **more):
        return session.search(SearchRequest("dog", cwd="/", limit=30, **more)).hits

    plain, chosen = make_session(same_shot_score=0.999), make_session(same_shot_score=0.999, collapse=True)
    assert len(found(plain)) == len(found(chosen, collapse=False)) == 26
    assert len(found(plain, collapse=True)) == len(found(chosen)) < 22
    assert found(plain, collapse=True) == found(chosen)


def test_sorting_by_date_shows_the_best_hits_newest_first(make_session, index, many):
    for number, path in enumerate(sorted(many.iterdir())):
        os.utime(path, (1_000_000_000 + (number * 7919) % 20 * 86_400,) * 2)
    index()
    session = make_session()
    best = session.search(SearchRequest("dog", cwd="/", limit=6)).hits
    dated = session.search(SearchRequest("dog", cwd="/", limit=6, sort="date")).hits
    assert {hit.path for hit in dated} == {hit.path for hit in best}
    times = [Path(hit.path).stat().st_mtime for hit in dated]
    assert times == sorted(times, reverse=True)
    assert [hit.rank for hit in dated] == [1, 2, 3, 4, 5, 6]


def test_the_others_are_in_the_json_only_where_there_are_any():
    alone = Hit(1, "/a", 0.5, None, 4, 3)
    leading = Hit(1, "/a", 0.5, None, 4, 3, ("/b", "/c"))
    assert "collapsed" not in alone.to_json()
    assert leading.to_json()["collapsed"] == ["/b", "/c"]
    assert Hit.from_json(leading.to_json()) == leading
    assert Hit.from_json(alone.to_json()) == alone
