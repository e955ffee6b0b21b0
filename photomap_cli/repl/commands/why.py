"""Owns `:why N`: what each term adds to a result's score."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TextIO, cast

from photomap_cli.repl.commands import arguments
from photomap_cli.views.machine_output import ResultStyle, write_lines
from photomap_cli.views.score_breakdown import explanation

if TYPE_CHECKING:
    from photomap_cli.repl.state import SearchState


def why(state: SearchState, rest: str) -> None:
    """Explain the scores of results; for programs as `search --explain` does."""
    explained = tuple(state.explained(hit.path) for hit in arguments.hits(state, rest))
    if not state.console.is_terminal:
        result = replace(state.shown_result(), hits=explained)
        write_lines(result.to_json(), ResultStyle.PLAIN, cast("TextIO", state.console.file))
        return
    for hit in explained:
        state.console.print(explanation(hit, state.cwd))
