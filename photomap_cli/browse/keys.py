"""Owns what each key does: one table that feeds dispatch, the bar and the page of keys.  Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from photomap_cli.browse import refine
from photomap_cli.browse.events import (
    Act,
    CountMonths,
    Explain,
    Leave,
    LookUp,
    Redraw,
    Search,
    SetQuery,
    StopAct,
    Suspend,
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
"""Photos that are opened without asking: each is a window."""
_ZOOMS = range(-3, 5)
_GRID, _LOOK, _TIMELINE, _KEYS = (frozenset({mode}) for mode in (Mode.GRID, Mode.LOOK, Mode.TIMELINE, Mode.KEYS))
_PHOTOS = _GRID | _LOOK
_ALL = frozenset(Mode)

EXPORTS = (
    ("c", "copy"),
    ("l", "link"),
    ("h", "hard link"),
    ("r", "reflink"),
    ("m", "move"),
    ("z", "zip"),
)
"""Ways of taking photos somewhere, by key."""


@dataclass(frozen=True, slots=True)
class Binding:
    """What keys do.

    Attributes:
        keys: as `Pressed` names them.
        label: what the bar and the page of keys call them.
        words: what they do, in a word or two; nothing for keys that need no telling.
        run: does it.
        modes: where.
    """

    keys: tuple[str, ...]
    label: str
    words: str
    run: Callable[[State], Step]
    modes: frozenset[Mode]


def press(state: State, key: str) -> Step:
    """Answer one key; what was told before goes with it."""
    state = replace(state, notice=Notice())
    if key in _EVERYWHERE:
        return _EVERYWHERE[key](state)
    if state.focus is Focus.CHOICE:
        return _choose(state, key)
    if state.focus is Focus.QUESTION:
        return _put_away(state) if key == "escape" else (state, ())
    if state.focus is Focus.QUERY and key in _IN_THE_QUERY:
        return _IN_THE_QUERY[key](state)
    if state.focus is Focus.QUERY and key not in PAST_THE_QUERY:
        return state, ()
    binding = _BY_KEY.get((state.mode, key))
    return binding.run(state) if binding else (state, ())


# -- moving ------------------------------------------------------------------------------------------------------------


def _moved(step: Callable[[State], int]) -> Callable[[State], Step]:
    """Return what moves the cursor to the photo that `step` names."""

    def move(state: State) -> Step:
        return with_more(at(replace(state, focus=Focus.PHOTOS), step(state)))

    return move


def _up(state: State) -> Step:
    if state.cursor < state.geometry.columns:
        return replace(state, focus=Focus.QUERY), ()
    return _moved(lambda state: state.cursor - state.geometry.columns)(state)


def _down(state: State) -> Step:
    """Go a row down: to the last photo where the last row is shorter; from the query line into the photos."""
    if state.focus is Focus.QUERY:
        return replace(state, focus=Focus.PHOTOS), ()
    columns, last = state.geometry.columns, len(state.hits) - 1
    if state.cursor // columns == last // columns:
        return state, ()
    return _moved(lambda state: state.cursor + columns)(state)


def _page(direction: int) -> Callable[[State], Step]:
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
    """Ask for further results once the end of those that were fetched comes near."""
    near = state.cursor + 2 * state.geometry.count >= len(state.hits)
    if not near or state.results.is_complete or state.is_paging or state.is_searching:
        return state, ()
    return further(state, state.first_limit if state.results.is_list else min(MOST_RESULTS, 2 * len(state.hits)))


def further(state: State, limit: int) -> Step:
    """Ask for further results: of a list the next ones, of a search more in all."""
    results = state.results
    more = Search(state.generation, results.query, limit, is_more=True, cursor=results.cursor)
    return replace(state, is_paging=True), (more,)


def _month(step: int) -> Callable[[State], Step]:
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
    """Look at the photo with this number, or the nearest there is."""
    state, effects = with_more(at(state, place))
    return state, (*effects, *((LookUp(state.hit.path),) if state.hit else ()))


def _looked_at(step: Callable[[State], int]) -> Callable[[State], Step]:
    return lambda state: looking_at(state, step(state))


def _enter_look(state: State) -> Step:
    """Go back to the grid; where something is to be chosen, that is the choice."""
    if not state.is_choosing:
        return replace(state, mode=Mode.GRID), ()
    return marked(state, state.acted_on), (Leave(),)


def _facts(state: State) -> Step:
    if state.hit is None:
        return state, ()
    has_facts = state.mode is Mode.GRID or not state.has_facts
    return replace(state, mode=Mode.LOOK, focus=Focus.PHOTOS, has_facts=has_facts), (LookUp(state.hit.path),)


def _keys(state: State) -> Step:
    return replace(state, mode=Mode.KEYS, behind=state.mode), ()


def _no_keys(state: State) -> Step:
    return replace(state, mode=state.behind), ()


def _grid(state: State) -> Step:
    return replace(state, mode=Mode.GRID), ()


def _timeline(state: State) -> Step:
    counted = CountMonths(state.generation, state.results.query)
    return replace(state, mode=Mode.TIMELINE, focus=Focus.PHOTOS, months=(), month=0), (counted,)


def _enter_month(state: State) -> Step:
    if not state.months or not state.months[state.month].name:
        return state, ()
    return searched(replace(state, mode=Mode.GRID), with_month(state.results.query, state.months[state.month]))


def _zoom(step: int) -> Callable[[State], Step]:
    def zoom(state: State) -> Step:
        return with_more(at(replace(state, zoom=min(max(state.zoom + step, _ZOOMS[0]), _ZOOMS[-1])), state.cursor))

    return zoom


def _query(state: State) -> Step:
    return replace(state, mode=Mode.GRID, focus=Focus.QUERY), ()


def _out(state: State) -> Step:
    """Go one layer out; from the outermost one, leave."""
    if state.anchor is not None:
        return replace(state, anchor=None), ()
    return state, (Leave(is_cancelled=True),)


def _out_of_query(state: State) -> Step:
    return (state, (Leave(is_cancelled=True),)) if state.is_choosing else (replace(state, focus=Focus.PHOTOS), ())


def _out_of_look(state: State) -> Step:
    return (replace(state, anchor=None), ()) if state.anchor is not None else _grid(state)


# -- marks -------------------------------------------------------------------------------------------------------------


def _mark(state: State) -> Step:
    if state.anchor is not None:
        return _mark_range(state)
    return (toggled(state, state.hit.path) if state.hit else state), ()


def _range(state: State) -> Step:
    """Begin a range at the cursor, or mark the one that was begun."""
    if state.hit is None:
        return state, ()
    if state.anchor is None:
        return replace(state, anchor=state.cursor).told("move to the end of the range; v or space marks it"), ()
    return _mark_range(state)


def _mark_range(state: State) -> Step:
    paths = [state.hits[number].path for number in state.range]
    return replace(marked(state, paths), anchor=None).told(f"{photos(len(paths))} marked"), ()


def _mark_all(state: State) -> Step:
    """Mark all results; those that were not fetched yet are fetched first."""
    return with_all_marked(replace(state, marks_all=True))


def with_all_marked(state: State) -> Step:
    """Mark all results, once they are all there."""
    results = state.results
    if not results.is_complete and (results.is_list or len(state.hits) < MOST_RESULTS):
        return further(state.told(f"{photos(len(state.hits))} so far…"), MOST_RESULTS)
    rest = "" if results.is_complete else "; a search has no more results than that"
    told = f"{photos(len(state.hits))} marked{rest}"
    return replace(marked(state, [hit.path for hit in state.hits]), anchor=None, marks_all=False).told(told), ()


def _mark_none(state: State) -> Step:
    told = f"{photos(len(state.marks))} no longer marked" if state.marks else ""
    return replace(state, marks=(), anchor=None, marks_all=False).told(told), ()


# -- acts --------------------------------------------------------------------------------------------------------------


def _acting(state: State, act: Act) -> Step:
    """Begin an act, one at a time."""
    if not act.paths:
        return state.told("there's no photo to do that with"), ()
    if state.is_acting:
        return state.told("something else is still going on; Ctrl-C stops it"), ()
    return replace(state, is_acting=True, question=None, focus=Focus.PHOTOS), (act,)


def _act(name: str) -> Callable[[State], Step]:
    return lambda state: _acting(state, Act(name, state.acted_on))


def _open(state: State) -> Step:
    paths = state.acted_on
    if len(paths) <= MOST_OPENED:
        return _acting(state, Act("open", paths))
    return _ask(state, Question("open", f"open {photos(len(paths))}, each in a window?", paths, _YES_OR_NO))


def _export(state: State) -> Step:
    paths = state.acted_on
    if not paths:
        return state.told("there is no photo to export"), ()
    return _ask(state, Question("export", f"export {photos(len(paths))}:", paths, EXPORTS))


def _album(state: State) -> Step:
    paths = state.acted_on
    if not paths:
        return state.told("there is no photo for an album"), ()
    return _ask(state, Question("album", f"add {photos(len(paths))} to the album: ", paths))


_YES_OR_NO = (("y", "yes"), ("n", "no"))


def _ask(state: State, question: Question) -> Step:
    focus = Focus.CHOICE if question.choices else Focus.QUESTION
    return replace(state, question=question, focus=focus), ()


def _put_away(state: State) -> Step:
    return replace(state, question=None, focus=Focus.PHOTOS), ()


def _choose(state: State, key: str) -> Step:
    """Answer a question by one key."""
    question = state.question
    if question is None or key in ("escape", "n", "q"):
        return _put_away(state)
    chosen = dict(question.choices).get(key)
    if chosen is None:
        return state, ()
    if question.act == "export" and not question.way:
        words = "into the zip file: " if chosen == "zip" else "into the folder: "
        asked = f"{chosen} {photos(len(question.paths))} {words}"
        return _ask(state, Question("export", asked, question.paths, way=chosen))
    return _acting(state, Act(question.act, question.paths, question.way, question.text))


def answered(state: State, text: str) -> Step:
    """Take the line that answers a question; a move is asked about once more."""
    question = state.question
    if question is None or not text.strip():
        return _put_away(state)
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


def _refined(change: Callable[..., str]) -> Callable[[State], Step]:
    def refine_by(state: State) -> Step:
        if state.hit is None:
            return state, ()
        try:
            query = change(state.results.query, state.hit.path, cwd=state.cwd)
        except PhotomapError as error:
            return replace(state, notice=Notice.of(error)), ()
        return searched(replace(state, mode=Mode.GRID), query)

    return refine_by


def _undo(state: State) -> Step:
    if not state.earlier:
        return state.told("the query has not been refined"), ()
    state, effects = searched(replace(state, mode=Mode.GRID), state.earlier[-1])
    return replace(state, earlier=state.earlier[:-2]), effects


def _why(state: State) -> Step:
    if state.hit is None:
        return state, ()
    if state.results.is_list:
        return state.told("these photos aren't search results; they are listed by date"), ()
    return state.told("…"), (Explain(state.results.query, state.hit.path, len(state.hits)),)


def _interrupt(state: State) -> Step:
    if state.is_acting:
        return state.told("stopping…"), (StopAct(),)
    if state.focus in (Focus.QUESTION, Focus.CHOICE):
        return _put_away(state)
    return state, (Leave(is_cancelled=True),)


# -- the table ---------------------------------------------------------------------------------------------------------

BINDINGS = (
    Binding(("enter",), "⏎", "look", look, _GRID),
    Binding(("space",), "␣", "mark", _mark, _PHOTOS),
    Binding(("o",), "o", "open", _open, _PHOTOS),
    Binding(("m", "M"), "m", "more like this", _refined(refine.more_like), _PHOTOS),
    Binding(("e",), "e", "export", _export, _PHOTOS),
    Binding(("?",), "?", "keys", _keys, _PHOTOS | _TIMELINE),
    Binding(("/",), "/", "type a query", _query, _PHOTOS | _TIMELINE),
    Binding(("t",), "t", "timeline", _timeline, _PHOTOS),
    Binding(("i",), "i", "facts", _facts, _PHOTOS),
    Binding(("a",), "a", "mark all", _mark_all, _PHOTOS),
    Binding(("A",), "A", "mark none", _mark_none, _PHOTOS),
    Binding(("v",), "v", "mark a range", _range, _PHOTOS),
    Binding(("y",), "y", "copy the paths", _act("copy_paths"), _PHOTOS),
    Binding(("Y",), "Y", "copy the picture", _act("copy_picture"), _PHOTOS),
    Binding(("b",), "b", "add to an album", _album, _PHOTOS),
    Binding(("d",), "d", "download over ssh", _act("download"), _PHOTOS),
    Binding(("L",), "L", "less like this", _refined(refine.less_like), _GRID),
    Binding(("l", "L"), "l", "less like this", _refined(refine.less_like), _LOOK),
    Binding(("u",), "u", "undo the last refinement", _undo, _PHOTOS),
    Binding(("w",), "w", "why it was found", _why, _PHOTOS),
    Binding(("+", "="), "+", "larger photos", _zoom(1), _GRID),
    Binding(("-",), "-", "smaller photos", _zoom(-1), _GRID),
    Binding(("left", "h"), "←↓↑→ hjkl", "move", _moved(lambda state: state.cursor - 1), _GRID),
    Binding(("right", "l"), "", "", _moved(lambda state: state.cursor + 1), _GRID),
    Binding(("up", "k"), "", "", _up, _GRID),
    Binding(("down", "j"), "", "", _down, _GRID),
    Binding(("pageup", "c-b"), "PgUp PgDn", "turn pages", _page(-1), _GRID),
    Binding(("pagedown", "c-f"), "", "", _page(1), _GRID),
    Binding(("home", "g"), "Home End", "first, last", _moved(lambda state: 0), _GRID),
    Binding(("end", "G"), "", "", _moved(lambda state: len(state.hits) - 1), _GRID),
    Binding(("enter",), "⏎", "back", _enter_look, _LOOK),
    Binding(("left", "up", "k", "pageup"), "← →", "next photo", _looked_at(lambda state: state.cursor - 1), _LOOK),
    Binding(("right", "down", "j", "pagedown"), "", "", _looked_at(lambda state: state.cursor + 1), _LOOK),
    Binding(("home", "g"), "", "", _looked_at(lambda state: 0), _LOOK),
    Binding(("end", "G"), "", "", _looked_at(lambda state: len(state.hits) - 1), _LOOK),
    Binding(("enter",), "⏎", "only this month", _enter_month, _TIMELINE),
    Binding(("up", "k", "left"), "↑ ↓", "choose", _month(-1), _TIMELINE),
    Binding(("down", "j", "right"), "", "", _month(1), _TIMELINE),
    Binding(("pageup",), "", "", _month(-10), _TIMELINE),
    Binding(("pagedown",), "", "", _month(10), _TIMELINE),
    Binding(("home", "g"), "", "", _month(-1_000_000), _TIMELINE),
    Binding(("end", "G"), "", "", _month(1_000_000), _TIMELINE),
    Binding(("t",), "", "", _grid, _TIMELINE),
    Binding(("escape", "?", "enter", "space"), "Esc", "back", _no_keys, _KEYS),
    Binding(("escape",), "Esc", "leave", _out, _GRID),
    Binding(("escape",), "Esc", "back", _out_of_look, _LOOK),
    Binding(("escape",), "Esc", "back", _grid, _TIMELINE),
    Binding(("q",), "q", "leave", lambda state: (state, (Leave(),)), _ALL),
)

_BY_KEY = {(mode, key): binding for binding in BINDINGS for mode in binding.modes for key in binding.keys}

_EVERYWHERE: dict[str, Callable[[State], Step]] = {
    "c-c": _interrupt,
    "c-l": lambda state: (state, (Redraw(),)),
    "c-z": lambda state: (state, (Suspend(),)),
}
PAST_THE_QUERY = ("down", "pageup", "pagedown")
"""Keys that move through the photos also while a query is being typed."""
_IN_THE_QUERY: dict[str, Callable[[State], Step]] = {
    "escape": _out_of_query,
    "tab": lambda state: (replace(state, focus=Focus.PHOTOS), ()),
}
