"""Owns the lines below a row of photos: number, score and date, and the file's name as a link."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from rich.text import Text

from photomap_cli.graphics.layout import GAP
from photomap_cli.views.filenames import file_link, shown_path
from photomap_cli.views.output import printable
from photomap_cli.views.palette import ACCENT, NOTE

if TYPE_CHECKING:
    from photomap_cli.records import Hit, Thumbnail
from photomap_cli.graphics.layout import Layout

_ELLIPSIS = "…"


def captions(hits: Sequence[Hit], thumbnails: Sequence[Thumbnail], layout: Layout) -> Text:
    """Return the lines; a third line says why a photo couldn't be shown."""
    names = Counter(PurePath(hit.path).name for hit in hits)
    labels = [_name(hit, layout.columns, is_shared=names[PurePath(hit.path).name] > 1) for hit in hits]
    lines = [[_figures(hit, layout.columns) for hit in hits], labels]
    if any(thumbnail.fault for thumbnail in thumbnails):
        lines.append([Text(shortened(printable(each.fault), layout.columns), NOTE) for each in thumbnails])
    text = Text(no_wrap=True, overflow="ignore", end="")
    for line in lines:
        text.append_text(_side_by_side(line, layout.columns + GAP)).append("\n")
    return text


def _side_by_side(cells: Sequence[Text], step: int) -> Text:
    line = Text()
    for cell in cells:
        line.append(" " * (-line.cell_len % step)).append_text(cell)
    return line


def _figures(hit: Hit, columns: int) -> Text:
    rank, score, date = str(hit.rank), _score(hit), printable(hit.taken_at or "")[:10]
    for gap, facts in (("  ", (score, date)), (" ", (score, date)), ("  ", (score,)), (" ", (score,))):
        text = Text().append(rank, f"bold {ACCENT}").append("".join(gap + fact for fact in facts if fact), "dim")
        if text.cell_len <= columns:
            return text
    return Text(rank[:columns], f"bold {ACCENT}")


def _name(hit: Hit, columns: int, *, is_shared: bool) -> Text:
    """Return a photo's name, with its folder if another photo in the row has the same name."""
    path = PurePath(hit.path)
    label = str(PurePath(path.parent.name, path.name)) if is_shared else path.name
    shots = f" ×{1 + len(hit.collapsed)}" if hit.collapsed else ""
    name = shortened(printable(label), max(0, columns - len(shots)))
    return Text().append(name, Style(link=file_link(hit.path))).append(shots[:columns], "bold")


def line_below(hit: Hit, cwd: Path) -> Text:
    """Return the line below a photo that is shown alone."""
    date = printable(hit.taken_at or "")[:16].replace("T", " ")
    path = Text(shown_path(hit.path, cwd), Style(link=file_link(hit.path)))
    score = f"  {_score(hit)}".rstrip() + "  "
    text = Text().append(str(hit.rank), f"bold {ACCENT}").append(score, "dim").append_text(path)
    return text.append(f"  {date}".rstrip(), "dim").append(f"  {hit.width}×{hit.height}", "dim")


def _score(hit: Hit) -> str:
    return "" if hit.score is None else f"{hit.score:.3f}"


def shortened(name: str, columns: int) -> str:
    """Return a name with as much of its beginning and end as fits: both say which photo it is."""
    if cell_len(name) <= columns:
        return name
    if columns < 2:
        return _ELLIPSIS[:columns]
    tail = _last_cells(name, (columns - 1) // 2)
    return set_cell_size(name, columns - 1 - cell_len(tail)).rstrip() + _ELLIPSIS + tail


def _last_cells(name: str, cells: int) -> str:
    start = len(name)
    while start and cell_len(name[start - 1 :]) <= cells:
        start -= 1
    return name[start:]
