"""Owns completing albums and saved searches, read from their file each time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from photomap_cli.library.location import library_directory
from photomap_cli.pathnames import key
from photomap_cli.views.formatting import photos

if TYPE_CHECKING:
    from photomap_cli.repl.completion.completer import Conversation


def albums(state: Conversation) -> list[tuple[str, str]]:
    """Return the albums, each with its number of photos; empty if they can't be read."""
    from photomap_cli.library import user_data  # not before the first prompt

    with suppress(Exception):  # the query or command reports it
        if library := _library(state):
            return [(name, photos(count)) for name, count in user_data.albums(library)]
    return []


def searches(state: Conversation) -> list[tuple[str, str]]:
    """Return the saved searches, each with its text; empty if they can't be read."""
    from photomap_cli.library import user_data

    with suppress(Exception):
        if library := _library(state):
            return list(user_data.searches(library).items())
    return []


def named(typed: str, values: Iterable[tuple[str, str]], *, mark: str = "") -> Iterator[tuple[str, str]]:
    """Yield completions of `typed`, a name after a mark, each with its description."""
    begun = key(typed.removeprefix(mark).removeprefix('"'))
    for name, meta in values:
        if begun in key(name):
            yield mark + (f'"{name}"' if " " in name else name), meta


def _library(state: Conversation) -> Path | None:
    backend = state.connection.current
    return None if backend is None else library_directory(backend.status().library)
