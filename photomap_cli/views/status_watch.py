"""Owns `status --watch`: drawing or printing changes of sessions.  Asks no sessions; looks are passed in.

A look is what `status --json` prints, as JSON values.  Clocks always run: on a terminal they are drawn, elsewhere
a look counts as a change only if more than its clocks differ, or a clock was reset (by a search).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TextIO

from rich.live import Live

from photomap_cli.records import BadRecord, LibraryStatus, SessionStatus
from photomap_cli.views.machine_output import write_document_line
from photomap_cli.views.output import say
from photomap_cli.views.status_table import NO_SESSION, library_line, session_line, status_table

if TYPE_CHECKING:
    from rich.console import Console

Look = dict[str, Any]

_CLOCKS = frozenset({"offloaded_seconds_ago", "idle_seconds", "offload_in_seconds", "release_in_seconds"})


def draw(looks: Iterable[Look], console: Console) -> None:
    """Draw every look's table in place of the last one; the cursor comes back however it ends."""
    with Live(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False) as live:
        size = console.size
        for look in looks:
            if console.size != size:  # lines were rewrapped, so the old table is elsewhere
                size = console.size
                console.clear()
            live.update(status_table(sessions(look), _library(look), others(look)), refresh=True)


def print_json(looks: Iterable[Look], file: TextIO) -> None:
    """Print every changed look as a line of JSON."""
    before: Look | None = None
    for look in looks:
        if before is None or has_changed(before, look):
            write_document_line(look, file)
        before = look


def print_lines(looks: Iterable[Look], file: TextIO) -> None:
    """Print a line for every session that changed, started or ended, and for the library."""
    before: Look = {"sessions": [], "library": None}
    for number, look in enumerate(looks):
        for line in _news(before, look):
            say(line, file=file)
        is_alone = not look["sessions"] and not others(look)
        if is_alone and (number == 0 or before["sessions"] or others(before)):
            say(NO_SESSION, file=file)
        before = look


def has_changed(before: Look, now: Look) -> bool:
    """Return whether anything but the time differs between two looks."""
    old, new = _by_name(before), _by_name(now)
    if before["library"] != now["library"] or old.keys() != new.keys() or others(before) != others(now):
        return True
    return any(_is_news(old[name], new[name]) for name in new)


def _news(before: Look, now: Look) -> Iterator[str]:
    old, new = _by_name(before), _by_name(now)
    for name, session in new.items():
        if (status := _read(session)) and (name not in old or _is_news(old[name], session)):
            yield session_line(status)
    silent = {other["pid"] for other in now.get("unreachable", ())}
    for pid, library in old.keys() - new.keys():
        if pid not in silent:
            yield f"{pid} ended · {library}"
    yield from (other for other in others(now) if other not in others(before))
    if before["library"] != now["library"]:
        yield library_line(_library(now))


def _is_news(before: Look, now: Look) -> bool:
    if _set_back(before, now):
        return True
    return any(_shown(name, before.get(name)) != _shown(name, value) for name, value in now.items())


def _set_back(before: Look, now: Look) -> bool:
    """Return whether the encoder was used since the last look, however briefly."""
    old, new = before.get("idle_seconds"), now.get("idle_seconds")
    return old is not None and new is not None and new < old


def _shown(name: str, value: object) -> object:
    """Return whether a clock runs; everything else unchanged."""
    return value is not None if name in _CLOCKS else value


def _by_name(look: Look) -> dict[tuple[int, str], Look]:
    return {(session["pid"], session.get("library", "")): session for session in look["sessions"]}


def sessions(look: Look) -> list[SessionStatus]:
    """Return the sessions whose status can be read."""
    return [status for session in look["sessions"] if (status := _read(session))]


def others(look: Look) -> list[str]:
    """Return lines on sessions that don't answer, or whose answer can't be read."""
    foreign = [session["pid"] for session in look["sessions"] if _read(session) is None]
    unreachable = [other["message"] for other in look.get("unreachable", ())]
    return [*unreachable, *(f"session {pid} is of another version of photomap" for pid in foreign)]


def _read(session: Look) -> SessionStatus | None:
    """Return a session's status; None if it is of another build, with other fields."""
    try:
        return SessionStatus.from_json(session)
    except BadRecord:
        return None


def _library(look: Look) -> LibraryStatus:
    return LibraryStatus.from_json(look["library"])
