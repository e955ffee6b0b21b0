"""`:why N`: what each term adds to the score of a result."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TextIO, cast

from photomap_cli.repl.commands import arguments
from photomap_cli.views.machine_output import ResultStyle, write_lines
from photomap_cli.views.score_breakdown import explanation

if TYPE_CHECKING:
    from photomap_cli.repl.state import SearchState


def why(dialogue: SearchState, rest: str) -> None:
    """Tell where the scores of results come from; to programs as `search --explain` does."""
    explained = tuple(dialogue.explained(hit.path) for hit in arguments.hits(dialogue, rest))
    if not dialogue.console.is_terminal:
        result = replace(dialogue.shown_result(), hits=explained)
        write_lines(result.to_json(), ResultStyle.PLAIN, cast("TextIO", dialogue.console.file))
        return
    for hit in explained:
        dialogue.console.print(explanation(hit, dialogue.cwd))
