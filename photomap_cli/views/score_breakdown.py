"""Owns how it is told where a score comes from: what each term of the query adds to it."""

from __future__ import annotations

from math import floor
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from photomap_cli.views.filenames import shown_path
from photomap_cli.views.output import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from photomap_cli.records import Hit, TermPart


def explanation(hit: Hit, cwd: Path) -> RenderableType:
    """Return the photo, what each term adds to its score, and the total; the figures shown add up to the one shown."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False, pad_edge=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(style="dim", no_wrap=True)
    for part, term, product in breakdown(hit):
        table.add_row(part, Text(term), product)
    table.add_row(Text(f"{hit.score:.3f}", "bold"), Text("total", "bold"), "")
    return Group(Text(shown_path(hit.path, cwd), "bold"), table)


def breakdown(hit: Hit) -> list[tuple[str, str, str]]:
    """Return what each term adds, its words, and what that is made of; the parts add up to the score as it is shown."""
    parts = zip(hit.terms, _adding_up(hit), strict=True)
    return [(f"{part / 1000:+.3f}", printable(each.term), _product(each)) for each, part in parts]


def _adding_up(hit: Hit) -> list[int]:
    """Return the terms' parts in thousandths, rounded so that their sum is the rounded score."""
    exact = [1000 * each.part for each in hit.terms]
    parts = [floor(each) for each in exact]
    missing = round(1000 * (hit.score or 0.0)) - sum(parts)
    largest_first = sorted(range(len(parts)), key=lambda at: parts[at] - exact[at])
    for at in largest_first[: max(0, missing)]:
        parts[at] += 1
    return parts


def _product(part: TermPart) -> str:
    """Return what a part is made of: `2 × 0.310 ÷ 1.414`, by the length of the sum of all terms if that is not 1."""
    length = part.weight * part.cosine / part.part if part.part else 1.0
    divided = "" if abs(length - 1) < 0.0005 else f" ÷ {length:.3f}"
    return f"{part.weight:g} × {part.cosine:.3f}{divided}"
