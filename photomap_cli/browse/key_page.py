"""Owns the page of keys: as many columns as fit, and more pages where the terminal is too small.  Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from photomap_cli.browse.captions import fitted
from photomap_cli.browse.keys import BINDINGS
from photomap_cli.browse.state import Mode

if TYPE_CHECKING:
    from photomap_cli.browse.grid import Size

_LABEL_CELLS = 11
_EVERYWHERE = (("Ctrl-L", "redraw"), ("Ctrl-Z", "suspend"), ("Ctrl-C", "stop, or leave"))


def lines(size: Size, page: int) -> list[str]:
    """Return the lines of one page; after the last page comes the first again."""
    cells, columns, rows = _cells(), _columns(size), _rows(size)
    start = page % page_count(size) * columns * rows
    shown = cells[start : start + columns * rows]
    high = min(rows, -(-len(shown) // columns)) if page_count(size) == 1 else rows
    width = size.columns // columns
    return ["".join(fitted(cell, width) for cell in shown[row::high]) for row in range(min(high, len(shown)))]


def page_count(size: Size) -> int:
    """Return how many pages the keys take."""
    return -(-len(_cells()) // (_columns(size) * _rows(size)))


def _rows(size: Size) -> int:
    return max(1, size.body_rows)


def _columns(size: Size) -> int:
    """Return how many columns fit beside each other with no word cut; one at least."""
    return max(1, size.columns // (max(map(cell_len, _cells())) + 1))


def _cells() -> list[str]:
    told = {binding.label: binding.words for binding in BINDINGS if binding.words and Mode.GRID in binding.modes}
    for binding in BINDINGS:
        if binding.words and Mode.LOOK in binding.modes:
            told.setdefault(binding.label, f"{binding.words} (one photo)")
    return [f" {label:<{_LABEL_CELLS}}{words}" for label, words in (*told.items(), *_EVERYWHERE)]
