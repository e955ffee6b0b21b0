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


def mark(dialogue: SearchState, rest: str) -> None:
    """Mark results, or take marks away (`-3`, `none`); without anything, list what is marked."""
    match rest.lower():
        case "":
            _list(dialogue)
            return
        case "all":
            _add(dialogue, *dialogue.require_shown())
        case "none":
            dialogue.marks.clear()
        case _:
            _by_number(dialogue, rest)
    dialogue.front.tell(f"{len(dialogue.marks):,} marked")


def _by_number(dialogue: SearchState, rest: str) -> None:
    words = rest.replace(",", " ").split()
    found = [(word.startswith("-"), arguments.hits(dialogue, word.removeprefix("-"))) for word in words]
    for is_unmarked, hits in found:  # once all of them are understood
        if is_unmarked:
            for hit in hits:
                dialogue.marks.pop(hit.path, None)
        else:
            _add(dialogue, *hits)


def _add(dialogue: SearchState, *hits: Hit) -> None:
    for hit in hits:
        dialogue.marks.setdefault(hit.path, hit)


def _list(dialogue: SearchState) -> None:
    """Print the paths of the marked, with the numbers of those that are among the results."""
    if not dialogue.console.is_terminal:
        write_paths(tuple(dialogue.marks), cast("TextIO", dialogue.console.file))
        return
    numbers = {hit.path: f"#{hit.rank}" for hit in dialogue.shown}
    for path in dialogue.marks:
        line = Text.assemble((f"  {numbers.get(path, ''):<5}", "dim"), shown_path(path, dialogue.cwd))
        dialogue.console.print(line, soft_wrap=True)
    if not dialogue.marks:
        dialogue.front.tell("nothing is marked")
