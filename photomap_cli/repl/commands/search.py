"""Owns the commands about searches: how many results, where, in which order, collapsed or not, drawn how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from photomap_cli.errors import UsageError
from photomap_cli.repl.commands import arguments
from photomap_cli.repl.state import MAX_LIMIT
from photomap_cli.views.output import printable

if TYPE_CHECKING:
    from photomap_cli.repl.state import SearchState

SWITCH = ("on", "off")
ORDERS = {"score": "best first", "date": "newest first"}
PREVIEWS = ("on", "off", "auto", "kitty", "iterm2", "sixel", "octants", "sextants", "quadrants", "blocks")


def limit(state: SearchState, rest: str) -> None:
    """Set the number of results per search, or print it."""
    if rest:
        state.limit = arguments.number(rest, most=MAX_LIMIT)
    state.front.tell(f"{state.limit} results per search")


def folder(state: SearchState, rest: str) -> None:
    """Limit searches to a folder, or search everything, or go back to the default."""
    state.folder = arguments.folder(state.cwd, rest, hint=":in * searches the whole library")
    state.knows_elsewhere = False
    where = {None: "the current folder, or everything if it isn't indexed", "*": "the whole library"}
    state.front.tell(f"searching {where.get(state.folder) or printable(str(state.folder))}")


def more(state: SearchState, rest: str) -> None:
    """Show more results of the last search."""
    state.more()


def again(state: SearchState, rest: str) -> None:
    """Repeat the last query."""
    state.again()


def collapse(state: SearchState, rest: str) -> None:
    """Turn collapsing of similar shots on or off, or print whether it is on."""
    if rest.lower() not in ("", *SWITCH):
        raise UsageError(f":collapse: {printable(rest)!r} isn't on or off")
    state.collapse = {"on": True, "off": False}.get(rest.lower(), state.collapse)
    words = {None: "as in the settings", True: "on", False: "off"}
    state.front.tell(f"collapse: {words[state.collapse]}")


def sort(state: SearchState, rest: str) -> None:
    """Set the order of results, or print it."""
    if rest.lower() not in ("", *ORDERS):
        raise UsageError(f":sort: {printable(rest)!r} isn't an order")
    state.sort = rest.lower() or state.sort
    state.front.tell(f"results come {ORDERS[state.sort]}")


def show(state: SearchState, rest: str) -> None:
    """Show results large, in the terminal."""
    for hit in arguments.hits(state, rest):
        state.front.show_large(hit)


def previews(state: SearchState, rest: str) -> None:
    """Set how results are drawn as pictures, or print how."""
    shown = state.front.previews
    if shown is None:
        raise UsageError("there is no terminal to show pictures on")
    if rest and rest.lower() not in PREVIEWS:
        raise UsageError(f":previews: {printable(rest)!r} isn't a way of drawing")
    shown.setting = rest.lower() or shown.setting
    state.front.tell(shown.in_words())
