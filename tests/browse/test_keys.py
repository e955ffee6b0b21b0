"""What each key, click and answer makes of the gallery: tables over the pure state machine."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cases import cases
from rich.cells import cell_len
from terminal_fakes import make_hit

from photomap_cli.browse import events, view
from photomap_cli.browse.commands import EXPORTS
from photomap_cli.browse.events import Action, Failed, Found, Leave, LookUp, Pressed, Search, SetQuery, Typed
from photomap_cli.browse.grid import HEADER_ROWS, Size
from photomap_cli.browse.keys import BINDINGS
from photomap_cli.browse.state import Focus, Mode, State
from photomap_cli.browse.timeline import Month
from photomap_cli.browse.update import update
from photomap_cli.errors import BadQuery, EncoderFailed, LibraryUnusable
from photomap_cli.records import TermPart

HITS = tuple(make_hit(rank) for rank in range(1, 41))
SIZE = Size(80, 24)


def search(query="cat", generation=1, **values):
    return Search(generation, query, 200, **values)


def shown(hits=HITS, query="cat", *, focus=Focus.PHOTOS, **values):
    """The gallery with the answer to a query on the screen."""
    state = State(SIZE, cwd="/elsewhere", generation=1, query=query, focus=focus)
    return replace(update(state, Found(search(query), hits, is_list=not query))[0], **values)


def shown_beginning():
    """The gallery with the beginning of a list on the screen."""
    state = State(SIZE, generation=1, focus=Focus.PHOTOS)
    return update(state, Found(search(""), HITS, is_list=True, cursor="40", is_complete=False))[0]


def press(state, *keys):
    """Press keys; return the state and the effects of the last one."""
    effects = ()
    for key in keys:
        state, effects = update(state, Pressed(key))
    return state, effects


def told(line):
    return "".join(text for _, text in line)


# -- moving ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "cursor"),
    [
        ("right", 1),
        ("l l", 2),
        ("right left", 0),
        ("left", 0),
        ("down", 3),
        ("j k", 0),
        ("l l h j", 4),
        ("pagedown", 6),
        ("pagedown pageup", 0),
        ("end", 39),
        ("end right", 39),
        ("end home", 0),
        ("end down", 39),
        ("G g", 0),
    ],
)
def test_the_cursor_goes_where_the_keys_say_and_stays_on_the_screen(keys, cursor):
    state, _ = press(shown(), *keys.split())
    assert (state.geometry.columns, state.geometry.rows) == (3, 2)
    assert state.cursor == cursor
    assert state.cursor in state.visible


def test_down_into_a_shorter_last_row_lands_on_the_last_photo():
    assert press(shown(HITS[:5]), "right", "right", "down")[0].cursor == 4


def test_up_from_the_first_row_goes_to_the_query_line_and_down_comes_back():
    state, _ = press(shown(), "up")
    assert state.focus is Focus.QUERY
    assert press(state, "down")[0].focus is Focus.PHOTOS


def test_letters_are_text_while_a_query_is_typed():
    state = shown(focus=Focus.QUERY)
    assert press(state, *"aqoe") == (state, ())


# -- the query ---------------------------------------------------------------------------------------------------------


def test_a_query_is_searched_for_when_typing_pauses_and_only_the_last_text():
    state, effects = update(shown(focus=Focus.QUERY), Typed("dog"))
    assert effects == (events.WaitForPause(2),)
    state, effects = update(state, Typed("dogs"))
    assert effects == (events.WaitForPause(3),)
    assert update(state, events.Paused(2)) == (state, ())
    state, effects = update(state, events.Paused(3))
    assert effects == (Search(3, "dogs", 200, is_draft=True),)
    assert (state.is_searching, state.hits) == (True, HITS)


def test_enter_searches_at_once_for_good_and_remembers():
    state, _ = update(shown(focus=Focus.QUERY), Typed("dogs"))
    state, effects = update(state, events.Submitted("dogs"))
    assert effects == (events.Remember("dogs"), Search(3, "dogs", 200))
    assert state.focus is Focus.PHOTOS


def test_nothing_typed_asks_for_all_photos():
    assert update(shown(focus=Focus.QUERY), events.Submitted("  "))[1] == (Search(2, "", 200),)


def test_an_answer_that_is_no_longer_wanted_is_dropped():
    state, _ = update(shown(focus=Focus.QUERY), Typed("dog"))
    assert update(state, Found(search("cat", 1), HITS[:1])) == (state, ())
    assert update(state, Failed(search("cat", 1), BadQuery("no"))) == (state, ())


def test_a_half_typed_filter_is_no_error_until_enter():
    error = BadQuery("not a date: 20", hint="after:2023", position=6)
    state, _ = update(shown(focus=Focus.QUERY), Typed("after:20"))
    typed, _ = update(state, Failed(Search(2, "after:20", 200, is_draft=True), error))
    assert (typed.hits, typed.notice.text) == (HITS, "")
    state, _ = update(state, events.Submitted("after:20"))
    state, _ = update(state, Failed(Search(3, "after:20", 200), error))
    assert (state.hits, state.focus, state.notice.is_error) == (HITS, Focus.QUERY, True)
    assert told(view.notice(state)).index("^") == 1 + 6  # right below the mistake


def test_a_failure_of_the_encoder_is_told_while_typing():
    state, _ = update(shown(focus=Focus.QUERY), Typed("dog"))
    state, _ = update(state, Failed(Search(2, "dog", 200, is_draft=True), EncoderFailed("it ended")))
    assert "it ended" in state.notice.text


def test_a_library_that_cannot_be_opened_ends_the_gallery():
    error = LibraryUnusable("the library is damaged")
    _, effects = update(State(SIZE, generation=1), Failed(search("", 1), error))
    assert effects == (Leave(error=error),)
    assert update(shown(), Failed(search("cat", 1), error))[1] == ()


def test_the_same_query_again_keeps_the_cursor_on_its_photo():
    state = replace(press(shown(), "right", "right")[0], generation=2)
    assert update(state, Found(search("cat", 2), (HITS[7], *HITS)))[0].hit == HITS[2]
    assert update(state, Found(search("dog", 2), HITS))[0].cursor == 0


def test_a_result_that_is_named_by_its_number_is_one_of_those_shown_when_the_query_was_begun():
    state, _ = update(shown(focus=Focus.QUERY), Typed("#3"))
    state, effects = update(state, events.Paused(2))
    state, _ = update(state, Found(effects[0], HITS[20:]))
    state, _ = update(state, Typed("#3 + snow"))
    assert update(state, events.Paused(3))[1][0].query == f"{HITS[2].path} + snow"


# -- pages -------------------------------------------------------------------------------------------------------------


def test_a_list_goes_on_before_its_end_is_reached():
    state, effects = press(shown_beginning(), *["pagedown"] * 5)
    assert effects == (Search(1, "", 200, is_more=True, cursor="40"),)
    assert press(state, "right")[1] == ()  # it is under way
    more = tuple(make_hit(rank) for rank in range(41, 61))
    state, _ = update(state, Found(effects[0], more, is_list=True))
    assert (state.hits, state.cursor, state.results.is_complete) == ((*HITS, *more), 30, True)


def test_a_search_asks_for_more_in_all():
    state = State(SIZE, generation=1, focus=Focus.PHOTOS)
    state, _ = update(state, Found(search("cat"), HITS, is_complete=False))
    assert press(state, "end")[1] == (Search(1, "cat", 80, is_more=True),)


# -- marks -------------------------------------------------------------------------------------------------------------


def marks(state):
    return [[hit.path for hit in HITS].index(path) for path in state.marks]


@pytest.mark.parametrize(
    ("keys", "marked"),
    [
        ("space", [0]),
        ("space space", []),
        ("right space home space", [1, 0]),
        ("v right right v", [0, 1, 2]),
        ("v down space", [0, 1, 2, 3]),
        ("right right v home v", [0, 1, 2]),
        ("v right escape right", []),
        ("a", list(range(40))),
        ("a A", []),
        ("a space", list(range(1, 40))),
        ("enter space right space", [0, 1]),
    ],
)
def test_marks(keys, marked):
    assert marks(press(shown(), *keys.split())[0]) == marked


def test_marks_stay_when_the_query_changes_and_are_counted():
    state, _ = press(shown(), "space")
    state, _ = update(replace(state, generation=2), Found(search("dog", 2), HITS[10:]))
    state, _ = press(state, "space")
    assert marks(state) == [0, 10]
    assert "2 marked" in view.bar(state, 20)[0]


@cases("columns", range(20, 81))
def test_a_narrow_bar_leaves_words_out_and_cuts_none(columns):
    state, _ = press(shown(size=Size(columns, 20)), "space")
    status = min(22, view.status_room(state) - 1)
    marks_words, keys = view.bar(state, status)
    assert status + cell_len(marks_words) + cell_len(keys) < columns
    assert marks_words in ("", " │ ● 1", " │ ● 1 marked")
    assert not keys or keys.endswith(" ")


def test_all_are_marked_when_all_have_been_fetched():
    state, effects = press(shown_beginning(), "a")
    assert effects == (Search(1, "", 10_000, is_more=True, cursor="40"),)
    state, effects = update(state, Found(effects[0], (make_hit(41),), is_list=True))
    assert (len(state.marks), effects) == (41, ())


# -- looking -----------------------------------------------------------------------------------------------------------


def test_enter_looks_at_one_photo_and_arrows_go_to_the_next():
    state, effects = press(shown(), "right", "enter")
    assert (state.mode, effects) == (Mode.LOOK, (LookUp(HITS[1].path),))
    state, effects = press(state, "right")
    assert (state.cursor, effects) == (2, (LookUp(HITS[2].path),))
    assert press(state, "left", "left", "left")[0].cursor == 0
    assert press(state, "escape")[0].mode is press(state, "enter")[0].mode is Mode.GRID


def test_facts_come_and_go():
    state, effects = press(shown(), "i")
    assert (state.mode, state.has_facts, effects) == (Mode.LOOK, True, (LookUp(HITS[0].path),))
    assert not press(state, "i")[0].has_facts


def test_why_tells_the_score_by_term_and_the_facts_keep_it():
    state, effects = press(shown(), "w")
    assert effects == (events.Explain("cat", HITS[0].path, 40),)
    terms = (TermPart("cat", 1.0, 0.5, 0.45), TermPart("dog", -1.0, 0.1, -0.051))
    state, _ = update(state, events.Explained(HITS[0].path, 0.399, terms))
    assert state.notice.text == "0.399 = cat +0.450 · dog -0.051"
    assert any("-0.051 dog" in told(line) for line in view.View().body(press(state, "i")[0]))


def test_photos_that_are_listed_have_no_why():
    state, effects = press(shown(query=""), "w")
    assert effects == ()
    assert "by date" in state.notice.text


@pytest.mark.parametrize("key", ["?", "t"])
def test_pages_that_hide_the_grid_give_it_back(key):
    state, _ = press(shown(), "right")
    hidden, _ = press(state, key)
    assert hidden.mode is not Mode.GRID
    back, _ = press(hidden, "escape")
    assert (back.mode, back.cursor, back.focus) == (Mode.GRID, 1, Focus.PHOTOS)


# -- leaving -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", list(Mode))
def test_q_leaves_from_everywhere(mode):
    assert press(shown(mode=mode), "q")[1] == (Leave(),)


@pytest.mark.parametrize("is_choosing", [True, False])
@pytest.mark.parametrize("focus", [Focus.PHOTOS, Focus.QUERY])
def test_escape_leaves_the_outermost_layer(is_choosing, focus):
    state, effects = press(shown(is_choosing=is_choosing, focus=focus), "escape")
    if focus is Focus.QUERY and not is_choosing:
        assert (state.focus, effects) == (Focus.PHOTOS, ())
    else:
        assert effects == (Leave(is_cancelled=True),)


def test_enter_twice_takes_the_photo_where_one_is_to_be_chosen():
    state, effects = press(shown(is_choosing=True), "right", "enter", "enter")
    assert (marks(state), effects) == ([1], (Leave(),))
    assert marks(press(shown(is_choosing=True), "space", "right", "enter", "enter")[0]) == [0]


# -- actions -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "name"), [("o", "open"), ("y", "copy_paths"), ("Y", "copy_picture"), ("d", "download")]
)
def test_actions_are_for_the_marked_photos_else_for_the_one_under_the_cursor(key, name):
    assert press(shown(), "right", key)[1] == (Action(name, (HITS[1].path,)),)
    state, _ = press(shown(), "space", "right", "right", "space", "right")
    assert press(state, key)[1] == (Action(name, (HITS[0].path, HITS[2].path)),)


def test_one_act_at_a_time_and_ctrl_c_stops_it():
    state, _ = press(shown(), "y")
    assert press(state, "y")[1] == ()
    state, effects = press(state, "c-c")
    assert effects == (events.StopAction(),)
    state, _ = update(state, events.Told("stopped"))
    assert press(state, "y")[1]
    assert press(state, "c-c")[1] == (Leave(is_cancelled=True),)


def test_many_windows_are_opened_only_when_asked_twice():
    state, effects = press(shown(), "a", "o")
    assert (state.focus, effects) == (Focus.CHOICE, ())
    assert press(state, "n")[1] == ()
    assert len(press(state, "y")[1][0].paths) == 40


@pytest.mark.parametrize(("key", "way"), EXPORTS)
def test_an_export_asks_how_and_where_to_and_a_move_once_more(key, way):
    state, _ = press(shown(), "e", key)
    assert state.focus is Focus.QUESTION
    state, effects = update(state, events.AnswerGiven("~/frames"))
    if way == "move":
        assert effects == ()
        assert "move 1 photo to ~/frames?" in told(view.notice(state))
        assert press(state, "n")[1] == ()
        state, effects = press(state, "y")
    assert effects == (Action("export", (HITS[0].path,), way, "~/frames"),)
    assert state.focus is Focus.PHOTOS


def test_escape_and_an_empty_answer_put_a_question_away():
    state, _ = press(shown(), "e", "c")
    for put_away, effects in (press(state, "escape"), update(state, events.AnswerGiven("  "))):
        assert (put_away.question, put_away.focus, effects) == (None, Focus.PHOTOS, ())


def test_photos_that_were_moved_keep_their_marks_and_places():
    state, _ = press(shown(), "right", "space")
    state, _ = update(state, events.Relocated(((HITS[1].path, "/new/a.jpg"), (HITS[0].path, ""))))
    assert state.marks == ("/new/a.jpg",)
    assert [hit.path for hit in state.hits[:2]] == ["/new/a.jpg", HITS[2].path]


# -- refining ----------------------------------------------------------------------------------------------------------


def test_more_and_less_like_a_photo_change_the_query_and_can_be_undone():
    state, effects = press(shown(), "right", "m")
    query = f"cat + 0.5:{HITS[1].path}"
    assert effects == (SetQuery(query), Search(2, query, 200))
    assert press(shown(), "L")[1][0] == SetQuery(f"cat - 0.25:{HITS[0].path}")
    assert press(shown(), "enter", "l")[1][0] == SetQuery(f"cat - 0.25:{HITS[0].path}")
    state, _ = update(state, Found(effects[1], HITS))
    assert told(view.notice(state)).split() == ["cat", "+", "photo-002.jpg"]
    assert press(state, "u")[1] == (SetQuery("cat"), Search(3, "cat", 200))


def test_more_like_a_listed_photo_is_a_search_for_it_and_less_needs_words():
    assert press(shown(query=""), "m")[1][0] == SetQuery(HITS[0].path)
    state, effects = press(shown(query=""), "L")
    assert (state.notice.is_error, effects) == (True, ())


# -- the timeline ------------------------------------------------------------------------------------------------------


def test_a_month_of_the_timeline_becomes_a_filter_and_another_takes_its_place():
    state, effects = press(shown(), "t")
    assert effects == (events.CountMonths(1, "cat"),)
    state, _ = update(state, events.Counted(1, (Month("2023-12", 3), Month("2023-06", 37), Month("", 1))))
    assert press(state, "down", "enter")[1][0] == SetQuery("cat after:2023-06 before:2023-07")
    assert press(state, "down", "down", "enter")[1] == ()
    state, effects = press(state, "enter")
    assert (state.query, state.mode) == ("cat after:2023-12 before:2024-01", Mode.GRID)
    state, _ = press(update(state, Found(effects[1], HITS))[0], "t")
    state, _ = update(state, events.Counted(2, (Month("2023-06", 3),)))
    assert press(state, "enter")[0].query == "cat after:2023-06 before:2023-07"


# -- the mouse and the size --------------------------------------------------------------------------------------------


def test_a_click_chooses_a_double_click_looks_and_the_wheel_scrolls():
    state = shown()
    box = state.geometry.box(4)
    state, _ = update(state, events.Clicked(box.x + 1, box.y + 1))
    assert state.cursor == 4
    assert update(state, events.Clicked(box.x, box.y + box.rows, is_double=True))[0].mode is Mode.LOOK  # its caption
    state, _ = update(state, events.Wheeled(1))
    assert (state.top, state.cursor) == (1, 4)
    state, _ = update(update(state, events.Wheeled(1))[0], events.Wheeled(1))
    assert (state.top, state.cursor) == (3, 9)
    assert update(state, events.Clicked(3, 0))[0].focus is Focus.QUERY
    assert update(shown(HITS[:1]), events.Clicked(79, HEADER_ROWS))[0].cursor == 0


@pytest.mark.parametrize("size", [Size(120, 40), Size(50, 20), Size(20, 7), Size(3, 2), Size(1, 1), Size(400, 100)])
def test_another_size_keeps_the_cursor_and_shows_it(size):
    state, _ = press(shown(), "end", "left")
    state, _ = update(state, events.Resized(size))
    assert state.cursor == 38
    assert state.cursor in state.visible
    assert len(view.View().body(state)) == size.body_rows


def test_every_key_of_the_table_is_on_the_page_of_keys():
    page = "\n".join(told(line) for line in view.View().body(shown(mode=Mode.KEYS)))
    named = [each for each in BINDINGS if each.words and each.modes & {Mode.GRID, Mode.LOOK}]
    assert [binding for binding in named if binding.label not in page] == []


@pytest.mark.parametrize("columns", [24, 50, 80, 120])
def test_the_pages_of_keys_hold_every_key_once_with_no_word_cut(columns):
    size = Size(columns, 20)
    state, _ = press(shown(size=size), "?")
    pages = [state]
    while (page := press(pages[-1], "down")[0]) and view.View().body(page) != view.View().body(state):
        pages.append(page)
        assert len(pages) < 10
    assert view.View().body(press(state, "up")[0]) == view.View().body(pages[-1])
    text = "\n".join(told(line) for page in pages for line in view.View().body(page))
    for binding in BINDINGS:
        if binding.words and Mode.GRID in binding.modes and columns >= 50:
            assert text.count(f" {binding.label:<11}{binding.words}") == 1, binding
    is_one = len(pages) == 1
    assert ("more keys" in view.hints(state, 70)) is not is_one
    assert view.info(pages[-1]).startswith("40 photos" if is_one else f"keys {len(pages)} of {len(pages)}")
