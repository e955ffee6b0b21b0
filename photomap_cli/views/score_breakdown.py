"""Owns how it is told where a score comes from: what each term of the query adds to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from photomap_cli.views.filenames import shown_path
from photomap_cli.views.output import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from photomap_cli.records import Hit, TermPart


def explanation(hit: Hit, cwd: Path) -> RenderableType:
    """Return the parts of a hit's score and their sum."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("part", justify="right", no_wrap=True)
    table.add_column("weight × cosine", style="dim", no_wrap=True)
    table.add_column("term", overflow="fold")
    for each in hit.terms:
        table.add_row(f"{each.part:+.3f}", product(each), Text(printable(each.term)))
    table.add_row(Text(f"{hit.score:.3f}", "bold"), "", Text(shown_path(hit.path, cwd), "dim"))
    return table


def product(part: TermPart) -> str:
    """Return what a term's part is made of, but for the length of the sum: `2 × 0.310`."""
    return f"{part.weight:g} × {part.cosine:.3f}"
