"""Owns the session's door to other processes: a local socket, one thread a client.  Knows the wire, not the search.

A request is `{"version", "op", ...}`, a reply `{"version", "result"}` or `{"version", "error"}`; records travel as
their JSON (see `records.py`).
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any, Self

from photomap_cli.errors import InternalError, PhotomapError, ProtocolMismatch
from photomap_cli.frames import read_frame, write_frame
from photomap_cli.library.locks import FileLock
from photomap_cli.records import SearchRequest
from photomap_cli.session import address
from photomap_cli.session.address import PROTOCOL_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from photomap_cli.session.session import Session


MAX_REQUEST_BYTES = 1 << 20
_CLIENT_TIMEOUT_SECONDS = 600.0


class SessionServer:
    """Serves one session on its library's socket until closed.  A context manager.

    Args:
        session: what answers.
        on_stop: called, in a client's thread, when a client asks the session to end; None refuses that.
    """

    def __init__(self, session: Session, lock: FileLock, *, on_stop: Callable[[], None] | None = None) -> None:
        self._session, self._lock, self._on_stop = session, lock, on_stop
        self._path = address.socket_path(session.catalog.folder)
        self._clients: set[socket.socket] = set()
        self._listener = _listen(self._path)
        threading.Thread(target=self._accept, name="session-socket", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the socket away, then hang up on every client.  Idempotent."""
        with contextlib.suppress(OSError):
            self._path.unlink()
        _hang_up(self._listener)
        for client in list(self._clients):
            _hang_up(client)
        self._lock.release()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            self._clients.add(client)
            threading.Thread(target=self._serve, args=(client,), name="session-client", daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """Answer one client until it hangs up or talks nonsense."""
        try:
            with client, client.makefile("wb") as replies:
                client.settimeout(_CLIENT_TIMEOUT_SECONDS)
                while frame := read_frame(client.recv, max_json_bytes=MAX_REQUEST_BYTES, max_payload_bytes=0):
                    write_frame(replies, {"version": PROTOCOL_VERSION, **self._reply(frame[0])})
        except (OSError, ProtocolMismatch):
            pass
        finally:
            self._clients.discard(client)

    def _reply(self, message: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"result": self._answer(message)}
        except PhotomapError as error:
            return {"error": error.to_json()}
        except Exception as error:
            return {"error": InternalError(f"{type(error).__name__}: {error}").to_json()}

    def _answer(self, message: dict[str, Any]) -> dict[str, Any]:
        """Run one request; the result is the JSON of a record."""
        session = self._session
        match message:
            case {"version": version} if version != PROTOCOL_VERSION:
                raise ProtocolMismatch(
                    f"the session speaks version {PROTOCOL_VERSION}, not {version}", hint="end it and start it again"
                )
            case {"op": "search", "request": dict(request)}:
                result = session.search(SearchRequest.from_json(request))
                return result.served(f"session {session.status().pid}").to_json()
            case {"op": "status"}:
                return session.status().to_json()
            case {"op": "offload"}:
                return session.offload().to_json()
            case {"op": "load"}:
                return session.load().to_json()
            case {"op": "prewarm"}:
                session.prewarm()
                return session.status().to_json()
            case {"op": "set_idle_timeout", "seconds": int() | float() as seconds} if seconds >= 0:
                return session.set_idle_timeout(float(seconds)).to_json()
            case {"op": "stop"} if self._on_stop is not None:
                self._on_stop()
                return session.status().to_json()
            case {"op": "stop"}:
                raise PhotomapError("this session belongs to a prompt", hint="leave it there with :quit")
        raise ProtocolMismatch(f"the session does not understand {str(message)[:100]}")


def claim(library: Path) -> FileLock | None:
    """Return the held lock of this library's session, or None when a live session holds it.

    Raises:
        LibraryUnusable: the folder of the sockets is not this user's own.
    """
    lock = FileLock(address.private_folder() / address.socket_path(library).with_suffix(".lock").name)
    return lock if lock.try_acquire() else None


def _listen(path: Path) -> socket.socket:
    """Bind the socket, in place of a stale one; call with the library's lock held."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen(64)
    return listener


def _hang_up(connection: socket.socket) -> None:
    """Close a socket that another thread may be waiting on."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
