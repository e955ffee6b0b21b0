"""`more 3`, `less 5` and `why 3` at the prompt: what they make of the last search."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from cases import cases
from fake_conversation import Talk
from rich.console import Console
from terminal_fakes import FakeBackend, make_result

from photomap_cli.records import SearchRequest, TermPart
from photomap_cli.search.relevance_feedback import parse_feedback, refined
from photomap_cli.views.score_breakdown import breakdown


@cases(
    ("line", "meant"),
    [
        ("more 3", [(0.5, 3)]),
        ("LESS #5", [(-0.25, 5)]),
        ("more 3 4, #5", [(0.5, 3), (0.5, 4), (0.5, 5)]),
        ("more 3, less 5 6", [(0.5, 3), (-0.25, 5), (-0.25, 6)]),
        ("more 1234567891", [(0.5, 1234567891)]),
        ("less " + "9" * 5000, [(-0.25, 9999999999)]),
        ("more 3 dogs", []),
        ("more", []),
        ("more dogs", []),
        ("3 more", []),
        ("less is more", []),
        ('"more 3"', []),
        ("more 3 - snow", []),
    ],
)
def test_only_numbers_of_results_are_feedback(line, meant):
    assert parse_feedback(line) == meant


@pytest.mark.parametrize(
    ("asked", "line", "becomes"),
    [
        ("dog", "more 3 less 5", "dog + 0.5:/p/3.jpg - 0.25:/p/5.jpg"),
        ("#2 + snow after:2023", "more 3", "/p/old-2.jpg + snow + 0.5:/p/3.jpg after:2023-01-01"),
        ("#9 + #0 + dog", "more 3", "#9 + #0 + dog + 0.5:/p/3.jpg"),
        ("dog -in:italy min:0.2", "less 4", 'dog - 0.25:@"./my 4.jpg" -in:./italy min:0.2'),
        ('"black / white" -2:cat', "more 5", '"black / white" - 2:cat + 0.5:/p/5.jpg'),
    ],
)
def test_a_query_becomes_one_that_lasts(asked, line, becomes):
    references = tuple(f"/p/old-{number}.jpg" for number in range(1, 6))
    paths = {3: "/p/3.jpg", 4: "/photos/my 4.jpg", 5: "/p/5.jpg"}
    request = SearchRequest(asked, cwd="/photos", references=references)
    assert refined(request, parse_feedback(line), paths.__getitem__) == becomes


def test_feedback_searches_again_tells_the_query_and_adds_up():
    talk = Talk(cwd=Path("/photos")).type("dog", "more 2", "less 1 3")
    assert [request.text for request in talk.backend.requests] == [
        "dog",
        "dog + 0.5:./photo-002.jpg",
        "dog + 0.5:./photo-002.jpg - 0.25:./photo-001.jpg - 0.25:./photo-003.jpg",
    ]
    assert talk.front.notes == [f"now: {request.text}" for request in talk.backend.requests[1:]]


def test_after_like_the_feedback_is_on_that_photo():
    talk = Talk().type("dog", "like 2", "more 1")
    assert talk.backend.requests[-1].text == "./photo-002.jpg + 0.5:./photo-001.jpg"


def test_feedback_without_a_search_or_on_no_result_is_refused_with_the_way_to_search_for_the_words():
    refusal = Talk().refusal("more 3")
    assert "no search to refine" in refusal.message
    assert '"more 3" in quotes' in refusal.hint
    assert "no result 9" in Talk().type("dog").refusal("less 9").message


def test_other_lines_with_these_words_are_searches():
    talk = Talk().type("dog", "more 3 dogs", '"more 3"', "less", "why not", "why 3 cats")
    assert [request.text for request in talk.backend.requests[1:]] == [
        "more 3 dogs",
        '"more 3"',
        "less",
        "why not",
        "why 3 cats",
    ]


def explaining(request):
    result = make_result(request.limit, query=request.text)
    if not request.explain:
        return result
    return replace(
        result,
        hits=tuple(
            replace(hit, terms=(TermPart("dog", 2.0, 0.31, 0.55), TermPart("cat", -1.0, 0.2, hit.score - 0.55)))
            for hit in result.hits[:2]
        ),
    )


@pytest.mark.parametrize("line", ["why 2", "why #2", ":why 2", "WHY 2"])
def test_why_tells_what_each_term_adds(line):
    talk = Talk(FakeBackend(answer=explaining))
    talk.front.console = Console(file=io.StringIO(), force_terminal=True, no_color=True, width=80, color_system=None)
    talk.type("dog", line)
    lines = [each.split() for each in talk.front.printed.splitlines()]
    assert lines == [
        ["photo-002.jpg"],
        ["+0.550", "dog", "2", "×", "0.310", "÷", "1.127"],
        ["-0.152", "cat", "-1", "×", "0.200", "÷", "1.316"],
        ["0.398", "total"],
    ]


def test_the_parts_that_are_shown_add_up_to_the_score_that_is_shown():
    score = 0.3334 + 0.3334 + 0.3334
    hit = replace(make_result(1).hits[0], score=score, terms=(TermPart("a", 1.0, 0.3334, 0.3334),) * 3)
    assert [part for part, _, _ in breakdown(hit)] == ["+0.334", "+0.333", "+0.333"]


def test_why_tells_programs_what_search_explain_does():
    assert Talk(FakeBackend(answer=explaining)).type("dog", "why 2").front.printed == (
        "2\t0.3980\t/photos/photo-002.jpg\n\t+0.5500\t2\t0.3100\tdog\n\t-0.1520\t-1\t0.2000\tcat\n"
    )


def test_why_asks_once_for_all_results_and_not_again():
    talk = Talk(FakeBackend(answer=explaining)).type("dog", "why 1 2", "why 2")
    assert [request.explain for request in talk.backend.requests] == [False, True]
    assert talk.backend.requests[1].limit == talk.backend.requests[0].limit


def test_why_is_refused_for_what_is_not_there():
    talk = Talk(FakeBackend(answer=explaining))
    assert "no result 1" in talk.refusal("why 1").message
    assert "no longer found" in talk.type("dog").refusal("why 3").message
    assert talk.refusal(":why").hint == ":why N..."


def test_help_tells_of_them():
    shown = Talk().type(":help").front.printed
    assert all(word in shown for word in ("more 3 less 5", "like 3", "why 3", ":why"))


def test_from_a_list_it_goes_on_to_photos_like_a_result_that_meet_the_filters():
    asked = SearchRequest("in:/p after:2020", cwd="/")
    assert (
        refined(asked, parse_feedback("more 2"), lambda number: f"/p/{number}.jpg")
        == "0.5:./p/2.jpg in:./p after:2020-01-01"
    )
