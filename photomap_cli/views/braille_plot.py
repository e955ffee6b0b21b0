"""Owns plotting points as characters: braille dots, eight per character, or the groups' letters.  Knows no names."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from photomap_cli.records.maps import MapCluster, MapPoint

_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))  # of a character, by column and row
_BLANK = 0x2800
_FEW_SHARE, _FEW_SIZE = 20, 2  # below this share of the dots, photos are two dots wide and high
_MOST_STRETCH = 1.8  # sideways: a terminal is wide, and a map has no scale

Cell = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Grid:
    """How coordinates become characters: `columns` by `rows`, over the points' own extent."""

    columns: int
    rows: int
    left: float
    top: float
    dots_per_x: float
    dots_per_y: float

    @classmethod
    def over(cls, points: Sequence[MapPoint], width: int, height: int) -> Grid:
        """Return the largest grid of at most `width` by `height` that holds all points."""
        xs, ys = [point.x for point in points], [point.y for point in points]
        wide, high = max(max(xs) - min(xs), 1e-6), max(max(ys) - min(ys), 1e-6)
        per_y = min((4 * height - 1) / high, (2 * width - 1) / wide)
        per_x = min((2 * width - 1) / wide, _MOST_STRETCH * per_y)
        columns, rows = int(per_x * wide) // 2 + 1, int(per_y * high) // 4 + 1
        return cls(min(columns, width), min(rows, height), min(xs), max(ys), per_x, per_y)

    def dot(self, x: float, y: float) -> tuple[int, int]:
        """Return the dot of a point, counted from the upper left."""
        across, down = round((x - self.left) * self.dots_per_x), round((self.top - y) * self.dots_per_y)
        return min(across, 2 * self.columns - 1), min(down, 4 * self.rows - 1)


def plot(
    points: Sequence[MapPoint],
    clusters: Sequence[MapCluster],
    colours: Sequence[str],
    *,
    width: int,
    height: int,
    has_braille: bool,
) -> list[Text]:
    """Return a plot's lines: characters in the colour of most of their photos, groups' letters in their middles.

    Without braille every character is the letter of most of its photos' group.
    """
    grid = Grid.over(points, width, height)
    dots, owners = _dots(points, grid)
    letters = _letters(clusters, grid)
    lines = []
    for row in range(grid.rows):
        line = Text(no_wrap=True)
        for column in range(grid.columns):
            cell = column, row
            if cell in letters:
                cluster = letters[cell]
                line.append(cluster.letter, f"bold reverse {colours[cluster.id - 1]}")
            elif cell in dots:
                owner = owners[cell].most_common(1)[0][0]
                mark = chr(_BLANK + dots[cell]) if has_braille else clusters[owner - 1].letter
                line.append(mark, colours[owner - 1])
            else:
                line.append(" ")
        lines.append(line)
    return lines


def _dots(points: Sequence[MapPoint], grid: Grid) -> tuple[dict[Cell, int], dict[Cell, Counter[int]]]:
    """Return for each character its dots and its photos per group."""
    dots: dict[Cell, int] = defaultdict(int)
    owners: dict[Cell, Counter[int]] = defaultdict(Counter)
    size = _FEW_SIZE if len(points) * _FEW_SHARE < grid.columns * grid.rows * 8 else 1
    for point in points:
        across, down = grid.dot(point.x, point.y)
        for right, below in product(range(size), repeat=2):
            column, row = max(across - right, 0), max(down - below, 0)
            cell = column // 2, row // 4
            dots[cell] |= _DOTS[column % 2][row % 4]
            owners[cell][point.cluster] += 1
    return dots, owners


def _letters(clusters: Sequence[MapCluster], grid: Grid) -> dict[Cell, MapCluster]:
    """Return where each group's letter goes: in its middle, or as near as there is room."""
    taken: dict[Cell, MapCluster] = {}
    for cluster in clusters:
        across, down = grid.dot(*cluster.centre)
        free = (cell for cell in _around((across // 2, down // 4), grid) if cell not in taken)
        cell = next(free, None)
        if cell is not None:
            taken[cell] = cluster
    return taken


def _around(middle: Cell, grid: Grid) -> Iterator[Cell]:
    """Yield every character of the grid, nearest first; one down counts as two across."""
    every = ((column, row) for row in range(grid.rows) for column in range(grid.columns))
    yield from sorted(every, key=lambda cell: (cell[0] - middle[0]) ** 2 + 4 * (cell[1] - middle[1]) ** 2)
