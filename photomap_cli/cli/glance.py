"""Owns the answers that a shell prompt or a tmux bar asks for all day, without Typer: version and `status --json`.

Typer brings pydantic, together some 170 ms on two cores; these need 40.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from photomap_cli import __version__, directories
from photomap_cli.cli.words import split_globals
from photomap_cli.errors import EmptyLibrary, PhotomapError
from photomap_cli.records import JSON_VERSION, LibraryStatus

if TYPE_CHECKING:
    from photomap_cli.records import SessionStatus


def answer(arguments: list[str]) -> int | None:
    """Answer one of the few command lines that are answered here; None for every other, and for what goes wrong."""
    if arguments == ["--version"]:
        print_version()
        return 0
    options, command = split_globals(arguments)
    if command != ["status", "--json"]:
        return None
    try:
        print(status_json(*look(directories.library_directory(_library(options)))))
    except PhotomapError:
        return None
    return 0


def print_version() -> None:
    """Print the one line of `--version`."""
    print(f"photomap {__version__}")


def look(folder: Path) -> tuple[list[SessionStatus], LibraryStatus]:
    """Return the live sessions and the library, without waking or creating anything."""
    from photomap_cli.library.summary import summary
    from photomap_cli.session.client import live_sessions

    try:
        library = summary(folder)
    except EmptyLibrary:
        library = LibraryStatus(str(folder), 0, None, None, 0, None, ())
    return live_sessions(), library


def status_json(sessions: list[SessionStatus], library: LibraryStatus) -> str:
    """Return what `status --json` prints."""
    told = [session.to_json() for session in sessions]
    return json.dumps({"version": JSON_VERSION, "sessions": told, "library": library.to_json()})


def _library(options: list[str]) -> Path | None:
    """Return the folder that --library names; the last one counts, as with Typer."""
    named = None
    for before, word in zip(["", *options], options, strict=False):
        if before == "--library":
            named = Path(word)
        elif word.startswith("--library="):
            named = Path(word.removeprefix("--library="))
    return named
