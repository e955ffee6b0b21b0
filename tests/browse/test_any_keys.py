"""200 keys, clicks and late answers in any order: nothing breaks, and nothing is marked that nobody marked."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from terminal_fakes import make_hit

from photomap_cli.browse import events, pictures, view
from photomap_cli.browse.events import Failed, Found, Pressed, Search
from photomap_cli.browse.grid import HEADER_ROWS, Size
from photomap_cli.browse.keys import BINDINGS
from photomap_cli.browse.state import Focus, State
from photomap_cli.browse.timeline import Month
from photomap_cli.browse.update import update
from photomap_cli.errors import BadQuery

HITS = tuple(make_hit(rank) for rank in range(1, 41))
KEYS = sorted({key for binding in BINDINGS for key in binding.keys} | {*"xnycz", "tab", "c-l", "c-z", "c-c"})
QUERIES = ["", "cat", "boom", "after:20", "#3", '"']


class Played:
    """A gallery whose workers answer at any later moment, in any order."""

    def __init__(self):
        self.state, self.waiting, self.events = State(Size(80, 24)), [], 0
        self.do(events.Submitted(""))

    def do(self, event):
        self.state, effects = update(self.state, event)
        self.waiting += effects
        self.events += 1
        self.check()
        if self.events % 5 == 0:
            self.check_the_look()

    def answer(self, number):
        effect = self.waiting.pop(number % len(self.waiting)) if self.waiting else None
        match effect:
            case Search(query="boom"):
                self.do(Failed(effect, BadQuery("no", position=2)))
            case Search(query="", cursor=None):
                self.do(Found(effect, HITS[:25], is_list=True, cursor="25", is_complete=False))
            case Search(cursor=None):
                self.do(Found(effect, HITS[:30], is_complete=effect.is_more))
            case Search():
                self.do(Found(effect, HITS[25:], is_list=True))
            case events.WaitForPause(generation):
                self.do(events.Paused(generation))
            case events.Action(way="move", paths=paths):
                self.do(events.Relocated(((paths[0], ""),)))
                self.do(events.Told("moved"))
            case events.Action():
                self.do(events.Told("done"))
            case events.CountMonths(generation):
                self.do(events.Counted(generation, (Month("2023-06", 4), Month("", 2))))
            case events.Explain(path=path):
                self.do(events.Explained(path, 0.4, ()))

    def check(self):
        state = self.state
        assert 0 <= state.cursor < max(1, len(state.hits))
        assert not state.hits or state.cursor in state.visible
        assert len(set(state.marks)) == len(state.marks)
        assert (state.question is not None) == (state.focus in (Focus.QUESTION, Focus.CHOICE))

    def check_the_look(self):
        state = self.state
        assert len(view.View().body(state)) == state.size.body_rows
        assert view.notice(state)
        assert view.bar(state, 20)
        for box in pictures.shown(state):
            assert 0 <= box.x < box.x + box.columns <= state.size.columns
            assert HEADER_ROWS <= box.y < box.y + box.rows <= state.size.rows - 1


ANYTHING = st.one_of(
    st.builds(Pressed, st.sampled_from(KEYS)),
    st.builds(Pressed, st.sampled_from(KEYS)),
    st.integers(0, 9),  # one of the answers that are due
    st.one_of(
        st.builds(events.Typed, st.sampled_from(QUERIES)),
        st.builds(events.Submitted, st.sampled_from(QUERIES[:3])),
        st.builds(events.AnswerGiven, st.sampled_from(["", "~/frames"])),
        st.builds(events.Clicked, st.integers(0, 130), st.integers(0, 45), st.booleans()),
        st.builds(events.Wheeled, st.sampled_from([-1, 1])),
        st.builds(events.Resized, st.sampled_from([Size(120, 40), Size(50, 20), Size(10, 4), Size(80, 24)])),
    ),
)
NEEDS = {events.AnswerGiven: Focus.QUESTION, events.Typed: Focus.QUERY, events.Submitted: Focus.QUERY}
"""Who has to have the keys for what comes of them."""
TOO_LONG = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]


def expected(was, event, now):
    """Return the marks that there should be after an event, by what it means alone; None where any may be."""
    if event == Pressed("space") and was.anchor is None and was.hit and was.focus is Focus.PHOTOS:
        return set(was.marks) ^ {was.hit.path}
    if isinstance(event, Pressed) and event.key in ("space", "v", "a", "A") and was.focus is Focus.PHOTOS:
        return None
    return set(was.marks)


@settings(max_examples=100, deadline=None, phases=[Phase.generate], suppress_health_check=TOO_LONG)
@given(st.lists(ANYTHING, min_size=200, max_size=200))
def test_200_keys_in_any_order(happened):
    played = Played()
    for event in happened:
        was = played.state
        if isinstance(event, int):
            played.answer(event)
        elif was.focus is NEEDS.get(type(event), was.focus):
            played.do(event)
            marks = expected(was, event, played.state)
            is_shown = was.mode.name in ("GRID", "LOOK")
            assert marks is None or set(played.state.marks) == (marks if is_shown else set(was.marks)), event
