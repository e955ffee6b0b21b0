"""Owns `photomap` without a command: the prompt, or without a terminal, answers to lines of standard input."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from photomap_cli import directories
from photomap_cli.cli import settings_cache
from photomap_cli.errors import PhotomapError
from photomap_cli.repl.pipe_frontend import has_screen, run_lines
from photomap_cli.views.output import say

if TYPE_CHECKING:
    from photomap_cli.images.thumbnails import Thumbnailer
    from photomap_cli.job_control import Suspension
    from photomap_cli.records import Facets, IndexReport
    from photomap_cli.records.browse import BrowseOutcome, BrowseRequest
    from photomap_cli.repl.connection import Connection
    from photomap_cli.session.backend import Backend
    from photomap_cli.session.opener import SessionOpener
    from photomap_cli.settings import Settings


def run_interactive(library: Path, *, is_demo: bool = False, opener: SessionOpener | None = None) -> int:
    """Talk until the user leaves or the input ends; returns the exit status.

    Args:
        library: its folder.
        is_demo: search the demo's photos, not those of the current folder.
        opener: may already have a session, which the prompt takes over.

    Raises:
        BadSetting: a setting is invalid; the prompt raises it after its first paint, since reading them takes 0.15 s.
    """
    directories.release_working_directory()
    host = LibraryHost(library, is_demo=is_demo, opener=opener)
    cwd = directories.working_directory()
    if not has_screen(sys.stdin, sys.stdout):
        limit = settings_cache.load().results
        return run_lines(
            host.open_backend, open_thumbnailer=host.open_thumbnailer, cwd=cwd, limit=limit, index=host.index
        )
    if not _has_photos(library) and not _is_welcome(host.opener):
        return 0
    from photomap_cli.repl.repl import Repl
    from photomap_cli.views.console import console_on
    from photomap_cli.views.previews import Previews

    console = console_on()
    previews = Previews(console, host.open_thumbnailer)
    with closing(host):
        return Repl(host, console=console, previews=previews, cwd=cwd, history_path=directories.history_file()).run()


class LibraryHost:
    """A library as the prompt's host; imports what it needs on demand."""

    def __init__(self, library: Path, *, is_demo: bool, opener: SessionOpener | None) -> None:
        self.library, self._is_demo, self._opener = library, is_demo, opener
        self._subscribers: list[Callable[[], None]] = []
        if opener is not None:
            opener.subscribe(self._on_change)

    @property
    def opener(self) -> SessionOpener:
        """The opener of the library's sessions."""
        if self._opener is None:
            from photomap_cli.session.opener import SessionOpener

            self._opener = SessionOpener(self.library, settings_cache.load)
            self._opener.subscribe(self._on_change)
        return self._opener

    def open_backend(self) -> Backend:
        """Take over the session that indexed the library, attach to the library's live session, or open one."""
        return self.opener.open()

    def close(self) -> None:
        """Close a session that was opened for a prompt but never used."""
        if self._opener is not None:
            self._opener.close()

    def open_thumbnailer(self) -> Thumbnailer:
        """Open what makes thumbnails."""
        from photomap_cli.images.thumbnails import Thumbnailer

        return Thumbnailer(self.library, settings_cache.load)

    def settings(self) -> Settings:
        """Return the user's settings.  Raises BadSetting."""
        return settings_cache.load()

    def first_scope(self) -> str | None:
        """Return all of the library for the demo, else the usual scope."""
        return "*" if self._is_demo else None

    def default_folder(self) -> str:
        """Return the working directory if it is a part of what the library covers."""
        from photomap_cli.library import paths
        from photomap_cli.session import libraries

        return paths.part(str(directories.working_directory()), libraries.covered(self.library))

    def first_note(self) -> str:
        """Return a notice about photos in the working directory that aren't in the library."""
        from photomap_cli.cli import first_run

        return "" if self._is_demo else first_run.note_on(directories.working_directory(), self.library)

    def index(self, backend: Backend, folders: Sequence[Path]) -> tuple[bool, IndexReport]:
        """Bring folders up to date: with the session if it is in this process, else with a new one."""
        from photomap_cli.cli.index_run import run_index, update_library
        from photomap_cli.indexing.index_options import IndexOptions
        from photomap_cli.session.session import Session

        settings = settings_cache.load()
        options = IndexOptions.of(settings)
        if isinstance(backend, Session):
            return run_index(backend, list(folders), options, quiet=False)
        pid = backend.status().pid
        say(f"photomap: indexing with an encoder of its own; session {pid} keeps answering")
        return update_library(self.library, settings, None, list(folders), options, quiet=False)

    def facets(self) -> Facets:
        """Read what the library's photos can be filtered by."""
        from photomap_cli.session import libraries

        return libraries.facets(self.library)

    def browse(self, connection: Connection, request: BrowseRequest, suspension: Suspension) -> BrowseOutcome:
        """Show the gallery over the prompt's session."""
        from photomap_cli.cli import gallery

        return gallery.run_inside(self, connection, request, suspension)

    def subscribe(self, on_change: Callable[[], None]) -> None:
        """Call `on_change` whenever the encoder's place changes."""
        self._subscribers.append(on_change)

    def _on_change(self) -> None:
        for tell in self._subscribers:
            tell()


def _has_photos(library: Path) -> bool:
    """Whether there is anything to search, or something that the prompt will tell: 8 ms before its paint."""
    from photomap_cli.session import libraries

    try:
        return libraries.is_shared(library) or (library.is_dir() and libraries.facts(library)["photos"] > 0)
    except PhotomapError:
        return True


def _is_welcome(opener: SessionOpener) -> bool:
    from photomap_cli.cli import first_run

    return first_run.offer(opener, settings_cache.load())
