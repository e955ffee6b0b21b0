"""Owns the gallery's update function: a state and an event in, a state and effects out.  Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from photomap_cli.browse import commands, events, keys, navigation, refine
from photomap_cli.browse.grid import HEADER_ROWS, look_layout
from photomap_cli.browse.state import Focus, Mode, Notice, Results, at
from photomap_cli.errors import BadImage, BadPath, BadQuery

if TYPE_CHECKING:
    from photomap_cli.browse.state import State, Transition

_UNFINISHED = (BadQuery, BadImage, BadPath)
"""Errors of an unfinished query, which aren't shown while it is being typed."""


def update(state: State, event: events.Event) -> Transition:
    """Return the next state and the effects to carry out."""
    match event:
        case events.Pressed():
            return keys.press(state, event.key)
        case events.AnswerGiven():
            return commands.submit_answer(state, event.text)
        case events.Typed() | events.Submitted() | events.Paused():
            return _queried(state, event)
        case events.Clicked():
            return _clicked(state, event)
        case events.Wheeled():
            return _wheeled(state, event.step)
        case events.Resized():
            return navigation.with_more(at(replace(state, size=event.size), state.cursor))
        case events.Found():
            return _found(state, event) if event.search.generation == state.generation else (state, ())
        case events.Failed():
            return _failed(state, event) if event.search.generation == state.generation else (state, ())
        case events.Counted():
            is_wanted = event.generation == state.generation and state.mode is Mode.TIMELINE
            return (replace(state, months=event.months, month=0) if is_wanted else state), ()
        case events.Told():
            done = replace(state, is_acting=state.is_acting and not event.is_done)
            return done.told(event.text, is_error=event.is_error), ()
        case events.Relocated():
            return _relocated(state, dict(event.paths)), ()
        case events.Known():
            return replace(state, details=event.details), ()
        case events.Explained():
            return _explained(state, event), ()


# -- the query ---------------------------------------------------------------------------------------------------------


def _queried(state: State, event: events.Typed | events.Submitted | events.Paused) -> Transition:
    match event:
        case events.Typed(text) if text == state.query:
            return state, ()
        case events.Typed(text):
            generation = state.generation + 1
            typed = replace(state, query=text, generation=generation, earlier=(), is_paging=False, marks_all=False)
            if (
                "#" not in state.query
            ):  # `#N` stays the photo that had the number when typing began, though results change
                typed = replace(typed, references=tuple(hit.path for hit in state.hits))
            return replace(typed, notice=Notice()), (events.WaitForPause(generation),)
        case events.Submitted(text):
            return _search(replace(state, query=text, notice=Notice(), focus=Focus.PHOTOS))
        case events.Paused(generation):
            return _search(state, is_draft=True) if generation == state.generation else (state, ())


def _search(state: State, *, is_draft: bool = False) -> Transition:
    """Search for what is in the query line."""
    generation = state.generation + (not is_draft)
    query = refine.lasting(state.query.strip(), state.references, cwd=state.cwd)
    state = replace(state, generation=generation, is_searching=True, is_paging=False, marks_all=False)
    search = events.Search(generation, query, state.first_limit, is_draft=is_draft)
    return state, (search,) if is_draft or not query else (events.Remember(state.query), search)


def _found(state: State, event: events.Found) -> Transition:
    """Take an answer; for the same query the cursor stays on its photo."""
    search, under = event.search, state.hit.path if state.hit else ""
    is_same = search.is_more or search.query == state.results.query
    hits = (*state.hits, *event.hits) if search.cursor else event.hits
    results = Results(search.query, hits, event.is_list, event.cursor, event.is_complete, search.generation)
    anchor = state.anchor if search.is_more else None
    state = replace(state, results=results, is_searching=False, is_paging=False, anchor=anchor)
    if event.notices and not search.is_more:
        state = state.told(event.notices[0])
    if state.marks_all:
        return commands.with_all_marked(at(state, state.cursor))
    place = next((number for number, hit in enumerate(hits) if hit.path == under), 0) if is_same else 0
    return navigation.with_more(at(replace(state, top=state.top if is_same else 0), place))


