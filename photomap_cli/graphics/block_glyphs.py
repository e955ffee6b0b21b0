"""Owns the characters that divide a cell into blocks of two colours: which character inks which blocks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BlockGlyphs:
    """The characters for every pattern of a cell of `width` x `height` blocks.

    Attributes:
        glyphs: by pattern; bit n is the n-th block, in reading order from the upper left, and is set
            if the block is ink.
    """

    name: str
    width: int
    height: int
    glyphs: str

    @property
    def patterns(self) -> tuple[int, ...]:
        """Every division of a cell into two colours once: of a pattern and its inverse, the one that more fonts have.

        The first is the cell of one colour.
        """
        last = len(self.glyphs) - 1
        return tuple(min(one, last - one, key=self._rarity) for one in range(len(self.glyphs) // 2))

    def _rarity(self, pattern: int) -> int:
        code = ord(self.glyphs[pattern])
        return 0 if code < _ASTRAL else 1 if code in _OCTANT_BLOCK or code in _SEXTANT_BLOCK else 2


_ASTRAL = 0x10000
_SEXTANT_BLOCK, _OCTANT_BLOCK = range(0x1FB00, 0x1FB3C), range(0x1CD00, 0x1CDE6)
_QUADRANTS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"
_OCTANTS_FROM_ELSEWHERE = {  # characters that Unicode had before octants, by the numbers of the blocks, minus one
    (0,): "\U0001cea8",
    (1,): "\U0001ceab",
    (6,): "\U0001cea3",
    (7,): "\U0001cea0",
    (0, 1): "\U0001fb82",
    (6, 7): "▂",
    (2, 4): "\U0001fbe6",
    (3, 5): "\U0001fbe7",
    (0, 1, 2, 3, 4, 5): "\U0001fb85",
    (2, 3, 4, 5, 6, 7): "▆",
}


def _with_the_rest(known: dict[int, str], patterns: int, first: int) -> str:
    """Return the glyphs of all patterns: the known ones, and in between a range of Unicode that leaves them out."""
    rest = iter(range(first, first + patterns - len(known)))
    return "".join(known[pattern] if pattern in known else chr(next(rest)) for pattern in range(patterns))


def _sextants() -> str:
    left, right = 0b010101, 0b101010
    return _with_the_rest({0: " ", left: "▌", right: "▐", 0b111111: "█"}, 1 << 6, _SEXTANT_BLOCK.start)


def _octants() -> str:
    known = {sum(1 << block for block in blocks): glyph for blocks, glyph in _OCTANTS_FROM_ELSEWHERE.items()}
    for pattern, glyph in enumerate(_QUADRANTS):  # each quadrant is two octants, one above the other
        known[sum(0b101 << shift for bit, shift in enumerate((0, 1, 4, 5)) if pattern >> bit & 1)] = glyph
    return _with_the_rest(known, 1 << 8, _OCTANT_BLOCK.start)


HALVES = BlockGlyphs("blocks", 1, 2, " ▀▄█")
QUADRANTS = BlockGlyphs("quadrants", 2, 2, _QUADRANTS)
SEXTANTS = BlockGlyphs("sextants", 2, 3, _sextants())
OCTANTS = BlockGlyphs("octants", 2, 4, _octants())
