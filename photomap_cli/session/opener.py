"""Owns opening the prompt's session: it takes over the one that indexed a new library, with its encoder process."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from photomap_cli.errors import LibraryBusy, PhotomapError
from photomap_cli.library.file_lock import only_writer
from photomap_cli.session import attach, libraries

if TYPE_CHECKING:
    from photomap_cli.session.backend import Backend
    from photomap_cli.session.session import Session
    from photomap_cli.settings import Settings


class SessionOpener:
    """Opens the prompt's session.

    Args:
        library: its folder.
        read_settings: called for each session that is opened.

    Attributes:
        begun: the session that `begin` opened, until `open` returns it.
    """

    def __init__(self, library: Path, read_settings: Callable[[], Settings]) -> None:
        self.library = library
        self._read_settings = read_settings
        self._subscribers: list[Callable[[], None]] = []
        self.begun: Session | None = None
        self._has_made_folder = False

    def subscribe(self, on_change: Callable[[], None]) -> None:
        """Call `on_change` whenever the encoder's place changes, from any thread."""
        self._subscribers.append(on_change)

    def begin(self, encoder: str | None = None) -> Session:
        """Open a session in this process, creating the library if there is none; `open` will return it.

        If another process has the library's session, this one is private, and `open` will attach to the other.

        Raises:
            PhotomapError: see `Session.open`.
        """
        from photomap_cli.session.session import Session

        self._has_made_folder = not self.library.exists() and not libraries.is_shared(self.library)
        settings = self._read_settings()
        try:
            self.begun = attach.host(
                self.library, settings, kind="repl", encoder=encoder, create=True, on_change=self._on_change
            )
        except LibraryBusy:
            self.begun = Session.open(self.library, settings, encoder=encoder, create=True)
        return self.begun

    def open(self) -> Backend:
        """Return the session that was begun, once; else attach to the library's session, or open one."""
        if self.begun is not None and self.begun.kind == "repl":
            begun, self.begun = self.begun, None
            return begun
        self.close()
        return attach.attach_or_open(self.library, self._read_settings(), kind="repl", on_change=self._on_change)

    def close(self) -> None:
        """Close the session that was begun, if nobody has taken it over."""
        begun, self.begun = self.begun, None
        if begun is not None:
            begun.close()

    def give_up(self) -> None:
        """Close the session that was begun; a folder that was made for it goes, if nobody has put photos into it."""
        self.close()
        if self._has_made_folder:
            with suppress(PhotomapError), only_writer(self.library):
                if not libraries.facts(self.library)["photos"]:
                    shutil.rmtree(self.library, ignore_errors=True)

    def _on_change(self) -> None:
        for tell in self._subscribers:
            tell()
