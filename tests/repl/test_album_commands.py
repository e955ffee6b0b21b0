"""Albums and saved searches at the prompt."""

import io
from dataclasses import replace

import pytest
from cases import cases
from fake_conversation import Talk
from library_fakes import ENCODER, new_photo, unit_vectors
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from rich.console import Console
from terminal_fakes import CPU, FakeBackend

from photomap_cli.errors import UsageError
from photomap_cli.library import user_data
from photomap_cli.library.catalog import Catalog
from photomap_cli.repl.completion.completer import PromptCompleter


@pytest.fixture
def talk(tmp_path):
    with Catalog.open(tmp_path, create=True) as catalog:
        catalog.set_encoder(ENCODER)
        photos = [
            new_photo(f"/photos/photo-{at:03d}.jpg", vector, content_hash=bytes([at]) * 16)
            for at, vector in enumerate(unit_vectors(6), 1)
        ]
        catalog.commit_batch(photos)
    talk = Talk(FakeBackend(status=replace(CPU, library=str(tmp_path))))
    talk.library = tmp_path
    return talk.type("dog")


def on_a_terminal(talk):
    talk.front.console = Console(file=io.StringIO(), force_terminal=True, color_system=None, width=100)
    return talk


def inside(talk, name):
    return [int(member.path[-7:-4]) for member in user_data.album(talk.library, name).members]


def test_the_marked_are_added_else_those_given_else_the_results(talk):
    talk.type(":album All", ":mark 2", ":album Marked", ":album 1, 3 Given", ":album 1 given")
    assert (inside(talk, "All"), inside(talk, "Marked"), inside(talk, "Given")) == ([1, 2, 3], [2], [1, 3])
    assert talk.front.notes[-1] == "0 photos added to given; 1 in it already; album:given finds it"
    assert user_data.album(talk.library, "Marked").members[0].digest == bytes([2]) * 16


@cases(
    ("line", "name"),
    [
        (":album 2023", "2023"),
        (':album "2019 Norway"', "2019 Norway"),
        (":album 1 Best  of   2023", "Best of 2023"),
        (":album O'Brien", "O'Brien"),
    ],
)
def test_what_an_album_may_be_called(talk, line, name):
    talk.type(line)
    assert name in dict(user_data.albums(talk.library))


def test_photos_are_taken_out_and_an_album_is_deleted_once_that_is_confirmed(talk):
    on_a_terminal(talk).type(":album Best", ":album --remove 1-2 best")
    assert inside(talk, "Best") == [3]
    talk.front.answer = False
    talk.type(":album --delete best")
    assert talk.front.questions == ["delete the album Best of 1 photo? the photos stay"]
    assert dict(user_data.albums(talk.library)) == {"Best": 1}
    talk.front.answer = True
    talk.type(":album --delete best")
    assert user_data.albums(talk.library) == ()
    talk.type(":album Best", ":album --delete! best")
    assert user_data.albums(talk.library) == ()
    assert len(talk.front.questions) == 2


@cases(
    "line",
    [
        ":album",
        ":album --delete",
        ":album --delete nothing",
        ":album --remove 1 nothing",
        ":album --delte Best",
        ":album --remvoe 1 Best",
        ":album 1 --remove Best",
        ":album 9 Best",
        ':album a"b',
        ":save-search",
        ":save-search --delete nothing",
        ":save-search --delte trip",
    ],
)
def test_what_cannot_be_done_is_said(talk, line):
    assert isinstance(talk.refusal(line), UsageError)
    assert user_data.albums(talk.library) == ()
    assert user_data.searches(talk.library) == {}


def test_albums_and_searches_are_listed(talk):
    talk.type(":album Best of 2023", ":save-search dogs", ":albums", ":searches")
    assert talk.front.printed == "Best of 2023\t3\ndogs\tdog\n"
    on_a_terminal(talk).type(":albums", ":searches")
    assert talk.front.printed.split() == ["Best", "of", "2023", "3", "dogs", "dog"]


def test_where_there_are_none_it_says_how_to_make_one(talk):
    talk.type(":albums", ":searches")
    assert [note.split(";")[0] for note in talk.front.notes] == ["none yet", "none yet"]


def test_the_last_query_is_saved_as_it_means_the_same_elsewhere(talk):
    talk.type("#2 + snow after:7d -in:Work", ":save-search dogs", ":save-search DOGS", ":searches")
    text = '@"/photos/photo-002.jpg" + snow after:7d -in:Work'
    assert user_data.search(talk.library, "dogs") == text.replace("-in:Work", '-in:"/photos/Work"')
    assert "replacing another" in talk.front.notes[-1]
    talk.type(":save-search --delete dogs")
    assert user_data.searches(talk.library) == {}
    assert "no search to save" in Talk(FakeBackend()).refusal(":save-search a").message


def completions(talk, text):
    completer = PromptCompleter(talk.state)
    found = completer.get_completions(Document(text), CompleteEvent(text_inserted=True))
    return [(text[: len(text) + each.start_position] + each.text, each.display_meta_text) for each in found]


def test_names_complete_with_what_they_are(talk):
    talk.type(":album Best of 2023", ":mark 1", ":album Worst", ":save-search trip")
    assert completions(talk, "dog album:b") == [('dog album:"Best of 2023"', "3 photos")]
    assert completions(talk, "dog -album:wor") == [("dog -album:Worst", "1 photo")]
    assert completions(talk, "@@tr") == [("@@trip", "dog")]
    assert completions(talk, ":album 1 w") == [(":album 1 Worst", "1 photo")]
    assert completions(talk, ":save-search t") == [(":save-search trip", "dog")]
    assert completions(Talk(), "album:b") == []
