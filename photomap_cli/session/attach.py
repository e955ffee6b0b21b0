"""Owns choosing who answers: the library's live session, else a new one that others can use too."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from photomap_cli.errors import LibraryBusy, PhotomapError
from photomap_cli.session import client, libraries, socket_dir, transport, unix_socket

if TYPE_CHECKING:
    from photomap_cli.library.file_lock import FileLock
    from photomap_cli.session.backend import Backend
    from photomap_cli.session.server import SessionServer
    from photomap_cli.session.session import Session
    from photomap_cli.settings import Settings

FIRST_LOOK_AFTER_SECONDS = 5.0
TIMEOUT_SECONDS, _END_SECONDS = 10.0, 0.3


def attach_or_open(
    library: Path,
    settings: Settings,
    *,
    kind: str,
    on_change: Callable[[], None] = lambda: None,
) -> Backend:
    """Return a client of the library's live session, or a new session that serves others too.

    Args:
        library: its folder.
        settings: for a new session.
        kind: "repl" or "serve", for a new session.
        on_change: called whenever the encoder's place changes.

    Raises:
        EmptyLibrary, LibraryUnusable, UnknownEncoder: see `Session.open`.
        SessionSilent: a session holds the library but does not answer.
    """
    give_up_at = time.monotonic() + TIMEOUT_SECONDS
    while True:
        if live := client.watch(library, on_change):
            return live
        try:
            return host(library, settings, kind=kind, on_change=on_change)
        except LibraryBusy as busy:  # a session that has just claimed the library, or is about to leave
            if time.monotonic() > give_up_at:
                raise transport.silent_session(socket_dir.holder(socket_dir.socket_path(library))) from busy
            time.sleep(0.05)


def host(
    library: Path,
    settings: Settings,
    *,
    kind: str,
    encoder: str | None = None,
    create: bool = False,
    on_change: Callable[[], None] = lambda: None,
    on_stop: Callable[[], None] | None = None,
    log: Path | None = None,
) -> Session:
    """Return a new session that listens on the library's socket; closing it removes the socket.

    Args:
        library, settings, kind, on_change: see `attach_or_open`.
        encoder, create: see `Session.open`.
        on_stop: called when a client asks it to end.
        log: the file that this process writes to, for the session's status.

    Raises:
        LibraryBusy: another live session holds the library.
        PhotomapError: `serve` on a system without sessions.  Otherwise as `attach_or_open`.
    """
    from photomap_cli.session.session import Session

    def open_session() -> Session:
        opened = Session.open(library, settings, kind=kind, encoder=encoder, create=create, on_change=on_change)
        if settings.watch != "off" and not libraries.is_shared(library):
            _watch(opened)
        return opened

    if not unix_socket.HAS_SESSIONS:
        if kind == "serve":
            raise PhotomapError("sessions don't work on this system", hint="prompts and searches work without them")
        return open_session()
    from photomap_cli.session.server import SessionServer, claim

    lock = claim(library)
    if lock is None:
        raise LibraryBusy("another session is using this library", hint="`photomap status` shows it")
    with ExitStack() as opened:
        opened.callback(lock.release)
        session = opened.enter_context(open_session())
        session.log = log
        session.listener = _Listener(library, lambda held: SessionServer(session, held, on_stop=on_stop), lock)
        session.on_close(session.listener.close)
        opened.pop_all()
    return session


def _watch(session: Session) -> None:
    """Start finding new photos, on a thread that imports what it needs after the session had time for a first query."""
    stop = threading.Event()

    def keep_up_to_date() -> None:
        if not stop.wait(FIRST_LOOK_AFTER_SECONDS):
            from photomap_cli.session.background_indexer import BackgroundIndexer

            BackgroundIndexer(session, stop).run()

    def end() -> None:
        stop.set()
        thread.join(_END_SECONDS)  # this also ends its request to the encoder

    thread = threading.Thread(target=keep_up_to_date, name="background-indexer", daemon=True)
    session.on_close(end)
    thread.start()


class _Listener:
    """A server that can be closed, to let another session have the library, and reopened.

    Args:
        library: its folder.
        serve: opens the server, with the library's lock held.
        lock: the library's lock, already held.
    """

    def __init__(self, library: Path, serve: Callable[[FileLock], SessionServer], lock: FileLock) -> None:
        self._library, self._serve = library, serve
        self._server: SessionServer | None = serve(lock)

    def open(self) -> bool:
        from photomap_cli.session.server import claim

        if self._server is None and (lock := claim(self._library)) is not None:
            with ExitStack() as opened:
                opened.callback(lock.release)
                self._server = self._serve(lock)
                opened.pop_all()
        return self._server is not None

    def close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