def _failed(state: State, event: events.Failed) -> Transition:
    """Report an error; the last good results stay, and a query that is still being typed may be anything.

    An error that keeps even the first photos from being shown isn't the query's: the gallery ends.
    """
    state = replace(state, is_searching=False, is_paging=False, marks_all=False)
    is_of_query = isinstance(event.error, _UNFINISHED)
    if event.search.is_draft and is_of_query:
        return state, ()
    if not state.results.generation and not is_of_query:
        return state, (events.Leave(error=event.error),)
    is_placed = event.error.position is not None and state.focus is Focus.PHOTOS
    return replace(state, notice=Notice.of(event.error), focus=Focus.QUERY if is_placed else state.focus), ()


# -- the mouse ---------------------------------------------------------------------------------------------------------


def _clicked(state: State, event: events.Clicked) -> Transition:
    if state.focus in (Focus.QUESTION, Focus.CHOICE):
        return state, ()
    if event.y == 0 and state.mode is Mode.GRID:
        return replace(state, focus=Focus.QUERY), ()
    if event.y < HEADER_ROWS or event.y >= HEADER_ROWS + state.size.body_rows:
        return state, ()
    match state.mode:
        case Mode.GRID:
            return _clicked_in_grid(state, event)
        case Mode.LOOK:
            return _clicked_in_look(state, event)
        case Mode.TIMELINE:
            return _clicked_in_timeline(state, event)
        case Mode.KEYS:
            return keys.press(state, "escape")


def _clicked_in_grid(state: State, event: events.Clicked) -> Transition:
    place = state.geometry.place_at(event.x, event.y)
    visible = state.visible
    if place is None or place >= len(visible):
        return replace(state, focus=Focus.PHOTOS), ()
    chosen = at(replace(state, focus=Focus.PHOTOS, notice=Notice()), visible[place])
    return navigation.look(chosen) if event.is_double else (chosen, ())


def _clicked_in_look(state: State, event: events.Clicked) -> Transition:
    strip = look_layout(state.size, state.cell, has_facts=state.has_facts).strip
    for number, box in enumerate(strip):
        if box.x <= event.x < box.x + box.columns and box.y <= event.y < box.y + box.rows:
            return navigation.show_photo(state, state.cursor + number - len(strip) // 2)
    return (replace(state, mode=Mode.GRID), ()) if event.is_double else (state, ())


def _clicked_in_timeline(state: State, event: events.Clicked) -> Transition:
    month = first_month(state) + event.y - HEADER_ROWS
    if not 0 <= month < len(state.months):
        return state, ()
    chosen = replace(state, month=month)
    return keys.press(chosen, "enter") if event.is_double else (chosen, ())


def first_month(state: State) -> int:
    """Return the number of the first month shown, so that the one under the cursor is visible."""
    rows = state.size.body_rows
    return min(max(0, state.month - rows // 2), max(0, len(state.months) - rows))


def _wheeled(state: State, step: int) -> Transition:
    if state.focus in (Focus.QUESTION, Focus.CHOICE) or state.mode is Mode.KEYS:
        return state, ()
    if state.mode is Mode.TIMELINE:
        return keys.press(state, "down" if step > 0 else "up")
    if state.mode is Mode.LOOK:
        return navigation.show_photo(state, state.cursor + step)
    shape = state.geometry
    last_top = max(0, -(-len(state.hits) // shape.columns) - shape.rows)
    top = min(max(0, state.top + step), last_top)
    least, most = top * shape.columns, (top + shape.rows) * shape.columns - 1
    return navigation.with_more(at(replace(state, top=top), min(max(state.cursor, least), most)))


# -- outcomes of actions -----------------------------------------------------------------------------------------------


def _relocated(state: State, paths: dict[str, str]) -> State:
    """Follow moved photos to their new paths; drop those that left the library."""
    hits = tuple(
        replace(hit, path=paths.get(hit.path, hit.path)) for hit in state.hits if paths.get(hit.path, hit.path)
    )
    marks = tuple(paths.get(path, path) for path in state.marks if paths.get(path, path))
    state = replace(state, results=replace(state.results, hits=hits), marks=marks, anchor=None)
    return at(state, state.cursor)


def _explained(state: State, event: events.Explained) -> State:
    state = replace(state, explained=event.path, terms=event.terms)
    if state.hit is None or state.hit.path != event.path:
        return state
    parts = " · ".join(f"{term.term} {term.part:+.3f}" for term in event.terms)
    return state.told(f"{event.score:.3f} = {parts}" if parts else "it is no longer found")
