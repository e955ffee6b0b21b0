"""Owns what keys do with photos and with the query: marks, actions and their questions, refining.  Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from photomap_cli.browse.events import Action, Explain, Leave, Search, SetQuery, StopAction
from photomap_cli.browse.navigation import fetch_more
from photomap_cli.browse.state import MOST_RESULTS, Focus, Mode, Notice, Question, marked, toggled
from photomap_cli.browse.timeline import with_month
from photomap_cli.errors import PhotomapError
from photomap_cli.views.formatting import photos

if TYPE_CHECKING:
    from collections.abc import Callable

    from photomap_cli.browse.state import State, Transition

MOST_OPENED = 10
"""Photos that are opened without asking; each opens a window."""

EXPORTS = (
    ("c", "copy"),
    ("l", "link"),
    ("h", "hard link"),
    ("r", "reflink"),
    ("m", "move"),
    ("z", "zip"),
)
"""Ways of exporting photos, by key."""


# -- marks -------------------------------------------------------------------------------------------------------------


def mark(state: State) -> Transition:
    """Toggle the mark of the photo under the cursor; if a range was begun, mark it."""
    if state.anchor is not None:
        return _mark_range(state)
    return (toggled(state, state.hit.path) if state.hit else state), ()


def begin_range(state: State) -> Transition:
    """Begin a range at the cursor, or mark the range that was begun."""
    if state.hit is None:
        return state, ()
    if state.anchor is None:
        return replace(state, anchor=state.cursor).told("move to the end of the range; v or space marks it"), ()
    return _mark_range(state)


def _mark_range(state: State) -> Transition:
    paths = [state.hits[number].path for number in state.range]
    return replace(marked(state, paths), anchor=None).told(f"{photos(len(paths))} marked"), ()


def mark_all(state: State) -> Transition:
    """Mark all results, fetching those that are missing first."""
    return with_all_marked(replace(state, marks_all=True))


def with_all_marked(state: State) -> Transition:
    """Mark all results once they have all arrived."""
    results = state.results
    if not results.is_complete and (results.is_list or len(state.hits) < MOST_RESULTS):
        return fetch_more(state.told(f"{photos(len(state.hits))} so far…"), MOST_RESULTS)
    rest = "" if results.is_complete else "; a search has no more results than that"
    told = f"{photos(len(state.hits))} marked{rest}"
    return replace(marked(state, [hit.path for hit in state.hits]), anchor=None, marks_all=False).told(told), ()


def mark_none(state: State) -> Transition:
    """Remove all marks."""
    told = f"{photos(len(state.marks))} no longer marked" if state.marks else ""
    return replace(state, marks=(), anchor=None, marks_all=False).told(told), ()


# -- actions -----------------------------------------------------------------------------------------------------------


def _start(state: State, action: Action) -> Transition:
    """Begin an act unless another is running."""
    if not action.paths:
        return state.told("there's no photo to do that with"), ()
    if state.is_acting:
        return state.told("something else is still going on; Ctrl-C stops it"), ()
    return replace(state, is_acting=True, question=None, focus=Focus.PHOTOS), (action,)


def start_action(name: str) -> Callable[[State], Transition]:
    """Return a key's action that begins an act which asks nothing."""
    return lambda state: _start(state, Action(name, state.selected))


def open_photos(state: State) -> Transition:
    """Open photos in the desktop's viewer, asking first if they are many."""
    paths = state.selected
    if len(paths) <= MOST_OPENED:
        return _start(state, Action("open", paths))
    return _ask(state, Question("open", f"open {photos(len(paths))}, each in a window?", paths, _YES_OR_NO))


def export(state: State) -> Transition:
    """Ask how photos are to be exported."""
    paths = state.selected
    if not paths:
        return state.told("there is no photo to export"), ()
    return _ask(state, Question("export", f"export {photos(len(paths))}:", paths, EXPORTS))


def album(state: State) -> Transition:
    """Ask for the album that photos go into."""
    paths = state.selected
    if not paths:
        return state.told("there is no photo for an album"), ()
    return _ask(state, Question("album", f"add {photos(len(paths))} to the album: ", paths))


_YES_OR_NO = (("y", "yes"), ("n", "no"))


def _ask(state: State, question: Question) -> Transition:
    focus = Focus.CHOICE if question.choices else Focus.QUESTION
    return replace(state, question=question, focus=focus), ()


def drop_question(state: State) -> Transition:
    """Drop the question."""
    return replace(state, question=None, focus=Focus.PHOTOS), ()


def choose(state: State, key: str) -> Transition:
    """Answer a question with one key."""
    question = state.question
    if question is None or key in ("escape", "n", "q"):
        return drop_question(state)
    chosen = dict(question.choices).get(key)
    if chosen is None:
        return state, ()
    if question.action == "export" and not question.way:
        words = "into the zip file: " if chosen == "zip" else "into the folder: "
        asked = f"{chosen} {photos(len(question.paths))} {words}"
        return _ask(state, Question("export", asked, question.paths, way=chosen))
    return _start(state, Action(question.action, question.paths, question.way, question.text))


def submit_answer(state: State, text: str) -> Transition:
    """Take the line that answers a question; moving asks once more."""
    question = state.question
    if question is None or not text.strip():
        return drop_question(state)
    if question.way == "move":
        words = f"move {photos(len(question.paths))} to {text}? they leave their folders"
        return _ask(state, replace(question, words=words, text=text, choices=_YES_OR_NO))
    return _start(state, Action(question.action, question.paths, question.way, text))


# -- refining ----------------------------------------------------------------------------------------------------------


def search_for(state: State, query: str) -> Transition:
    """Put a query into the line and search for it."""
    generation = state.generation + 1
    earlier = (*state.earlier, state.results.query)
    state = replace(state, query=query, generation=generation, is_searching=True, earlier=earlier)
    return state, (SetQuery(query), Search(generation, query, state.first_limit))


def refine_by(change: Callable[..., str]) -> Callable[[State], Transition]:
    """Return a key's action that searches for what `change` makes of the query and a photo."""

    def refine(state: State) -> Transition:
        if state.hit is None:
            return state, ()
        try:
            query = change(state.results.query, state.hit.path, cwd=state.cwd)
        except PhotomapError as error:
            return replace(state, notice=Notice.of(error)), ()
        return search_for(replace(state, mode=Mode.GRID), query)

    return refine


def only_this_month(state: State) -> Transition:
    """Limit the results to one month."""
    if not state.months or not state.months[state.month].name:
        return state, ()
    return search_for(replace(state, mode=Mode.GRID), with_month(state.results.query, state.months[state.month]))


def undo(state: State) -> Transition:
    """Search for the query before the last refinement."""
    if not state.earlier:
        return state.told("there is no refinement to undo"), ()
    state, effects = search_for(replace(state, mode=Mode.GRID), state.earlier[-1])
    return replace(state, earlier=state.earlier[:-2]), effects


def why(state: State) -> Transition:
    """Ask what each part of the query adds to a photo's score."""
    if state.hit is None:
        return state, ()
    if state.results.is_list:
        return state.told("these photos aren't search results; they are listed by date"), ()
    return state.told("…"), (Explain(state.results.query, state.hit.path, len(state.hits)),)


def interrupt(state: State) -> Transition:
    """Stop the running act, drop the question, or leave."""
    if state.is_acting:
        return state.told("stopping…"), (StopAction(),)
    if state.focus in (Focus.QUESTION, Focus.CHOICE):
        return drop_question(state)
    return state, (Leave(is_cancelled=True),)
