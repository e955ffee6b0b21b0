"""Owns what keys do to the gallery: from one state to the next, with the effects wanted.  Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from photomap_cli.browse.events import (
    Act,
    CountMonths,
    Explain,
    Leave,
    LookUp,
    Search,
    SetQuery,
    StopAct,
)
from photomap_cli.browse.state import MOST_RESULTS, Focus, Mode, Notice, Question, at, marked, toggled
from photomap_cli.browse.timeline import with_month
from photomap_cli.errors import PhotomapError
from photomap_cli.views.formatting import photos

if TYPE_CHECKING:
    from collections.abc import Callable

    from photomap_cli.browse.events import Effect
    from photomap_cli.browse.state import State

    Step = tuple[State, tuple[Effect, ...]]

MOST_OPENED = 10
"""Photos that are opened without asking; each opens a window."""
_ZOOMS = range(-3, 5)

EXPORTS = (
    ("c", "copy"),
    ("l", "link"),
    ("h", "hard link"),
    ("r", "reflink"),
    ("m", "move"),
    ("z", "zip"),
)
"""Ways of exporting photos, by key."""


# -- moving ------------------------------------------------------------------------------------------------------------


def moved(step: Callable[[State], int]) -> Callable[[State], Step]:
    """Return a key's action that moves the cursor to the photo `step` returns."""

    def move(state: State) -> Step:
        return with_more(at(replace(state, focus=Focus.PHOTOS), step(state)))

    return move


def up(state: State) -> Step:
    """Go up a row; from the first row to the query line."""
    if state.cursor < state.geometry.columns:
        return replace(state, focus=Focus.QUERY), ()
    return moved(lambda state: state.cursor - state.geometry.columns)(state)


def down(state: State) -> Step:
    """Go down a row, to the last photo if the last row is shorter; from the query line into the photos."""
    if state.focus is Focus.QUERY:
        return replace(state, focus=Focus.PHOTOS), ()
    columns, last = state.geometry.columns, len(state.hits) - 1
    if state.cursor // columns == last // columns:
        return state, ()
    return moved(lambda state: state.cursor + columns)(state)


