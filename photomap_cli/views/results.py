"""Owns showing a SearchResult to people as a table.  Output for programs is in machine_output.py."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from rich.cells import cell_len
from rich.console import Group
from rich.style import Style
from rich.table import Table
from rich.text import Text

from photomap_cli.graphics.layout import ROWS_BELOW_RESULTS
from photomap_cli.views.console import make_console
from photomap_cli.views.filenames import file_link, shown_path
from photomap_cli.views.formatting import elapsed, photos
from photomap_cli.views.machine_output import ResultStyle, write_lines
from photomap_cli.views.output import printable
from photomap_cli.views.palette import ACCENT
from photomap_cli.views.score_breakdown import breakdown

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from photomap_cli.records import Hit, SearchResult

DATE_MIN_WIDTH = 60
SIZE_MIN_WIDTH = 80
NOTHING = "nothing found"


@dataclass(frozen=True, slots=True)
class _Hits:
    """The rows; the columns are chosen once the width is known."""

    hits: tuple[Hit, ...]
    cwd: Path

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        dated, sized = options.max_width >= DATE_MIN_WIDTH, options.max_width >= SIZE_MIN_WIDTH
        scored = any(hit.score is not None for hit in self.hits)
        table = _columns(scored=scored, dated=dated, sized=sized)
        for hit in self.hits:
            table.add_row(*_cells(hit, self.cwd, scored=scored, dated=dated, sized=sized))
            for part, term, product in breakdown(hit):
                table.add_row("", part, Text(f"  {term}  {product}", "dim"))
        yield table


def _columns(*, scored: bool, dated: bool, sized: bool) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("#", justify="right", style=f"bold {ACCENT}", no_wrap=True)
    if scored:
        table.add_column("score", justify="right", style="dim", no_wrap=True)
    table.add_column("photo", overflow="fold")
    if dated:
        table.add_column("taken", style="dim", no_wrap=True)
    if sized:
        table.add_column("size", style="dim", no_wrap=True, justify="right")
    return table


def _cells(hit: Hit, cwd: Path, *, scored: bool, dated: bool, sized: bool) -> tuple[Text, ...]:
    photo = Text(shown_path(hit.path, cwd), Style(link=file_link(hit.path)))
    shots = Text(f" ×{1 + len(hit.collapsed)}" if hit.collapsed else "", "bold")
    score = [Text("" if hit.score is None else f"{hit.score:.3f}")] if scored else []
    cells = [Text(str(hit.rank)), *score, Text().append_text(photo).append_text(shots)]
    if dated:
        cells.append(Text(printable(hit.taken_at or "")[:16].replace("T", " ")))
    if sized:
        cells.append(Text(f"{hit.width}×{hit.height}"))
    return tuple(cells)


def table(result: SearchResult, cwd: Path, *, hints: Sequence[str] = ()) -> RenderableType:
    """Return the hits as a table with a dim summary line, which ends with `hints`."""
    footer = summary_line(result, hints=hints)
    return Group(_Hits(result.hits, cwd), footer) if result.hits else footer


def print_page(result: SearchResult, cwd: Path, console: Console) -> int:
    """Print a table of as many hits as fit into the window with what follows; return how many."""
    if not result.hits:
        return 0
    room = console.height - ROWS_BELOW_RESULTS

    def rows(count: int) -> int:
        return len(console.render_lines(_Hits(result.hits[:count], cwd)))

    most = max(1, min(len(result.hits), room))
    count = max(1, bisect_right(range(1, most + 1), room, key=rows))
    console.print(_Hits(result.hits[:count], cwd))
    return count


def summary_line(
    page: SearchResult, *, total: int | None = None, more: str = "", hints: Sequence[str] = ()
) -> RenderableType:
    """Return a dim summary of a page of `total` hits, with as many statements as fit.

    `more` says how to see more, `hints` what can be done with these.
    """
    ways = (more,) if more else ()
    if not page.hits or len(page.hits) == (total or len(page.hits)):
        return _Footer((_found(page), *_movements(page), *ways, *hints))
    first, last = page.hits[0].rank, page.hits[-1].rank
    which = f"{first}-{last} of {total}" if last > first else f"{first} of {total}"
    # The time was shown below the first page.
    return _Footer((which, *ways, *((elapsed(page.elapsed_ms), *_movements(page)) if first == 1 else ()), *hints))


@dataclass(frozen=True, slots=True)
class _Footer:
    """Statements on one line; the first is shown at any width."""

    statements: tuple[str, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        line, *others = self.statements
        for other in others:
            if cell_len(f"{line} · {other}") > options.max_width:
                break
            line = f"{line} · {other}"
        yield Text(line, "dim")


def _found(result: SearchResult) -> str:
    found = photos(len(result.hits)) if result.hits else NOTHING
    return f"{found} in {elapsed(result.elapsed_ms)}"


def _movements(result: SearchResult) -> list[str]:
    """Return how long the encoder took to come back, and who answered if it was another process."""
    timings = result.timings_ms
    parts = [] if timings.cache is None else ["query cached"]
    if timings.load > 0:
        parts.append(f"encoder loaded in {elapsed(timings.load)}")
    if timings.reload > 0:
        parts.append(f"RAM → VRAM {elapsed(timings.reload)}")
    if result.served_by != "local":
        parts.append(printable(result.served_by))
    return parts


def write(result: SearchResult, style: ResultStyle, file: TextIO, *, cwd: Path, console: Console | None = None) -> None:
    """Write a result to `file`; only the table uses `console` (made for `file`).

    Paths are written as their bytes on disk, whatever the encoding of `file`.
    """
    if style is ResultStyle.TABLE:
        (console or make_console(file=file)).print(table(result, cwd))
    else:
        write_lines(result.to_json(), style, file)
