"""Owns the facts shown beside a photo: what the library knows, and where its score comes from.  Pure."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from photomap_cli.browse.captions import fitted
from photomap_cli.repl.commands.info import facts
from photomap_cli.views.output import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from photomap_cli.browse.state import State

_NAME_CELLS = 9
MAP_ADDRESS = "https://www.openstreetmap.org/?mlat={0:.6f}&mlon={1:.6f}#map=15/{0:.6f}/{1:.6f}"


def fact_lines(state: State, columns: int, rows: int) -> list[tuple[str, str]]:
    """Return at most `rows` lines, `columns` cells wide: a fact's name, and its value wrapped beside it."""
    lines: list[tuple[str, str]] = []
    for name, value in _facts(state):
        wrapped = textwrap.wrap(printable(value), max(8, columns - _NAME_CELLS), break_on_hyphens=False) or [""]
        names = (fitted(printable(name), _NAME_CELLS - 1), *[" " * (_NAME_CELLS - 1)] * (len(wrapped) - 1))
        lines += [("", f"{each} {part}") for each, part in zip(names, wrapped, strict=True)]
    return lines[:rows]


def _facts(state: State) -> Iterator[tuple[str, str]]:
    hit, known = state.hit, state.details
    if hit is None:
        return
    yield "path", hit.path
    if state.explained == hit.path and state.terms:
        yield "score", f"{hit.score or 0:.3f}"
        for term in state.terms:
            yield "", f"{term.part:+.3f} {term.term}"
    if known is not None and known.path == hit.path:
        yield from facts(known)
        if known.latitude is not None and known.longitude is not None:
            yield "map", MAP_ADDRESS.format(known.latitude, known.longitude)
