"""Owns showing a map in a terminal, with plot and legend, and its output for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO, cast

from rich.console import Group
from rich.style import Style
from rich.table import Table
from rich.text import Text

from photomap_cli.views.braille_plot import plot
from photomap_cli.views.filenames import file_link
from photomap_cli.views.formatting import elapsed, photos
from photomap_cli.views.machine_output import write_document, write_plain
from photomap_cli.views.output import printable
from photomap_cli.views.palette import colours

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

    from photomap_cli.records.maps import MapCluster, PhotoMap

_BESIDE_MIN_WIDTH = 100
"""From this width on the legend is beside the plot."""

_LEAST_ROWS = 10
_USUAL_HEIGHT = 40  # for output that isn't a screen
_GAP = 3


class MapView:
    """A map for a terminal: plot, legend, and a line on what to do next.

    Attributes:
        drawn: the map.
        hint: how to list a group's photos.
    """

    def __init__(self, drawn: PhotoMap, hint: str = "") -> None:
        self._drawn, self._hint = drawn, hint
        self._colours = colours(drawn.clusters)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width
        height = console.height if console.is_terminal else _USUAL_HEIGHT
        entries = [self._entry(cluster) for cluster in self._drawn.clusters]
        footer = self._footer()
        below = height - 1 - (len(footer.plain) + width - 1) // max(width, 1) - 1  # and the next prompt
        if width >= _BESIDE_MIN_WIDTH:
            yield _beside(self._plot(width - _widest(entries) - _GAP, max(below, len(entries)), options), entries)
        else:
            legend = _in_columns(entries, width)
            yield Group(*self._plot(width, max(_LEAST_ROWS, below - legend.row_count), options))
            yield legend
        yield footer

    def _plot(self, width: int, rows: int, options: ConsoleOptions) -> list[Text]:
        rows = min(rows, width // 2)
        has_braille = options.encoding.lower().startswith("utf")
        drawn = self._drawn
        return plot(
            drawn.points, drawn.clusters, self._colours, width=width, height=max(rows, 4), has_braille=has_braille
        )

    def _entry(self, cluster: MapCluster) -> Text:
        name = Style(link=file_link(cluster.representatives[0])) if cluster.representatives else Style()
        return Text.assemble(
            (cluster.letter, f"bold reverse {self._colours[cluster.id - 1]}"),
            " ",
            (printable(cluster.name), name),
            " ",
            (f"{cluster.count:,}", "dim"),
            no_wrap=True,
            overflow="ellipsis",
        )

    def _footer(self) -> Text:
        drawn = self._drawn
        summary = f"{photos(len(drawn.points))} in {len(drawn.clusters)} groups, {elapsed(drawn.elapsed_ms)}"
        return Text(" · ".join(part for part in (summary, self._hint) if part), "dim")


def _widest(entries: list[Text]) -> int:
    return max(entry.cell_len for entry in entries)


def _beside(plotted: list[Text], entries: list[Text]) -> Table:
    table = Table.grid(padding=(0, _GAP, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    for row in range(max(len(plotted), len(entries))):
        table.add_row(*(column[row] if row < len(column) else "" for column in (plotted, entries)))
    return table


def _in_columns(entries: list[Text], width: int) -> Table:
    """Return the legend in as many columns as fit, to be read downwards."""
    count = max(1, min(len(entries), (width + _GAP) // (_widest(entries) + _GAP)))
    rows = -(-len(entries) // count)
    table = Table.grid(padding=(0, _GAP, 0, 0))
    for row in range(rows):
        table.add_row(*entries[row::rows])
    return table


def write(drawn: PhotoMap, file: TextIO, *, as_json: bool, console: Console) -> None:
    """Write a map to `file`: JSON, a plot if `console` (made for it) is a terminal, else a row per group."""
    if as_json:
        write_document(drawn.to_json(), file)
    else:
        show(drawn, console, hint=f"photomap map --group {drawn.clusters[0].letter} lists that group's photos")


def show(drawn: PhotoMap, console: Console, *, hint: str) -> None:
    """Show a map to people, or as rows in a pipe; `hint` says how to list a group."""
    if console.is_terminal:
        console.print(MapView(drawn, hint))
    else:
        _write_rows(drawn, cast("TextIO", console.file))


def _write_rows(drawn: PhotoMap, file: TextIO) -> None:
    """Write a line per group, separated by tabs: letter, count, name and the most typical photo's path."""
    for cluster in drawn.clusters:
        path = cluster.representatives[0] if cluster.representatives else ""
        write_plain((cluster.letter, str(cluster.count), printable(cluster.name)), path, file)
