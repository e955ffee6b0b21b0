"""Owns pictures made of text: for each cell the block character and two colours with the least error."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from photomap_cli.graphics import cell_colours
from photomap_cli.graphics.cell_colours import TERMINALS_OWN
from photomap_cli.graphics.protocol_choice import ColourDepth
from photomap_cli.graphics.renderer import Grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photomap_cli.graphics.block_glyphs import BlockGlyphs
    from photomap_cli.graphics.renderer import Sheet

    Floats = NDArray[np.float32]
    Whole = NDArray[np.int64]
    Flags = NDArray[np.bool_]

_PLAIN = "\x1b[0m"
_CELLS_AT_ONCE = 64  # few enough for one core and its cache; a library's threads would only wait for each other


@dataclass(frozen=True, slots=True)
class FittedCells:
    """Cells in reading order: which blocks are ink, and the colours of ink and paper."""

    patterns: Whole
    ink: Floats
    paper: Floats
    has_paper: Flags


class Cells:
    """Draws with block characters.

    Args:
        glyphs: the characters.
        cell: pixels of a cell, across and down.
        colours: how many the terminal's text has.
        on_light: the terminal is light, which matters if only its own colours can be used.
    """

    def __init__(
        self,
        glyphs: BlockGlyphs,
        cell: tuple[int, int] = (10, 20),
        *,
        colours: ColourDepth = ColourDepth.ALL,
        on_light: bool = False,
    ) -> None:
        self.name = glyphs.name
        self.grid = Grid(glyphs.width, glyphs.height, cell[0] * glyphs.height / (cell[1] * glyphs.width))
        self._glyphs, self._colours, self._on_light = glyphs, colours, on_light

    def paint(self, sheet: Sheet) -> str:
        """Return the lines; a colour is written only where it changes."""
        pixels = np.asarray(cell_colours.reduced(sheet.image, self._colours), dtype=np.float32)
        blocks = self._blocks(pixels)
        are_there = self._blocks(np.asarray(sheet.image.getchannel("A"), dtype=np.float32)[..., None])[..., 0] > 0
        if self._colours is ColourDepth.NONE:
            return self._in_the_terminals_own(blocks, are_there, sheet.columns)
        fitted = fit(blocks, are_there, self._glyphs)
        inks, papers = (cell_colours.codes(colours, self._colours) for colours in (fitted.ink, fitted.paper))
        papers[~fitted.has_paper] = TERMINALS_OWN
        patterns = np.where(inks == papers, 0, fitted.patterns)
        rows = (values.reshape(sheet.rows, sheet.columns).tolist() for values in (patterns, inks, papers))
        return "".join("".join(self._line(*row)) for row in zip(*rows, strict=True))

    def _blocks(self, pixels: Floats) -> Floats:
        """Return (cells, blocks of a cell, channels) of (height, width, channels)."""
        across, down = self._glyphs.width, self._glyphs.height
        height, width, channels = pixels.shape
        parts = pixels.reshape(height // down, down, width // across, across, channels)
        return parts.transpose(0, 2, 1, 3, 4).reshape(-1, down * across, channels)

    def _in_the_terminals_own(self, blocks: Floats, there: Flags, columns: int) -> str:
        is_light = blocks[..., 0] > 127
        patterns = _bits((is_light != self._on_light) & there)
        letters = "".join(self._glyphs.glyphs[pattern] for pattern in patterns.tolist())
        return "".join(f"{letters[x : x + columns].rstrip()}\n" for x in range(0, len(letters), columns))

    def _line(self, patterns: list[int], inks: list[int], papers: list[int]) -> Iterator[str]:
        """Yield one line's cells, with the changes of colour between them."""
        ink = paper = TERMINALS_OWN
        for pattern, wanted_ink, wanted_paper in zip(patterns, inks, papers, strict=True):
            changes = []
            if pattern and wanted_ink != ink:
                changes.append(cell_colours.ink(wanted_ink, self._colours))
                ink = wanted_ink
            if wanted_paper != paper:
                changes.append(cell_colours.paper(wanted_paper, self._colours))
                paper = wanted_paper
            glyph = self._glyphs.glyphs[pattern]
            yield f"\x1b[{';'.join(changes)}m{glyph}" if changes else glyph
        yield f"{_PLAIN}\n"


def fit(blocks: Floats, there: Flags, glyphs: BlockGlyphs) -> FittedCells:
    """Return the patterns and colours that are nearest to the blocks' own colours.

    In a cell with missing blocks, the others are ink of one colour, as the terminal's background is behind them.

    Args:
        blocks: (cells, blocks of a cell, red green blue).
        there: (cells, blocks of a cell).
        glyphs: the characters.
    """
    parts = [
        _fitted(blocks[start : start + _CELLS_AT_ONCE], there[start : start + _CELLS_AT_ONCE], glyphs)
        for start in range(0, len(blocks), _CELLS_AT_ONCE)
    ]
    return FittedCells(*(np.concatenate(values) for values in zip(*parts, strict=True)))


def _fitted(blocks: Floats, there: Flags, glyphs: BlockGlyphs) -> tuple[Whole, Floats, Floats, Flags]:
    """Return the parts of a `FittedCells` for a few cells.

    The squared error about the means of ink and paper is less than that about the cell's mean; by this difference, the
    gain, a pattern is better than one colour.
    """
    count = there.shape[1]
    number = there.sum(1, keepdims=True, dtype=np.float32)
    mean = (blocks * there[..., None]).sum(1) / np.maximum(number, 1)
    masks = _masks(glyphs)
    inked = masks.sum(1)
    sums = (masks @ (blocks - mean[:, None]).transpose(1, 0, 2).reshape(count, -1)).reshape(len(masks), -1, 3)
    gain = (sums**2).sum(2) * (count / np.maximum(inked * (count - inked), 1))[:, None]
    best = gain.argmax(0)  # the first one, of one colour, if there is no gain
    off, inked = sums[best, np.arange(len(best))], inked[best][:, None]
    is_full = number[:, 0] == count
    patterns = np.where(is_full, np.array(glyphs.patterns)[best], _bits(there))
    ink = np.where(is_full[:, None], mean + off / np.maximum(inked, 1), mean)
    return patterns, ink, mean - off / (count - inked), is_full


@lru_cache
def _masks(glyphs: BlockGlyphs) -> Floats:
    """Return (patterns, blocks): 1 if the block is ink."""
    return np.array([_flags(pattern, glyphs) for pattern in glyphs.patterns], dtype=np.float32)


def _flags(pattern: int, glyphs: BlockGlyphs) -> list[int]:
    return [pattern >> block & 1 for block in range(glyphs.width * glyphs.height)]


def _bits(blocks: Flags) -> Whole:
    weights: Whole = 1 << np.arange(blocks.shape[1])
    return blocks @ weights
