"""Owns writing groups of duplicates: a list for people; rows, paths or JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from rich.style import Style
from rich.table import Table
from rich.text import Text

from photomap_cli.views.filenames import file_link, shown_path
from photomap_cli.views.formatting import counted, human_bytes
from photomap_cli.views.machine_output import write_plain
from photomap_cli.views.output import printable
from photomap_cli.views.palette import GOOD

if TYPE_CHECKING:
    from rich.console import Console

    from photomap_cli.records import DuplicateGroup, DuplicatePhoto

NOTHING = "no duplicates"


def print_groups(groups: Sequence[DuplicateGroup], console: Console, cwd: Path) -> None:
    """Print a table per group, with the photo to keep first, and a summary line."""
    for group in groups:
        what = "copies" if group.kind == "identical" else "nearly identical shots"
        console.print(Text(f"{len(group.photos)} {what}", "bold"))
        console.print(_table(group, cwd))
        console.print()
    console.print(Text(summary(groups), "dim"))


def summary(groups: Sequence[DuplicateGroup]) -> str:
    """Return a line: how many there are, and the size of all but the best ones."""
    if not groups:
        return NOTHING
    spare = {photo.path: photo.size_bytes for group in groups for photo in group.photos[1:]}
    counts = f"{counted(len(groups), 'group')}; all but the best: {counted(len(spare), 'file')}"
    return f"{counts}, {human_bytes(sum(spare.values()))}"


def spare_paths(groups: Sequence[DuplicateGroup]) -> list[str]:
    """Return the distinct paths of all but the best of each group."""
    return list(dict.fromkeys(photo.path for group in groups for photo in group.photos[1:]))


def write_rows(groups: Sequence[DuplicateGroup], file: TextIO) -> None:
    """Write a line per photo, separated by tabs: the group's number, its kind, keep or spare, score, bytes, path."""
    for number, group in enumerate(groups, 1):
        for photo in group.photos:
            word = "keep" if photo is group.photos[0] else "spare"
            write_plain((str(number), group.kind, word, f"{photo.score:.4f}", str(photo.size_bytes)), photo.path, file)


def _table(group: DuplicateGroup, cwd: Path) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for _ in range(4):
        table.add_column(style="dim", no_wrap=True, justify="right")
    for photo in group.photos:
        keep = Text("  keep", GOOD) if photo is group.photos[0] else Text()
        path = Text(shown_path(photo.path, cwd), Style(link=file_link(photo.path)))
        table.add_row(keep, Text().append_text(path), *_facts(group, photo))
    return table


def _facts(group: DuplicateGroup, photo: DuplicatePhoto) -> tuple[str, str, str, str]:
    is_other = group.kind == "similar" and photo is not group.photos[0]
    return (
        f"{photo.score:.3f}" if is_other else "",
        f"{photo.width}×{photo.height}",
        human_bytes(photo.size_bytes),
        printable(photo.taken_at or "")[:16].replace("T", " "),
    )
