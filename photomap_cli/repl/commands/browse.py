"""Owns `:browse`: the gallery over the prompt's session."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from photomap_cli.repl.state import SearchState


def browse(state: SearchState, rest: str) -> None:
    """Show the gallery with a query, else with the last results; its results and marks come back."""
    request = state.browse_request(rest)
    state.adopt(state.front.browse(request), request)
