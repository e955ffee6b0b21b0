"""Owns the progress bar of an index run.  Counts nothing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from photomap_cli.terminal.report import slowest_stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console
    from rich.progress import Task

    from photomap_cli.records import IndexProgress


class _Rate(ProgressColumn):
    """Photos per second."""

    def render(self, task: Task) -> Text:
        """Return the rate, once there is one."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.1f} photos/s" if speed else "", "dim")


class _Note(ProgressColumn):
    """Whatever else there is to say at this moment."""

    def __init__(self, note: Callable[[], str]) -> None:
        super().__init__()
        self._note = note

    def render(self, task: Task) -> Text:
        """Return the words of this moment."""
        return Text(self._note(), "dim")


def follow(
    events: Iterator[IndexProgress],
    *,
    console: Console,
    quiet: bool = False,
    note: Callable[[], str] = lambda: "",
) -> None:
    """Draw a bar on `console` (made for standard error) until `events` ends; `note()` stands at its end.

    Draws nothing when quiet or when the console is no terminal.  Ctrl-C passes through and takes the bar away.
    """
    with _bar(console, note, is_shown=console.is_terminal and not quiet) as progress:
        task = progress.add_task("looking for photos", total=None, slowest="", failures="")
        for event in events:
            progress.update(
                task,
                description="preparing searches" if event.compressing else "indexing",
                completed=event.done,
                total=event.total or None,
                slowest=slowest_stage(event.stages),
                failures=f"{event.failed:,} failed" if event.failed else "",
            )


def _bar(console: Console, note: Callable[[], str], *, is_shown: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[slowest]}", style="dim"),
        TextColumn("{task.fields[failures]}", style="red"),
        _Note(note),
        console=console,
        transient=True,
        disable=not is_shown,
    )
