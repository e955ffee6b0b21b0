"""Owns the session's door to other processes: a local socket, who may come in, one thread a client.

What a request means is `handlers.py`'s, how a client is read and answered `peer.py`'s.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
from typing import TYPE_CHECKING, Any, Self

from photomap_cli.errors import InternalError, LibraryUnusable, PhotomapError, ProtocolMismatch, SessionFull
from photomap_cli.library.file_lock import FileLock
from photomap_cli.session import socket_dir
from photomap_cli.session.handlers import RequestHandlers
from photomap_cli.session.limits import LIMITS, Limits
from photomap_cli.session.peer import Peer, PeerGone

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from photomap_cli.session.session import Session

log = logging.getLogger(__name__)
_BACKLOG = 128  # what macOS allows; connecting takes the accepting thread some 0.1 ms
_ACCEPT_AGAIN_SECONDS = 0.1


class SessionServer:
    """Serves one session on its library's socket until closed.  A context manager.

    Args:
        session: what answers.
        lock: the library's, held; released on closing.
        on_stop: called, in a client's thread, when a client asks the session to end; None refuses that.
        limits: what clients are granted.
    """

    def __init__(
        self,
        session: Session,
        lock: FileLock,
        *,
        on_stop: Callable[[], None] | None = None,
        limits: Limits = LIMITS,
    ) -> None:
        self._service, self._lock, self._limits = RequestHandlers(session, on_stop), lock, limits
        self._path = socket_dir.socket_path(session.catalog.folder)
        self._callers: set[Peer] = set()
        self._changing = threading.Lock()
        self._closed = threading.Event()
        self._listener = _listen(self._path)
        try:
            threading.Thread(target=self._accept, name="session-socket", daemon=True).start()
        except RuntimeError:  # the system has no room for a thread
            self._listener.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the socket away, let go of the library, then hang up on every client.  Idempotent."""
        with self._changing:
            if self._closed.is_set():
                return
            self._closed.set()
            callers = list(self._callers)
        with contextlib.suppress(OSError):
            self._path.unlink()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the accepting thread
        self._listener.close()
        self._lock.release()  # whoever is hung up on may start the next session at once
        for caller in callers:
            caller.hang_up()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError as error:  # closed; or no file descriptors left, which passes
                if not self._closed.wait(_ACCEPT_AGAIN_SECONDS):
                    log.warning("a client could not be let in: %s", error)
                continue
            self._admit(Peer(connection, self._limits))

    def _admit(self, caller: Peer) -> None:
        """Give a client a thread, or a word of refusal."""
        try:
            self._require_welcome(caller)
            threading.Thread(target=self._serve, args=(caller,), name="session-client", daemon=True).start()
        except PhotomapError as error:
            self._leave(caller, error)
        except (OSError, RuntimeError):  # gone already; or no thread to be had
            self._leave(caller, None)

    def _require_welcome(self, caller: Peer) -> None:
        """Count the client in, or say why not."""
        if not caller.is_this_user:
            raise PhotomapError("this session belongs to another user", hint="each user has sessions of their own")
        with self._changing:
            if len(self._callers) >= self._limits.clients or self._closed.is_set():
                raise SessionFull(
                    f"the session serves {self._limits.clients} clients already, the most it takes",
                    hint="try again in a moment, or search with --local",
                )
            self._callers.add(caller)

    def _serve(self, caller: Peer) -> None:
        """Answer one client until it hangs up, talks nonsense or takes too long."""
        farewell: PhotomapError | None = None
        try:
            while (message := caller.read()) is not None:
                self._answer(caller, message)
        except ProtocolMismatch as error:
            farewell = error
        except (OSError, PeerGone):
            pass
        finally:
            self._leave(caller, farewell)

    def _answer(self, caller: Peer, message: dict[str, Any]) -> None:
        try:
            result = self._service.answer(message, caller.check_present)
        except PhotomapError as error:
            caller.refuse(error)
        except PeerGone:
            raise
        except Exception as error:
            log.exception("a request failed")
            caller.refuse(InternalError(f"{type(error).__name__}: {error}"))
        else:
            try:
                caller.reply(result)
            finally:
                self._service.replied(message)

    def _leave(self, caller: Peer, farewell: PhotomapError | None) -> None:
        """Hang up on a client, with a last word if there is one, and make room for the next."""
        with contextlib.suppress(OSError):
            if farewell is not None:
                caller.refuse(farewell)
        caller.close()
        with self._changing:
            self._callers.discard(caller)


def claim(library: Path) -> FileLock | None:
    """Return the held lock of this library's session, or None when a live session holds it.

    Raises:
        LibraryUnusable: the folder of the sockets, or the lock in it, is not this user's own.
    """
    socket_dir.private_folder()
    lock = FileLock(socket_dir.lock_path(library))
    try:
        return lock if lock.try_acquire() else None
    except OSError as error:
        raise LibraryUnusable(f"{lock.path}: {error.strerror}", hint="remove it, or set XDG_RUNTIME_DIR") from error


def _listen(path: Path) -> socket.socket:
    """Bind the socket, in place of a stale one; call with the library's lock held."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(os.fspath(path))
        path.chmod(0o600)
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener
