"""Converts a terminal's screen to a self-contained SVG: pixels for half blocks, text for the rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from html import escape
from itertools import groupby

import pyte

CELL_WIDTH, CELL_HEIGHT = 8, 16
PAPER, INK = "#16181d", "#d7dae0"
NAMED = {
    "black": "#5c6370",
    "red": "#e06c75",
    "green": "#98c379",
    "brown": "#e5c07b",
    "blue": "#61afef",
    "magenta": "#c678dd",
    "cyan": "#56b6c2",
    "white": "#ffffff",
}
SHADES = 32  # levels a channel in pixels: runs of one colour get longer, and a sheet of photos stays below 100 kB


def svg(captured: str, columns: int) -> str:
    """Return an SVG of the output of `tmux capture-pane -e -N -p`."""
    lines = captured.rstrip().split("\n")
    screen = pyte.Screen(columns, len(lines))
    pyte.Stream(screen).feed("\r\n".join(lines))
    rows = [[screen.buffer[y][x] for x in range(columns)] for y in range(screen.lines)]
    width, height = columns * CELL_WIDTH, screen.lines * CELL_HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-8 -8 {width + 16} {height + 16}" '
        f'font-family="monospace" font-size="13" fill="{INK}">',
        f'<path fill="{PAPER}" d="M-8-8h{width + 16}v{height + 16}h-{width + 16}z"/>',
        '<g shape-rendering="crispEdges">',
        *_areas(rows),
        "</g>",
        *(text for y, row in enumerate(rows) for text in _texts(row, y)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _areas(rows: list[list[pyte.screens.Char]]) -> Iterator[str]:
    """Yield a path for each colour of backgrounds and half blocks."""
    drawn: dict[str, list[str]] = defaultdict(list)
    half = CELL_HEIGHT // 2
    for y, row in enumerate(rows):
        for part in (0, 1):
            colours = [_half(char, part) for char in row]
            for colour, run in groupby(enumerate(colours), key=lambda pair: pair[1]):
                if colour != PAPER:
                    xs = [x for x, _ in run]
                    left, length = xs[0] * CELL_WIDTH, len(xs) * CELL_WIDTH
                    drawn[colour].append(f"M{left} {y * CELL_HEIGHT + part * half}h{length}v{half}h-{length}z")
    for colour, pieces in drawn.items():
        yield f'<path fill="{colour}" d="{"".join(pieces)}"/>'


def _half(char: pyte.screens.Char, part: int) -> str:
    """Return the colour of the upper or the lower half of a cell, text aside."""
    ink, paper = _colours(char)
    if char.data in "▀▄":
        return _coarse(ink if (char.data == "▄") == bool(part) else paper)
    return paper


def _texts(row: list[pyte.screens.Char], y: int) -> Iterator[str]:
    """Yield runs of text in one style, stretched to the width of their cells in any font."""
    for look, run in groupby(enumerate(row), key=lambda pair: (_colours(pair[1])[0], pair[1].bold)):
        cells = list(run)
        text = "".join(" " if char.data in "▀▄" else char.data for _, char in cells)
        left = cells[0][0] + len(text) - len(text.lstrip())
        if words := text.strip():
            colour, is_bold = look
            style = (f' fill="{colour}"' if colour != INK else "") + (' font-weight="bold"' if is_bold else "")
            place = f'x="{left * CELL_WIDTH}" y="{y * CELL_HEIGHT + 12}" textLength="{len(words) * CELL_WIDTH}"'
            yield f'<text {place}{style} xml:space="preserve">{escape(words)}</text>'


def _colours(char: pyte.screens.Char) -> tuple[str, str]:
    ink, paper = _colour(char.fg, INK), _colour(char.bg, PAPER)
    return (paper, ink) if char.reverse else (ink, paper)


def _colour(name: str, default: str) -> str:
    plain = name.removeprefix("bright")
    if len(name) == 6 and set(name) <= set("0123456789abcdef"):
        return f"#{name}"
    return NAMED.get(plain, default)


def _coarse(colour: str) -> str:
    step = 256 // SHADES
    channels = (int(colour[at : at + 2], 16) // step * step for at in (1, 3, 5))
    return "#" + "".join(f"{channel:02x}" for channel in channels)
