"""`:map` at the prompt: it draws, and lists its groups."""

from __future__ import annotations

import pytest
from fake_conversation import Talk
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from sample_map import MAP
from terminal_fakes import FakeBackend, make_hit, make_result

from photomap_cli.errors import BadQuery, UsageError
from photomap_cli.repl.completion.completer import PromptCompleter


class Cartographer(FakeBackend):
    """Draws the same map every time."""

    def __init__(self):
        super().__init__()
        self.maps, self.groups = [], []

    def map(self, request):
        self.maps.append(request)
        if "colour:" in request.filters:
            raise BadQuery("there is no filter colour:", position=0)
        return MAP

    def group(self, request):
        self.groups.append(request)
        hits = tuple(make_hit(rank, f"/photos/{request.cluster.name}-{rank}.jpg") for rank in range(1, 6))
        return make_result(query=request.cluster.name, hits=hits)


@pytest.fixture
def talk():
    return Talk(Cartographer())


def test_the_map_is_drawn_of_what_searches_cover(talk):
    talk.state.folder = "/photos/italy"
    talk.type(":map after:2023")
    (request,) = talk.backend.maps
    assert (request.cwd, request.folder, request.filters) == ("/photos", "/photos/italy", "after:2023")
    assert "A\t40\tsunset over the sea\t" in talk.front.printed
    assert talk.front.waits == ["drawing the map…"]


@pytest.mark.parametrize("word", ["B", "b", "2", "cat", "Cat"])
def test_a_group_is_listed_by_its_own_photos(talk, word):
    talk.type(":map after:2023", f":map {word}")
    assert len(talk.backend.maps) == 1
    (asked,) = talk.backend.groups
    assert (asked.map, asked.cluster) == (talk.backend.maps[0], MAP.clusters[1])
    assert talk.backend.requests == []
    assert talk.front.notes[-1] == f"B, cat: {MAP.clusters[1].count} photos, the most typical first"
    assert talk.front.pages == [([1, 2, 3], True)]


def test_a_groups_photos_are_results_like_others(talk):
    talk.type("dog", ":map C", ":more")
    assert talk.front.pages[-1] == ([4, 5], False)
    assert talk.state.hit(5).path == "/photos/pizza-5.jpg"
    talk.type("#4 + snow")
    assert talk.backend.requests[-1].references[3] == "/photos/pizza-4.jpg"
    talk.type(":map C", ":again")
    assert talk.backend.requests[-1].text == "#4 + snow"


def test_what_needs_a_query_says_so_of_a_group(talk):
    talk.type(":map C")
    assert talk.refusal("why 1").message == "these photos are a map group, not search results"
    assert talk.refusal("more 1").message == "there is no search to refine"
    assert talk.type(":more", ":more").front.notes[-1] == "no more results"


def test_a_group_can_be_asked_for_before_the_map_was_seen(talk):
    talk.type(":map C", ":map A")
    assert len(talk.backend.maps) == 1
    assert [asked.cluster.name for asked in talk.backend.groups] == ["pizza", "sunset over the sea"]


@pytest.mark.parametrize("word", ["D", "0", "4", "dog", "AB", "9999999999999", "²"])
def test_what_is_no_group_is_refused_with_those_there_are(talk, word):
    error = talk.refusal(f":map {word}")
    assert isinstance(error, UsageError)
    assert error.hint == "groups go from A to C; :map shows them"
    assert talk.backend.requests == []


def test_a_wrong_filter_is_told_with_its_place(talk):
    assert talk.refusal(":map colour:red").position == 0
    assert talk.state.query_text == "colour:red"


def test_tab_offers_the_groups_with_their_names(talk):
    completer = PromptCompleter(talk.state)

    def offered(text):
        return [
            (each.text, each.display_meta_text) for each in completer.get_completions(Document(text), CompleteEvent())
        ]

    assert offered(":map ") == []
    talk.type(":map")
    assert offered(":map ") == [("A", "sunset over the sea"), ("B", "cat"), ("C", "pizza")]
    assert offered(":map pi") == [("C", "pizza")]


def test_a_saved_search_of_filters_draws_a_map(talk):
    talk.type(":map @@trip")
    assert talk.backend.maps[-1].filters == "@@trip"
