"""Owns the session's server for other processes: a local socket, access checks, one thread per client.

`handlers.py` gives requests their meaning, `peer.py` reads and answers a client.
"""

from __future__ import annotations

import logging
import os
import socket
import socketserver
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from photomap_cli.errors import LibraryUnusable, PhotomapError, SessionFull
from photomap_cli.library.file_lock import FileLock
from photomap_cli.session import peer, socket_dir, unix_socket
from photomap_cli.session.handlers import RequestHandlers
from photomap_cli.session.limits import LIMITS, Limits

if TYPE_CHECKING:
    from photomap_cli.session.session import Session

log = logging.getLogger(__name__)
_ACCEPT_AGAIN_SECONDS = 0.1
_POLL_SECONDS = 1.0  # how soon closing is noticed where shutting down a listening socket wakes nobody, as on macOS


class SessionServer(socketserver.ThreadingUnixStreamServer):
    """Serves one session on its library's socket until closed.  A context manager.

    Args:
        session: answers the requests.
        lock: the library's, already held; released on closing.
        on_stop: called, in a client's thread, when a client asks the session to end; None refuses that.
        limits: of the clients.
    """

    daemon_threads, block_on_close = True, False
    request_queue_size = 128  # what macOS allows; connecting takes the accepting thread some 0.1 ms

    def __init__(
        self,
        session: Session,
        lock: FileLock,
        *,
        on_stop: Callable[[], None] | None = None,
        limits: Limits = LIMITS,
    ) -> None:
        self.handlers, self.limits, self._lock = RequestHandlers(session, on_stop), limits, lock
        self._path = socket_dir.socket_path(session.catalog.folder)
        self._clients: set[socket.socket] = set()
        self._changing = threading.Lock()
        self._closed = threading.Event()
        super().__init__(os.fspath(self._path), peer.Peer)
        try:
            threading.Thread(
                target=self.serve_forever, args=(_POLL_SECONDS,), name="session-socket", daemon=True
            ).start()
        except RuntimeError:  # the system has no room for a thread
            self.server_close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the socket, release the library, then hang up on every client.  Idempotent."""
        with self._changing:
            if self._closed.is_set():
                return
            self._closed.set()
            clients = list(self._clients)
        with suppress(OSError):
            self._path.unlink()
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)  # wakes the accepting thread
        self.shutdown()
        self.server_close()
        self._lock.release()  # a client that is disconnected may start the next session at once
        for client in clients:
            _hang_up(client)

    # What socketserver calls ----------------------------------------------------------------------------------------

    def server_bind(self) -> None:
        """Bind the socket, replacing a stale one, which is safe with the library's lock held."""
        with suppress(FileNotFoundError):
            self._path.unlink()
        super().server_bind()
        self._path.chmod(0o600)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a client."""
        try:
            return super().get_request()
        except OSError as error:  # closed; or no file descriptors left, which passes
            if not self._closed.wait(_ACCEPT_AGAIN_SECONDS):
                log.warning("a client could not be let in: %s", error)
            raise

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Admit a client, or tell it why not."""
        with suppress(OSError):  # gone already
            request.settimeout(self.limits.seconds)
            try:
                self._require_welcome(request)
            except PhotomapError as error:
                request.sendall(peer.refusal(error))
            else:
                return True
        return False

    def shutdown_request(self, request: Any) -> None:
        """Hang up on a client and make room for the next."""
        _hang_up(request)
        request.close()
        with self._changing:
            self._clients.discard(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log that a client couldn't be served, for example if no thread could be started."""
        log.warning("a client could not be served: %s", sys.exc_info()[1])

    def _require_welcome(self, client: socket.socket) -> None:
        if unix_socket.user_of(client) not in (None, unix_socket.user()):
            raise PhotomapError("this session belongs to another user", hint="each user has sessions of their own")
        with self._changing:
            if len(self._clients) >= self.limits.clients or self._closed.is_set():
                raise SessionFull(
                    f"the session serves {self.limits.clients} clients already, its limit",
                    hint="try again in a moment, or search with --local",
                )
            self._clients.add(client)


def _hang_up(client: socket.socket) -> None:
    """End a connection, even while a thread is reading or writing."""
    with suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)


def claim(library: Path) -> FileLock | None:
    """Return the held lock of this library's session, or None when a live session holds it.

    Raises:
        LibraryUnusable: the folder of sockets, or the lock in it, doesn't belong to this user.
    """
    socket_dir.private_folder()
    lock = FileLock(socket_dir.lock_path(library))
    try:
        return lock if lock.try_acquire() else None
    except OSError as error:
        raise LibraryUnusable(f"{lock.path}: {error.strerror}", hint="remove it, or set XDG_RUNTIME_DIR") from error
