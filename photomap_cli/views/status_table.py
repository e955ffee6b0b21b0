"""Owns the table of `photomap status`: a row per session and a line on the library.  Asks no sessions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from photomap_cli.views.formatting import human_bytes, moment, photos
from photomap_cli.views.output import printable
from photomap_cli.views.palette import NOTE, ON_PAPER
from photomap_cli.views.status_line import device, error_in_short, moves, next_step, place, plain_line

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from photomap_cli.records import LibraryStatus, SessionStatus

NO_SESSION = "no session is running"
NARROW = 60  # below this, columns would cut where the encoder is
WIDE = 110  # below this, what the library's line tells as well is left out


def status_table(
    sessions: Sequence[SessionStatus], library: LibraryStatus | None, others: Sequence[str] = ()
) -> RenderableType:
    """Return the table for a terminal; a session keeps its row after offloading.

    `others` are lines on the sessions that exist but don't answer.
    """
    rows: tuple[RenderableType, ...] = (_Sessions(tuple(sessions)),) if sessions else ()
    top = (*rows, *(Text(printable(other), "red") for other in others)) or (Text(NO_SESSION, "dim"),)
    moved = [Text(f"{session.pid} {moves(session)}", "dim") for session in sessions if moves(session)]
    files = [Text(f"{session.pid} has {where}", "dim") for session in sessions if (where := _files(session, library))]
    return Group(*top, *moved, *files, Text(library_line(library), "dim"))


def status_lines(
    sessions: Sequence[SessionStatus], library: LibraryStatus | None, others: Sequence[str] = ()
) -> list[str]:
    """Return the same in plain lines, for pipes and dumb terminals."""
    rows = [" · ".join(filter(None, (session_line(one), _files(one, library)))) for one in sessions]
    rows += map(printable, others)
    return [*(rows or [NO_SESSION]), library_line(library)]


def _files(session: SessionStatus, library: LibraryStatus | None) -> str:
    """Return a session's library, if it isn't the one shown, and its log, if it has one."""
    is_shown = library is not None and library.path == session.library
    named = {"library": None if is_shown else session.library, "log": session.log}
    return " · ".join(f"{what} {printable(path)}" for what, path in named.items() if path)


def session_line(session: SessionStatus) -> str:
    """Return one session as a plain line."""
    return f"{session.pid} {printable(session.kind)} · {plain_line(session)}"


def library_line(library: LibraryStatus | None) -> str:
    """Return one line on the library on disk."""
    if library is None:
        return "no library yet; `photomap index` creates one"
    encoder = library.encoder or "no encoder yet"
    size = (
        human_bytes(library.bytes) if library.bytes or not library.photos else ""
    )  # of a shared library only its server knows
    parts = filter(None, (printable(library.path), photos(library.photos), size, printable(encoder)))
    return f"library {' · '.join((*parts, *_fault_or_date(library)))}"


def _fault_or_date(library: LibraryStatus) -> Iterator[str]:
    """Yield why the library cannot be searched and what to do about it, else when it was indexed."""
    if library.error is None:
        yield from _indexed(library)
    else:
        yield printable(f"made by another version of photomap; {library.error.hint}")


def _indexed(library: LibraryStatus) -> Iterator[str]:
    """Yield when the library was indexed, and which folders aren't finished."""
    if library.last_indexed_at:
        yield f"indexed {moment(library.last_indexed_at)}"
    elif not library.unfinished:
        yield "never indexed"
    if library.unfinished:
        first, others = printable(library.unfinished[0]), len(library.unfinished) - 1
        yield f"indexing {first} and {others:,} more is unfinished" if others else f"indexing {first} is unfinished"


@dataclass(frozen=True, slots=True)
class _Sessions:
    """A row per session, two lines in a narrow window; the columns are chosen once the width is known."""

    sessions: tuple[SessionStatus, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if options.max_width < NARROW:
            yield from (line for session in self.sessions for line in _in_two_lines(session))
            return
        is_wide = options.max_width >= WIDE
        table = _columns(is_wide=is_wide)
        for session in self.sessions:
            table.add_row(*_cells(session, is_wide=is_wide))
        yield table


def _in_two_lines(session: SessionStatus) -> tuple[Text, Text]:
    pid, kind, state, *_, step = _cells(session, is_wide=False)
    return Text(" ").join((pid, kind, state)), Text("  ").append_text(step)


def _columns(*, is_wide: bool) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("pid", justify="right", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("encoder is in", no_wrap=True)
    table.add_column("RAM", justify="right", no_wrap=True)
    table.add_column("device", no_wrap=not is_wide)
    table.add_column("next")
    if is_wide:
        table.add_column("photos", justify="right", no_wrap=True)
        table.add_column("encoder", overflow="fold")
    return table


def _cells(session: SessionStatus, *, is_wide: bool) -> tuple[Text, ...]:
    look = place(session)
    state = Text(str(look), ON_PAPER.get(look.style, look.style)).append(", busy" if session.busy else "", NOTE)
    step = Text(next_step(session))
    if error := error_in_short(session):
        step.append(f"; {error}", "red")
    ram, where = human_bytes(session.ram_bytes), device(session, with_name=is_wide)
    row = (Text(str(session.pid)), Text(printable(session.kind)), state, Text(ram), Text(where), step)
    return (*row, Text(f"{session.photos:,}"), Text(printable(session.encoder))) if is_wide else row
