"""`:map` at the prompt: it draws, and its groups are queries."""

from __future__ import annotations

import pytest
from prompt_toolkit.document import Document
from terminal_fakes import FakeBackend
from test_commands import Talk
from test_mapview import MAP

from photomap_cli.errors import BadQuery, UsageError
from photomap_cli.terminal.completion import PromptCompleter


class Cartographer(FakeBackend):
    """Draws the same map every time."""

    def __init__(self):
        super().__init__()
        self.maps = []

    def map(self, request):
        self.maps.append(request)
        if "colour:" in request.filters:
            raise BadQuery("there is no filter colour:", position=0)
        return MAP


@pytest.fixture
def talk():
    return Talk(Cartographer())


def test_the_map_is_drawn_of_what_searches_cover(talk):
    talk.dialogue.folder = "/photos/italy"
    talk.type(":map after:2023")
    (request,) = talk.backend.maps
    assert (request.cwd, request.folder, request.filters) == ("/photos", "/photos/italy", "after:2023")
    assert "A\t40\tsunset over the sea\t" in talk.front.printed
    assert talk.front.waits == ["drawing the map…"]


@pytest.mark.parametrize("word", ["B", "b", "2", "cat", "Cat"])
def test_a_group_is_searched_for_by_its_name(talk, word):
    talk.type(":map", f":map {word}")
    assert len(talk.backend.maps) == 1
    assert talk.backend.requests[0].text == "cat"
    assert talk.front.pages == [([1, 2, 3], True)]


def test_a_group_can_be_asked_for_before_the_map_was_seen(talk):
    talk.type(":map C", ":map A")
    assert len(talk.backend.maps) == 1
    assert [request.text for request in talk.backend.requests] == ["pizza", "sunset over the sea"]


@pytest.mark.parametrize("word", ["D", "0", "4", "dog", "AB", "9999999999999", "²"])
def test_what_is_no_group_is_refused_with_those_there_are(talk, word):
    error = talk.refusal(f":map {word}")
    assert isinstance(error, UsageError)
    assert error.hint == "groups go from A to C; :map shows them"
    assert talk.backend.requests == []


def test_a_wrong_filter_is_told_with_its_place(talk):
    assert talk.refusal(":map colour:red").position == 0
    assert talk.dialogue.asked == "colour:red"


def test_tab_offers_the_groups_with_their_names(talk):
    completer = PromptCompleter(talk.dialogue)

    def offered(text):
        return [(each.text, each.display_meta_text) for each in completer.get_completions(Document(text), None)]

    assert offered(":map ") == []
    talk.type(":map")
    assert offered(":map ") == [("A", "sunset over the sea"), ("B", "cat"), ("C", "pizza")]
    assert offered(":map pi") == [("C", "pizza")]
