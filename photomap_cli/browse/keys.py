"""Owns which key does what, and where: one table that feeds dispatch, the bar and the page of keys.  Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from photomap_cli.browse import refine, steps
from photomap_cli.browse.events import Leave, Redraw, Suspend
from photomap_cli.browse.state import Focus, Mode, Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from photomap_cli.browse.state import State
    from photomap_cli.browse.steps import Step

_GRID, _LOOK, _TIMELINE, _KEYS = (frozenset({mode}) for mode in (Mode.GRID, Mode.LOOK, Mode.TIMELINE, Mode.KEYS))
_PHOTOS = _GRID | _LOOK
_ALL = frozenset(Mode)


@dataclass(frozen=True, slots=True)
class Binding:
    """What keys do.

    Attributes:
        keys: as `Pressed` names them.
        label: what the bar and the page of keys call them.
        words: what they do, in a word or two; empty for keys that need no explanation.
        run: does it.
        modes: where.
    """

    keys: tuple[str, ...]
    label: str
    words: str
    run: Callable[[State], Step]
    modes: frozenset[Mode]


def press(state: State, key: str) -> Step:
    """Handle one key; the previous notice disappears with it."""
    state = replace(state, notice=Notice())
    if key in _EVERYWHERE:
        return _EVERYWHERE[key](state)
    if state.focus is Focus.CHOICE:
        return steps.choose(state, key)
    if state.focus is Focus.QUESTION:
        return steps.put_away(state) if key == "escape" else (state, ())
    if state.focus is Focus.QUERY and key in _IN_THE_QUERY:
        return _IN_THE_QUERY[key](state)
    if state.focus is Focus.QUERY and key not in PAST_THE_QUERY:
        return state, ()
    binding = _BY_KEY.get((state.mode, key))
    return binding.run(state) if binding else (state, ())


NEXT_KEYS = "↓"
"""What turns the page of keys, where there are several."""

BINDINGS = (
    Binding(("enter",), "⏎", "look", steps.look, _GRID),
    Binding(("space",), "␣", "mark", steps.mark, _PHOTOS),
    Binding(("o",), "o", "open", steps.open_photos, _PHOTOS),
    Binding(("m", "M"), "m", "more like this", steps.refined(refine.more_like), _PHOTOS),
    Binding(("e",), "e", "export", steps.export, _PHOTOS),
    Binding(("?",), "?", "keys", steps.show_keys, _PHOTOS | _TIMELINE),
    Binding(("/",), "/", "type a query", steps.to_query, _PHOTOS | _TIMELINE),
    Binding(("t",), "t", "timeline", steps.timeline, _PHOTOS),
    Binding(("i",), "i", "facts", steps.facts, _PHOTOS),
    Binding(("a",), "a", "mark all", steps.mark_all, _PHOTOS),
    Binding(("A",), "A", "mark none", steps.mark_none, _PHOTOS),
    Binding(("v",), "v", "mark a range", steps.begin_range, _PHOTOS),
    Binding(("y",), "y", "copy the paths", steps.act("copy_paths"), _PHOTOS),
    Binding(("Y",), "Y", "copy the picture", steps.act("copy_picture"), _PHOTOS),
    Binding(("b",), "b", "add to an album", steps.album, _PHOTOS),
    Binding(("d",), "d", "download over ssh", steps.act("download"), _PHOTOS),
    Binding(("L",), "L", "less like this", steps.refined(refine.less_like), _GRID),
    Binding(("l", "L"), "l", "less like this", steps.refined(refine.less_like), _LOOK),
    Binding(("u",), "u", "undo the last refinement", steps.undo, _PHOTOS),
    Binding(("w",), "w", "why it was found", steps.why, _PHOTOS),
    Binding(("+", "="), "+", "larger photos", steps.zoomed(1), _GRID),
    Binding(("-",), "-", "smaller photos", steps.zoomed(-1), _GRID),
    Binding(("left", "h"), "←↓↑→ hjkl", "move", steps.moved(lambda state: state.cursor - 1), _GRID),
    Binding(("right", "l"), "", "", steps.moved(lambda state: state.cursor + 1), _GRID),
    Binding(("up", "k"), "", "", steps.up, _GRID),
    Binding(("down", "j"), "", "", steps.down, _GRID),
    Binding(("pageup", "c-b"), "PgUp PgDn", "turn pages", steps.page(-1), _GRID),
    Binding(("pagedown", "c-f"), "", "", steps.page(1), _GRID),
    Binding(("home", "g"), "Home End", "first, last", steps.moved(lambda state: 0), _GRID),
    Binding(("end", "G"), "", "", steps.moved(lambda state: len(state.hits) - 1), _GRID),
    Binding(("enter",), "⏎", "back", steps.enter_look, _LOOK),
    Binding(("left", "up", "k", "pageup"), "← →", "next photo", steps.looked_at(lambda state: state.cursor - 1), _LOOK),
    Binding(("right", "down", "j", "pagedown"), "", "", steps.looked_at(lambda state: state.cursor + 1), _LOOK),
    Binding(("home", "g"), "", "", steps.looked_at(lambda state: 0), _LOOK),
    Binding(("end", "G"), "", "", steps.looked_at(lambda state: len(state.hits) - 1), _LOOK),
    Binding(("enter",), "⏎", "only this month", steps.enter_month, _TIMELINE),
    Binding(("up", "k", "left"), "↑ ↓", "choose", steps.month(-1), _TIMELINE),
    Binding(("down", "j", "right"), "", "", steps.month(1), _TIMELINE),
    Binding(("pageup",), "", "", steps.month(-10), _TIMELINE),
    Binding(("pagedown",), "", "", steps.month(10), _TIMELINE),
    Binding(("home", "g"), "", "", steps.month(-1_000_000), _TIMELINE),
    Binding(("end", "G"), "", "", steps.month(1_000_000), _TIMELINE),
    Binding(("t",), "", "", steps.to_grid, _TIMELINE),
    Binding(("escape", "?", "enter", "space"), "Esc", "back", steps.hide_keys, _KEYS),
    Binding(("down", "right", "pagedown", "j", "l"), NEXT_KEYS, "more keys", steps.keys_turned(1), _KEYS),
    Binding(("up", "left", "pageup", "k", "h"), "", "", steps.keys_turned(-1), _KEYS),
    Binding(("escape",), "Esc", "leave", steps.out, _GRID),
    Binding(("escape",), "Esc", "back", steps.out_of_look, _LOOK),
    Binding(("escape",), "Esc", "back", steps.to_grid, _TIMELINE),
    Binding(("q",), "q", "leave", lambda state: (state, (Leave(),)), _ALL),
)

_BY_KEY = {(mode, key): binding for binding in BINDINGS for mode in binding.modes for key in binding.keys}

_EVERYWHERE: dict[str, Callable[[State], Step]] = {
    "c-c": steps.interrupt,
    "c-l": lambda state: (state, (Redraw(),)),
    "c-z": lambda state: (state, (Suspend(),)),
}
PAST_THE_QUERY = ("down", "pageup", "pagedown")
"""Keys that move through the photos also while a query is being typed."""
_IN_THE_QUERY: dict[str, Callable[[State], Step]] = {
    "escape": steps.out_of_query,
    "tab": lambda state: (replace(state, focus=Focus.PHOTOS), ()),
}
