"""Owns which key does what, and where: one table that feeds dispatch, the bar and the page of keys.  Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from photomap_cli.browse import commands, navigation, refine
from photomap_cli.browse.events import Leave, Redraw, Suspend
from photomap_cli.browse.state import Focus, Mode, Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from photomap_cli.browse.state import State, Transition

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
    run: Callable[[State], Transition]
    modes: frozenset[Mode]


def press(state: State, key: str) -> Transition:
    """Handle one key; the previous notice disappears with it."""
    state = replace(state, notice=Notice())
    if key in _EVERYWHERE:
        return _EVERYWHERE[key](state)
    if state.focus is Focus.CHOICE:
        return commands.choose(state, key)
    if state.focus is Focus.QUESTION:
        return commands.drop_question(state) if key == "escape" else (state, ())
    if state.focus is Focus.QUERY and key in _IN_THE_QUERY:
        return _IN_THE_QUERY[key](state)
    if state.focus is Focus.QUERY and key not in PAST_THE_QUERY:
        return state, ()
    binding = _BY_KEY.get((state.mode, key))
    return binding.run(state) if binding else (state, ())


NEXT_KEYS = "↓"
"""The key that turns the page of keys, if there are several."""

BINDINGS = (
    Binding(("enter",), "⏎", "look", navigation.look, _GRID),
    Binding(("space",), "␣", "mark", commands.mark, _PHOTOS),
    Binding(("o",), "o", "open", commands.open_photos, _PHOTOS),
    Binding(("m", "M"), "m", "more like this", commands.refine_by(refine.more_like), _PHOTOS),
    Binding(("e",), "e", "export", commands.export, _PHOTOS),
    Binding(("?",), "?", "keys", navigation.show_keys, _PHOTOS | _TIMELINE),
    Binding(("/",), "/", "type a query", navigation.to_query, _PHOTOS | _TIMELINE),
    Binding(("t",), "t", "timeline", navigation.timeline, _PHOTOS),
    Binding(("i",), "i", "facts", navigation.facts, _PHOTOS),
    Binding(("a",), "a", "mark all", commands.mark_all, _PHOTOS),
    Binding(("A",), "A", "mark none", commands.mark_none, _PHOTOS),
    Binding(("v",), "v", "mark a range", commands.begin_range, _PHOTOS),
    Binding(("y",), "y", "copy the paths", commands.start_action("copy_paths"), _PHOTOS),
    Binding(("Y",), "Y", "copy the picture", commands.start_action("copy_picture"), _PHOTOS),
    Binding(("b",), "b", "add to an album", commands.album, _PHOTOS),
    Binding(("d",), "d", "download over ssh", commands.start_action("download"), _PHOTOS),
    Binding(("L",), "L", "less like this", commands.refine_by(refine.less_like), _GRID),
    Binding(("l", "L"), "l", "less like this", commands.refine_by(refine.less_like), _LOOK),
    Binding(("u",), "u", "undo the last refinement", commands.undo, _PHOTOS),
    Binding(("w",), "w", "why it was found", commands.why, _PHOTOS),
    Binding(("+", "="), "+", "larger photos", navigation.zoom_by(1), _GRID),
    Binding(("-",), "-", "smaller photos", navigation.zoom_by(-1), _GRID),
    Binding(("left", "h"), "←↓↑→ hjkl", "move", navigation.move_to(lambda state: state.cursor - 1), _GRID),
    Binding(("right", "l"), "", "", navigation.move_to(lambda state: state.cursor + 1), _GRID),
    Binding(("up", "k"), "", "", navigation.up, _GRID),
    Binding(("down", "j"), "", "", navigation.down, _GRID),
    Binding(("pageup", "c-b"), "PgUp PgDn", "turn pages", navigation.turn_page(-1), _GRID),
    Binding(("pagedown", "c-f"), "", "", navigation.turn_page(1), _GRID),
    Binding(("home", "g"), "Home End", "first, last", navigation.move_to(lambda state: 0), _GRID),
    Binding(("end", "G"), "", "", navigation.move_to(lambda state: len(state.hits) - 1), _GRID),
    Binding(("enter",), "⏎", "back", navigation.accept_photo, _LOOK),
    Binding(("left", "up", "k", "pageup"), "← →", "next photo", navigation.show(lambda state: state.cursor - 1), _LOOK),
    Binding(("right", "down", "j", "pagedown"), "", "", navigation.show(lambda state: state.cursor + 1), _LOOK),
    Binding(("home", "g"), "", "", navigation.show(lambda state: 0), _LOOK),
    Binding(("end", "G"), "", "", navigation.show(lambda state: len(state.hits) - 1), _LOOK),
    Binding(("enter",), "⏎", "only this month", commands.only_this_month, _TIMELINE),
    Binding(("up", "k", "left"), "↑ ↓", "choose", navigation.move_month(-1), _TIMELINE),
    Binding(("down", "j", "right"), "", "", navigation.move_month(1), _TIMELINE),
    Binding(("pageup",), "", "", navigation.move_month(-10), _TIMELINE),
    Binding(("pagedown",), "", "", navigation.move_month(10), _TIMELINE),
    Binding(("home", "g"), "", "", navigation.move_month(-1_000_000), _TIMELINE),
    Binding(("end", "G"), "", "", navigation.move_month(1_000_000), _TIMELINE),
    Binding(("t",), "", "", navigation.to_grid, _TIMELINE),
    Binding(("escape", "?", "enter", "space"), "Esc", "back", navigation.hide_keys, _KEYS),
    Binding(("down", "right", "pagedown", "j", "l"), NEXT_KEYS, "more keys", navigation.turn_key_page(1), _KEYS),
    Binding(("up", "left", "pageup", "k", "h"), "", "", navigation.turn_key_page(-1), _KEYS),
    Binding(("escape",), "Esc", "leave", navigation.go_back, _GRID),
    Binding(("escape",), "Esc", "back", navigation.leave_look, _LOOK),
    Binding(("escape",), "Esc", "back", navigation.to_grid, _TIMELINE),
    Binding(("q",), "q", "leave", lambda state: (state, (Leave(),)), _ALL),
)

_BY_KEY = {(mode, key): binding for binding in BINDINGS for mode in binding.modes for key in binding.keys}

_EVERYWHERE: dict[str, Callable[[State], Transition]] = {
    "c-c": commands.interrupt,
    "c-l": lambda state: (state, (Redraw(),)),
    "c-z": lambda state: (state, (Suspend(),)),
}
PAST_THE_QUERY = ("down", "pageup", "pagedown")
"""Keys that move through the photos also while a query is being typed."""
_IN_THE_QUERY: dict[str, Callable[[State], Transition]] = {
    "escape": navigation.leave_query,
    "tab": lambda state: (replace(state, focus=Focus.PHOTOS), ()),
}
