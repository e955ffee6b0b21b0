"""Owns `:mark`: photos chosen for later, over several searches."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO, cast

from rich.text import Text

from photomap_cli.repl.commands import arguments
from photomap_cli.views.filenames import shown_path
from photomap_cli.views.machine_output import write_paths

if TYPE_CHECKING:
    from photomap_cli.records import Hit
    from photomap_cli.repl.state import SearchState


def mark(state: SearchState, rest: str) -> None:
    """Mark results or remove marks (`-3`, `none`); without arguments, list the marked photos."""
    match rest.lower():
        case "":
            _list(state)
            return
        case "all":
            _add(state, *state.require_shown())
        case "none":
            state.marks.clear()
        case _:
            _by_number(state, rest)
    state.front.tell(f"{len(state.marks):,} marked")


def _by_number(state: SearchState, rest: str) -> None:
    words = rest.replace(",", " ").split()
    found = [(word.startswith("-"), arguments.hits(state, word.removeprefix("-"))) for word in words]
    for is_unmarked, hits in found:  # once all of them are understood
        if is_unmarked:
            for hit in hits:
                state.marks.pop(hit.path, None)
        else:
            _add(state, *hits)


def _add(state: SearchState, *hits: Hit) -> None:
    for hit in hits:
        state.marks.setdefault(hit.path, hit)


def _list(state: SearchState) -> None:
    """Print the paths of the marked photos, with numbers for those among the results."""
    if not state.console.is_terminal:
        write_paths(tuple(state.marks), cast("TextIO", state.console.file))
        return
    numbers = {hit.path: f"#{hit.rank}" for hit in state.shown}
    for path in state.marks:
        line = Text.assemble((f"  {numbers.get(path, ''):<5}", "dim"), shown_path(path, state.cwd))
        state.console.print(line, soft_wrap=True)
    if not state.marks:
        state.front.tell("nothing is marked")
