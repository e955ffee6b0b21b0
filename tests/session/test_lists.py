"""Filters alone are a query: what they leave, newest first, without an encoder; a page at a time, and none twice."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from places import asked

from photomap_cli.errors import BadQuery, UsageError
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.entities import LibraryEncoder, NewPhoto
from photomap_cli.records import ResidencyState, SearchRequest, SearchResult
from photomap_cli.repl.connection import Connection
from photomap_cli.repl.pipe_frontend import PipeFrontend
from photomap_cli.repl.state import SearchState
from photomap_cli.search.listing import NO_LOWEST, NO_SCORES
from photomap_cli.views import export
from photomap_cli.views.machine_output import ResultStyle


def photo(number, *, taken_at="none", folder="/p", **facts):
    """Return a photo of the day `number` of 2020; every third was taken at the same second as the one before."""
    day = number - (number % 3 == 0)
    taken = f"2020-01-{day:02d}T10:00:00" if taken_at == "none" else taken_at
    vector = np.eye(8, dtype=np.float32)[number % 8]
    return NewPhoto(f"{folder}/{number:02d}.jpg", 1, number, taken, 4, 3, "NIKON Z 6", vector, **facts)


@pytest.fixture
def listed(make_session, tmp_path):
    """Return a session over 20 photos in /p and 5 in /q."""
    with Catalog.open(tmp_path / "library", create=True) as catalog:
        catalog.set_encoder(LibraryEncoder("fake", 8, "float32"))
        catalog.change_roots(["/p", "/q"])
        catalog.commit_batch([photo(number) for number in range(1, 21)])
        catalog.commit_batch([photo(number, folder="/q") for number in range(21, 26)])
    return make_session(tmp_path / "library")


def numbers(result):
    return [int(Path(hit.path).stem) for hit in result.hits]


@pytest.mark.parametrize("place", ["here", "over the socket"])
def test_filters_alone_list_what_they_leave_newest_first_and_no_encoder_is_asked(listed, encoder, place):
    with asked(listed, place) as backend:
        result = backend.search(SearchRequest("in:/p -name:19*", cwd="/", limit=5))
        everything = backend.search(SearchRequest("in:*", cwd="/", limit=100))
    assert numbers(result) == [20, 18, 17, 16, 15]
    assert numbers(everything) == list(range(25, 0, -1))
    assert [(hit.rank, hit.score, hit.terms) for hit in result.hits] == [(rank, None, ()) for rank in range(1, 6)]
    assert (result.encoded_by, result.encoder, result.notices) == (None, "fake", ())
    assert (encoder.calls, listed.status().state) == ([], ResidencyState.OFF)


def test_the_answer_survives_its_json(listed):
    result = listed.search(SearchRequest("after:2020", cwd="/", limit=2))
    record = result.to_json()
    assert (record["encoded_by"], record["hits"][0]["score"]) == (None, None)
    assert SearchResult.from_json(record) == replace(
        result, elapsed_ms=record["elapsed_ms"], timings_ms=replace(result.timings_ms, search=record["elapsed_ms"])
    )


@pytest.mark.parametrize("place", ["here", "over the socket"])
def test_pages_follow_each_other_though_photos_come_and_go(listed, place):
    request, seen = SearchRequest("in:/p", cwd="/", limit=6), []
    with asked(listed, place) as backend:
        result = backend.search(request)
        seen += numbers(result)
        listed.catalog.commit_batch([photo(31), photo(9, folder="/p/new")], [listed.catalog.photo_at("/p/15.jpg").row])
        while result.cursor:
            result = backend.search(replace(request, cursor=result.cursor))
            seen += numbers(result)
    assert seen == [20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 9, *range(8, 0, -1)]


def test_the_last_page_says_that_it_is(listed):
    assert listed.search(SearchRequest("in:/q", cwd="/", limit=5)).cursor is None
    first = listed.search(SearchRequest("in:/q", cwd="/", limit=4))
    last = listed.search(SearchRequest("in:/q", cwd="/", limit=4, cursor=first.cursor))
    assert (numbers(last), last.cursor) == ([21], None)
    behind = listed.search(SearchRequest("in:/q", cwd="/", limit=4, cursor="2020-01-01T00:00:00 0"))
    assert (behind.hits, behind.notices) == ((), ())


@pytest.mark.parametrize("cursor", ["", "x", "2020 -1", "2020-01-01T10:00:00 " + "9" * 30, "2020-01-01 1 2"])
def test_a_cursor_that_no_result_had_is_refused(listed, cursor):
    with pytest.raises(UsageError, match="not where a list goes on"):
        listed.search(SearchRequest("in:/p", cwd="/", cursor=cursor))


def test_a_search_by_score_has_no_cursor_and_takes_none(listed):
    assert listed.search(SearchRequest("dog", cwd="/", limit=2)).cursor is None
    with pytest.raises(UsageError, match="no pages"):
        listed.search(SearchRequest("dog", cwd="/", cursor="2020-01-01T10:00:00 1"))


def test_a_list_has_the_scope_of_a_search_and_says_why_it_is_empty(listed):
    assert numbers(listed.search(SearchRequest("after:2020", cwd="/q", limit=100))) == [25, 24, 23, 22, 21]
    assert len(listed.search(SearchRequest("after:2020", cwd="/q", folder="*", limit=100)).hits) == 25
    nothing = listed.search(SearchRequest("after:2021", cwd="/q"))
    assert nothing.notices == ("no photo below /q matches after:2021-01-01; in:* searches the whole library",)


def test_nothing_typed_lists_everything_where_the_newest_are_asked_for(listed):
    assert numbers(listed.search(SearchRequest(" ", cwd="/q", sort="date"))) == [25, 24, 23, 22, 21]
    with pytest.raises(BadQuery, match="nothing to search for"):
        listed.search(SearchRequest(" ", cwd="/q"))


def test_photos_without_a_date_of_their_own_stand_where_their_files_time_puts_them(listed):
    listed.catalog.commit_batch([photo(40, taken_at=None)])  # in 1970
    assert numbers(listed.search(SearchRequest("in:/p", cwd="/", limit=100)))[-1] == 40


def test_shots_in_a_row_are_collapsed_and_none_is_on_two_pages(listed):
    same = np.eye(8, dtype=np.float32)[0]
    burst = [replace(photo(number), vector=same, path=f"/b/{number}.jpg") for number in (22, 23, 25, 26)]
    listed.catalog.commit_batch([*burst, replace(photo(28), path="/b/28.jpg")])
    request = SearchRequest("in:/b", cwd="/", limit=1, collapse=True)
    first = listed.search(request)
    second = listed.search(replace(request, cursor=first.cursor))
    assert [(numbers(each), len(each.hits[0].collapsed)) for each in (first, second)] == [([28], 0), ([26], 3)]
    assert second.cursor is None


def test_what_asks_for_scores_is_told_that_there_are_none(listed):
    assert listed.search(SearchRequest("in:/p", cwd="/", explain=True)).notices == (NO_SCORES,)
    assert listed.search(SearchRequest("in:/p", cwd="/", min_score=0.2)).notices == (NO_LOWEST,)
    assert listed.search(SearchRequest("in:/p", cwd="/")).notices == ()
    with pytest.raises(BadQuery, match="needs something to search for"):
        listed.search(SearchRequest("in:/p min:0.2", cwd="/"))


@pytest.fixture
def talk(listed):
    class Unclosed:
        search, status = listed.search, listed.status

        def close(self):
            pass

    out = io.StringIO()
    front = PipeFrontend(out, io.StringIO(), style=ResultStyle.PLAIN, cwd=Path("/"), open_thumbnailer=lambda: None)
    return SearchState(Connection(Unclosed), front, cwd=Path("/"), limit=7, pages_ahead=3), out


def test_more_at_the_prompt_goes_on_to_the_end(talk):
    state, out = talk
    state.ask("in:*")
    while "no more" not in state.front._err.getvalue():
        state.more()
    assert [hit.path[-6:-4] for hit in state.shown] == [f"{number:02d}" for number in range(25, 0, -1)]
    assert [hit.rank for hit in state.shown] == list(range(1, 26))
    assert out.getvalue().splitlines()[0] == "1\t-\t/q/25.jpg"
    with pytest.raises(UsageError, match="no scores"):
        state.explained("/q/25.jpg")


def test_a_list_is_saved_without_scores(talk, tmp_path):
    state, _ = talk
    state.ask("in:/q")
    for ending in (".csv", ".json", ".txt"):
        export.save(state.shown_result(), tmp_path / f"list{ending}", as_page=None, over=False, hint="")
    assert (tmp_path / "list.csv").read_text().splitlines()[1] == "1,,/q/25.jpg,2020-01-25T10:00:00,4,3"
    assert '"score": null' in (tmp_path / "list.json").read_text()
