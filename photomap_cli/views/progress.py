"""Owns the progress bars of an index run and of a copy.  Counts nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Column
from rich.text import Text

from photomap_cli.views.formatting import human_bytes
from photomap_cli.views.index_report import slowest_stage

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Task

    from photomap_cli.records import IndexProgress


BAR_CELLS = 40
LEAST_BAR_CELLS = 8


class _Figures(ProgressColumn):
    """The progress of the run, and other news of the moment; what doesn't fit is cut from the right.

    Rich's own columns would wrap onto a second line, or be cut in the middle of a number.
    """

    def __init__(self, console: Console, note: Callable[[], str]) -> None:
        super().__init__(Column(no_wrap=True))
        self._console, self._note = console, note
        self._time_left = TimeRemainingColumn(compact=True)

    def render(self, task: Task) -> Text:
        """Return the current figures."""
        room = self._console.width - len(task.description) - LEAST_BAR_CELLS - len("  ")
        line = Text(self._count(task))
        for piece in self._pieces(task):
            if line.cell_len + 1 + piece.cell_len > room:
                break
            line.append(" ").append_text(piece)
        return line

    def _pieces(self, task: Task) -> Iterator[Text]:
        speed = task.finished_speed or task.speed
        pieces = (
            self._time_left.render(task),
            Text(task.fields["failures"], "red"),
            Text(f"{speed:,.1f} photos/s" if speed else "", "dim"),
            Text(self._note(), "dim"),
            Text(task.fields["slowest"], "dim"),
        )
        return filter(None, pieces)

    def _count(self, task: Task) -> str:
        total = "?" if task.total is None else f"{int(task.total):,}"
        return f"{int(task.completed):,}/{total}"


class _Bytes(_Figures):
    """How many bytes are done, of how many."""

    def _pieces(self, task: Task) -> Iterator[Text]:
        return iter((self._time_left.render(task),))

    def _count(self, task: Task) -> str:
        return f"{human_bytes(int(task.completed))} of {human_bytes(int(task.total))}" if task.total else ""


def follow(
    events: Iterator[IndexProgress],
    *,
    console: Console,
    quiet: bool = False,
    note: Callable[[], str] = lambda: "",
) -> None:
    """Draw a bar on `console` (made for standard error) until `events` ends, with `note()` at the end.

    Draws nothing if quiet or if the console isn't a terminal.  Ctrl-C passes through and removes the bar.
    """
    with _bar(console, _Figures(console, note), is_shown=console.is_terminal and not quiet) as progress:
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


@contextmanager
def byte_bar(description: str, *, console: Console, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Yield a callback for (done, total) bytes that draws them as `follow` does."""
    with _bar(console, _Bytes(console, lambda: ""), is_shown=console.is_terminal and not quiet) as progress:
        task = progress.add_task(description, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def photo_bar(description: str, *, console: Console, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Give what is told how many photos of how many are done, and draws them as `follow` does."""
    with _bar(console, _Figures(console, lambda: ""), is_shown=console.is_terminal and not quiet) as progress:
        task = progress.add_task(description, total=None, slowest="", failures="")
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _bar(console: Console, figures: _Figures, *, is_shown: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}", table_column=Column(no_wrap=True)),
        BarColumn(BAR_CELLS),
        figures,
        console=console,
        transient=True,
        disable=not is_shown,
    )