def page(direction: int) -> Callable[[State], Step]:
    """Return a key's action that turns a page, forward (1) or back (-1)."""

    def turn(state: State) -> Step:
        shape = state.geometry
        top = max(0, state.top + direction * shape.rows)
        turned = at(replace(state, focus=Focus.PHOTOS), state.cursor + direction * shape.count)
        last_top = max(0, -(-len(state.hits) // shape.columns) - shape.rows)
        return with_more(replace(turned, top=top) if _is_shown(turned, top) and top <= last_top else turned)

    return turn


def _is_shown(state: State, top: int) -> bool:
    shape = state.geometry
    return top <= state.cursor // shape.columns < top + shape.rows


def with_more(state: State) -> Step:
    """Ask for further results once the cursor nears the end of those fetched."""
    near = state.cursor + 2 * state.geometry.count >= len(state.hits)
    if not near or state.results.is_complete or state.is_paging or state.is_searching:
        return state, ()
    return further(state, state.first_limit if state.results.is_list else min(MOST_RESULTS, 2 * len(state.hits)))


def further(state: State, limit: int) -> Step:
    """Ask for further results: the next page of a list, or a larger number of a search's best."""
    results = state.results
    more = Search(state.generation, results.query, limit, is_more=True, cursor=results.cursor)
    return replace(state, is_paging=True), (more,)


def month(step: int) -> Callable[[State], Step]:
    """Return a key's action that moves the timeline's cursor by `step` months."""

    def move(state: State) -> Step:
        return replace(state, month=min(max(0, state.month + step), max(0, len(state.months) - 1))), ()

    return move


# -- what is shown -----------------------------------------------------------------------------------------------------


def look(state: State) -> Step:
    """Show the photo under the cursor large."""
    if state.hit is None:
        return state, ()
    return replace(state, mode=Mode.LOOK, focus=Focus.PHOTOS), (LookUp(state.hit.path),)


def looking_at(state: State, place: int) -> Step:
    """Look at the photo with this number, or the nearest one."""
    state, effects = with_more(at(state, place))
    return state, (*effects, *((LookUp(state.hit.path),) if state.hit else ()))


def looked_at(step: Callable[[State], int]) -> Callable[[State], Step]:
    """Return a key's action that looks at the photo `step` returns."""
    return lambda state: looking_at(state, step(state))


def enter_look(state: State) -> Step:
    """Go back to the grid; in a pipe, choose the photo and leave."""
    if not state.is_choosing:
        return replace(state, mode=Mode.GRID), ()
    return marked(state, state.acted_on), (Leave(),)


def facts(state: State) -> Step:
    """Show a photo's facts, or hide them."""
    if state.hit is None:
        return state, ()
    has_facts = state.mode is Mode.GRID or not state.has_facts
    return replace(state, mode=Mode.LOOK, focus=Focus.PHOTOS, has_facts=has_facts), (LookUp(state.hit.path),)


def show_keys(state: State) -> Step:
    """Show the page of keys."""
    return replace(state, mode=Mode.KEYS, behind=state.mode, key_page=0), ()


def keys_turned(step: int) -> Callable[[State], Step]:
    """Return a key's action that goes `step` pages of keys on; after the last comes the first."""
    return lambda state: (replace(state, key_page=state.key_page + step), ())


def hide_keys(state: State) -> Step:
    """Go back from the page of keys."""
    return replace(state, mode=state.behind), ()


def to_grid(state: State) -> Step:
    """Show the grid."""
    return replace(state, mode=Mode.GRID), ()


def timeline(state: State) -> Step:
    """Show the months of the results."""
    counted = CountMonths(state.generation, state.results.query)
    return replace(state, mode=Mode.TIMELINE, focus=Focus.PHOTOS, months=(), month=0), (counted,)


def enter_month(state: State) -> Step:
    """Limit the results to one month."""
    if not state.months or not state.months[state.month].name:
        return state, ()
    return searched(replace(state, mode=Mode.GRID), with_month(state.results.query, state.months[state.month]))


def zoomed(step: int) -> Callable[[State], Step]:
    """Return a key's action that makes photos larger (1) or smaller (-1)."""

    def zoom(state: State) -> Step:
        return with_more(at(replace(state, zoom=min(max(state.zoom + step, _ZOOMS[0]), _ZOOMS[-1])), state.cursor))

    return zoom


def to_query(state: State) -> Step:
    """Move the focus to the query line."""
    return replace(state, mode=Mode.GRID, focus=Focus.QUERY), ()


def out(state: State) -> Step:
    """Go back one step; from the grid itself, leave."""
    if state.anchor is not None:
        return replace(state, anchor=None), ()
    return state, (Leave(is_cancelled=True),)


def out_of_query(state: State) -> Step:
    """Move the focus to the photos; in a pipe, leave."""
    return (state, (Leave(is_cancelled=True),)) if state.is_choosing else (replace(state, focus=Focus.PHOTOS), ())


def out_of_look(state: State) -> Step:
    """Drop the range that was begun, or go back to the grid."""
    return (replace(state, anchor=None), ()) if state.anchor is not None else to_grid(state)


# -- marks -------------------------------------------------------------------------------------------------------------


def mark(state: State) -> Step:
    """Toggle the mark of the photo under the cursor; if a range was begun, mark it."""
    if state.anchor is not None:
        return _mark_range(state)
    return (toggled(state, state.hit.path) if state.hit else state), ()


def begin_range(state: State) -> Step:
    """Begin a range at the cursor, or mark the range that was begun."""
    if state.hit is None:
        return state, ()
    if state.anchor is None:
        return replace(state, anchor=state.cursor).told("move to the end of the range; v or space marks it"), ()
    return _mark_range(state)


def _mark_range(state: State) -> Step:
    paths = [state.hits[number].path for number in state.range]
    return replace(marked(state, paths), anchor=None).told(f"{photos(len(paths))} marked"), ()


def mark_all(state: State) -> Step:
    """Mark all results, fetching those that are missing first."""
    return with_all_marked(replace(state, marks_all=True))


def with_all_marked(state: State) -> Step:
    """Mark all results once they have all arrived."""
    results = state.results
    if not results.is_complete and (results.is_list or len(state.hits) < MOST_RESULTS):
        return further(state.told(f"{photos(len(state.hits))} so far…"), MOST_RESULTS)
    rest = "" if results.is_complete else "; a search has no more results than that"
    told = f"{photos(len(state.hits))} marked{rest}"
    return replace(marked(state, [hit.path for hit in state.hits]), anchor=None, marks_all=False).told(told), ()


def mark_none(state: State) -> Step:
    """Remove all marks."""
    told = f"{photos(len(state.marks))} no longer marked" if state.marks else ""
    return replace(state, marks=(), anchor=None, marks_all=False).told(told), ()


# -- acts --------------------------------------------------------------------------------------------------------------


def _acting(state: State, act: Act) -> Step:
    """Begin an act unless another is running."""
    if not act.paths:
        return state.told("there's no photo to do that with"), ()
    if state.is_acting:
        return state.told("something else is still going on; Ctrl-C stops it"), ()
    return replace(state, is_acting=True, question=None, focus=Focus.PHOTOS), (act,)


def act(name: str) -> Callable[[State], Step]:
    """Return a key's action that begins an act which asks nothing."""
    return lambda state: _acting(state, Act(name, state.acted_on))


def open_photos(state: State) -> Step:
    """Open photos in the desktop's viewer, asking first if they are many."""
    paths = state.acted_on
    if len(paths) <= MOST_OPENED:
        return _acting(state, Act("open", paths))
    return _ask(state, Question("open", f"open {photos(len(paths))}, each in a window?", paths, _YES_OR_NO))


def export(state: State) -> Step:
    """Ask how photos are to be exported."""
    paths = state.acted_on
    if not paths:
        return state.told("there is no photo to export"), ()
    return _ask(state, Question("export", f"export {photos(len(paths))}:", paths, EXPORTS))


def album(state: State) -> Step:
    """Ask for the album that photos go into."""
    paths = state.acted_on
    if not paths:
        return state.told("there is no photo for an album"), ()
    return _ask(state, Question("album", f"add {photos(len(paths))} to the album: ", paths))


_YES_OR_NO = (("y", "yes"), ("n", "no"))


def _ask(state: State, question: Question) -> Step:
    focus = Focus.CHOICE if question.choices else Focus.QUESTION
    return replace(state, question=question, focus=focus), ()


def put_away(state: State) -> Step:
    """Drop the question."""
    return replace(state, question=None, focus=Focus.PHOTOS), ()


def choose(state: State, key: str) -> Step:
    """Answer a question with one key."""
    question = state.question
    if question is None or key in ("escape", "n", "q"):
        return put_away(state)
    chosen = dict(question.choices).get(key)
    if chosen is None:
        return state, ()
    if question.act == "export" and not question.way:
        words = "into the zip file: " if chosen == "zip" else "into the folder: "
        asked = f"{chosen} {photos(len(question.paths))} {words}"
        return _ask(state, Question("export", asked, question.paths, way=chosen))
    return _acting(state, Act(question.act, question.paths, question.way, question.text))


def answered(state: State, text: str) -> Step:
    """Take the line that answers a question; moving asks once more."""
    question = state.question
    if question is None or not text.strip():
        return put_away(state)
    if question.way == "move":
        words = f"move {photos(len(question.paths))} to {text}? they leave their folders"
        return _ask(state, replace(question, words=words, text=text, choices=_YES_OR_NO))
    return _acting(state, Act(question.act, question.paths, question.way, text))


# -- refining ----------------------------------------------------------------------------------------------------------


def searched(state: State, query: str) -> Step:
    """Put a query into the line and search for it."""
    generation = state.generation + 1
    earlier = (*state.earlier, state.results.query)
    state = replace(state, query=query, generation=generation, is_searching=True, earlier=earlier)
    return state, (SetQuery(query), Search(generation, query, state.first_limit))


def refined(change: Callable[..., str]) -> Callable[[State], Step]:
    """Return a key's action that searches for what `change` makes of the query and a photo."""

    def refine_by(state: State) -> Step:
        if state.hit is None:
            return state, ()
        try:
            query = change(state.results.query, state.hit.path, cwd=state.cwd)
        except PhotomapError as error:
            return replace(state, notice=Notice.of(error)), ()
        return searched(replace(state, mode=Mode.GRID), query)

    return refine_by


def undo(state: State) -> Step:
    """Search for the query before the last refinement."""
    if not state.earlier:
        return state.told("there is no refinement to undo"), ()
    state, effects = searched(replace(state, mode=Mode.GRID), state.earlier[-1])
    return replace(state, earlier=state.earlier[:-2]), effects


def why(state: State) -> Step:
    """Ask what each part of the query adds to a photo's score."""
    if state.hit is None:
        return state, ()
    if state.results.is_list:
        return state.told("these photos aren't search results; they are listed by date"), ()
    return state.told("…"), (Explain(state.results.query, state.hit.path, len(state.hits)),)


def interrupt(state: State) -> Step:
    """Stop the running act, drop the question, or leave."""
    if state.is_acting:
        return state.told("stopping…"), (StopAct(),)
    if state.focus in (Focus.QUESTION, Focus.CHOICE):
        return put_away(state)
    return state, (Leave(is_cancelled=True),)
