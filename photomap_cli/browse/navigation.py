"""Owns moving around the gallery: the cursor, pages, the large photo, the timeline, the page of keys.  Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from photomap_cli.browse.events import CountMonths, Leave, LookUp, Search
from photomap_cli.browse.state import MOST_RESULTS, Focus, Mode, at, marked

if TYPE_CHECKING:
    from collections.abc import Callable

    from photomap_cli.browse.state import State, Transition

_ZOOMS = range(-3, 5)


# -- moving ------------------------------------------------------------------------------------------------------------


def move_to(step: Callable[[State], int]) -> Callable[[State], Transition]:
    """Return a key's action that moves the cursor to the photo `step` returns."""

    def move(state: State) -> Transition:
        return with_more(at(replace(state, focus=Focus.PHOTOS), step(state)))

    return move


def up(state: State) -> Transition:
    """Go up a row; from the first row to the query line."""
    if state.cursor < state.geometry.columns:
        return replace(state, focus=Focus.QUERY), ()
    return move_to(lambda state: state.cursor - state.geometry.columns)(state)


def down(state: State) -> Transition:
    """Go down a row, to the last photo if the last row is shorter; from the query line into the photos."""
    if state.focus is Focus.QUERY:
        return replace(state, focus=Focus.PHOTOS), ()
    columns, last = state.geometry.columns, len(state.hits) - 1
    if state.cursor // columns == last // columns:
        return state, ()
    return move_to(lambda state: state.cursor + columns)(state)


def turn_page(direction: int) -> Callable[[State], Transition]:
    """Return a key's action that turns a page, forward (1) or back (-1)."""

    def turn(state: State) -> Transition:
        shape = state.geometry
        top = max(0, state.top + direction * shape.rows)
        turned = at(replace(state, focus=Focus.PHOTOS), state.cursor + direction * shape.count)
        last_top = max(0, -(-len(state.hits) // shape.columns) - shape.rows)
        return with_more(replace(turned, top=top) if _is_shown(turned, top) and top <= last_top else turned)

    return turn


def _is_shown(state: State, top: int) -> bool:
    shape = state.geometry
    return top <= state.cursor // shape.columns < top + shape.rows


def with_more(state: State) -> Transition:
    """Ask for further results once the cursor nears the end of those fetched."""
    near = state.cursor + 2 * state.geometry.count >= len(state.hits)
    if not near or state.results.is_complete or state.is_paging or state.is_searching:
        return state, ()
    return fetch_more(state, state.first_limit if state.results.is_list else min(MOST_RESULTS, 2 * len(state.hits)))


def fetch_more(state: State, limit: int) -> Transition:
    """Ask for further results: the next page of a list, or a larger number of a search's best."""
    results = state.results
    more = Search(state.generation, results.query, limit, is_more=True, cursor=results.cursor)
    return replace(state, is_paging=True), (more,)


def move_month(step: int) -> Callable[[State], Transition]:
    """Return a key's action that moves the timeline's cursor by `step` months."""

    def move(state: State) -> Transition:
        return replace(state, month=min(max(0, state.month + step), max(0, len(state.months) - 1))), ()

    return move


# -- what is shown -----------------------------------------------------------------------------------------------------


def look(state: State) -> Transition:
    """Show the photo under the cursor large."""
    if state.hit is None:
        return state, ()
    return replace(state, mode=Mode.LOOK, focus=Focus.PHOTOS), (LookUp(state.hit.path),)


def show_photo(state: State, place: int) -> Transition:
    """Look at the photo with this number, or the nearest one."""
    state, effects = with_more(at(state, place))
    return state, (*effects, *((LookUp(state.hit.path),) if state.hit else ()))


def show(step: Callable[[State], int]) -> Callable[[State], Transition]:
    """Return a key's action that looks at the photo `step` returns."""
    return lambda state: show_photo(state, step(state))


def accept_photo(state: State) -> Transition:
    """Go back to the grid; in a pipe, choose the photo and leave."""
    if not state.is_choosing:
        return replace(state, mode=Mode.GRID), ()
    return marked(state, state.selected), (Leave(),)


def facts(state: State) -> Transition:
    """Show a photo's facts, or hide them."""
    if state.hit is None:
        return state, ()
    has_facts = state.mode is Mode.GRID or not state.has_facts
    return replace(state, mode=Mode.LOOK, focus=Focus.PHOTOS, has_facts=has_facts), (LookUp(state.hit.path),)


def show_keys(state: State) -> Transition:
    """Show the page of keys."""
    return replace(state, mode=Mode.KEYS, behind=state.mode, key_page=0), ()


def turn_key_page(step: int) -> Callable[[State], Transition]:
    """Return a key's action that goes `step` pages of keys on; after the last comes the first."""
    return lambda state: (replace(state, key_page=state.key_page + step), ())


def hide_keys(state: State) -> Transition:
    """Go back from the page of keys."""
    return replace(state, mode=state.behind), ()


def to_grid(state: State) -> Transition:
    """Show the grid."""
    return replace(state, mode=Mode.GRID), ()


def timeline(state: State) -> Transition:
    """Show the months of the results."""
    counted = CountMonths(state.generation, state.results.query)
    return replace(state, mode=Mode.TIMELINE, focus=Focus.PHOTOS, months=(), month=0), (counted,)


def zoom_by(step: int) -> Callable[[State], Transition]:
    """Return a key's action that makes photos larger (1) or smaller (-1)."""

    def zoom(state: State) -> Transition:
        return with_more(at(replace(state, zoom=min(max(state.zoom + step, _ZOOMS[0]), _ZOOMS[-1])), state.cursor))

    return zoom


def to_query(state: State) -> Transition:
    """Move the focus to the query line."""
    return replace(state, mode=Mode.GRID, focus=Focus.QUERY), ()


def go_back(state: State) -> Transition:
    """Go back one step; from the grid itself, leave."""
    if state.anchor is not None:
        return replace(state, anchor=None), ()
    return state, (Leave(is_cancelled=True),)


def leave_query(state: State) -> Transition:
    """Move the focus to the photos; in a pipe, leave."""
    return (state, (Leave(is_cancelled=True),)) if state.is_choosing else (replace(state, focus=Focus.PHOTOS), ())


def leave_look(state: State) -> Transition:
    """Drop the range that was begun, or go back to the grid."""
    return (replace(state, anchor=None), ()) if state.anchor is not None else to_grid(state)
