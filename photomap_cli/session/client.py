"""Owns the other end of a session's socket: the same methods as `Session`, for another process.  Light."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any, Self

from photomap_cli.errors import PhotomapError, ProtocolMismatch, SessionGone
from photomap_cli.frames import read_frame, write_frame
from photomap_cli.records import SearchRequest, SearchResult, SessionStatus
from photomap_cli.session import address
from photomap_cli.session.address import PROTOCOL_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


_CONNECT_SECONDS = 0.5
_STATUS_SECONDS = 2.0
_WATCH_SECONDS = 0.5


class SessionClient:
    """A live session, asked over its socket; a `Backend`.  A context manager.

    Searches and statuses use connections of their own, so that a status never waits behind a search.

    Raises (every method): SessionGone when the session ends or hangs up; whatever error the session itself raised.
    """

    def __init__(self, path: Path) -> None:
        self._work = _Connection(path, timeout=None)
        self._glance = _Connection(path, timeout=_STATUS_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def search(self, request: SearchRequest) -> SearchResult:
        """Answer one query by the session's warm encoder."""
        return SearchResult.from_json(self._work.ask("search", request=request.to_json()))

    def status(self) -> SessionStatus:
        """Say where the session's encoder is; gives up after two seconds."""
        return SessionStatus.from_json(self._glance.ask("status"))

    def offload(self) -> SessionStatus:
        """Take the session's encoder out of VRAM."""
        return SessionStatus.from_json(self._work.ask("offload"))

    def load(self) -> SessionStatus:
        """Bring the session's encoder to where queries run."""
        return SessionStatus.from_json(self._work.ask("load"))

    def prewarm(self) -> None:
        """Start bringing it there."""
        self._glance.ask("prewarm")

    def set_idle_timeout(self, seconds: float) -> SessionStatus:
        """Change the session's idle timeout, for everybody who uses it."""
        return SessionStatus.from_json(self._glance.ask("set_idle_timeout", seconds=seconds))

    def stop(self) -> SessionStatus:
        """Ask a session without a terminal to end."""
        return SessionStatus.from_json(self._glance.ask("stop"))

    def close(self) -> None:
        """Hang up; the session goes on."""
        self._work.close()
        self._glance.close()


class WatchingClient(SessionClient):
    """A client whose `status` never waits: a thread asks twice a second and the last answer is returned.

    Args:
        path: the session's socket.
        first: a status to begin with.
        on_change: called after every new status.
    """

    def __init__(self, path: Path, first: SessionStatus, on_change: Callable[[], None]) -> None:
        super().__init__(path)
        self._last: SessionStatus | SessionGone = first
        self._on_change = on_change
        self._closed = threading.Event()
        threading.Thread(target=self._watch, name="session-watch", daemon=True).start()

    def status(self) -> SessionStatus:
        """Return what the session last said; raises SessionGone once it has stopped answering."""
        last = self._last
        if isinstance(last, SessionGone):
            raise SessionGone(last.message)
        return last

    def close(self) -> None:
        """Stop asking and hang up."""
        self._closed.set()
        super().close()

    def _watch(self) -> None:
        while not self._closed.wait(_WATCH_SECONDS):
            try:
                self._last = super().status()
            except SessionGone as error:
                self._last = error
            self._on_change()


class _Connection:
    """One socket, one request at a time, opened at the first."""

    def __init__(self, path: Path, *, timeout: float | None) -> None:
        self._path, self._timeout = path, timeout
        self._asking = threading.Lock()
        self._socket: socket.socket | None = None

    def ask(self, op: str, **values: Any) -> dict[str, Any]:
        """Send one request and return the `result` of its reply."""
        with self._asking:
            try:
                connection = self._socket or self._open()
                with connection.makefile("wb") as requests:
                    write_frame(requests, {"version": PROTOCOL_VERSION, "op": op, **values})
                frame = read_frame(connection.recv, max_payload_bytes=0)
            except (OSError, ProtocolMismatch) as error:
                self._drop()
                raise SessionGone("the live session is gone") from error
            if frame is None:
                self._drop()
                raise SessionGone("the live session ended")
        reply = frame[0]
        if "error" in reply:
            raise PhotomapError.from_json(reply["error"])
        result: dict[str, Any] = reply["result"]
        return result

    def close(self) -> None:
        """Hang up, also on a request that another thread waits for."""
        connection = self._socket
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        with self._asking:
            self._drop()

    def _open(self) -> socket.socket:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(_CONNECT_SECONDS)
        self._socket.connect(str(self._path))
        self._socket.settimeout(self._timeout)
        return self._socket

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def find(library: Path) -> SessionClient | None:
    """Return a client of the library's live session, or None when there is none that answers."""
    path = address.socket_path(library)
    if not address.SUPPORTED or path not in address.sockets():
        return None
    client = SessionClient(path)
    try:
        client.status()
    except SessionGone:
        client.close()
        return None
    return client


def watch(library: Path, on_change: Callable[[], None]) -> WatchingClient | None:
    """Return a watching client of the library's live session, or None when there is none that answers."""
    found = find(library)
    if found is None:
        return None
    with found:
        return WatchingClient(address.socket_path(library), found.status(), on_change)


def live_sessions() -> list[SessionStatus]:
    """Return the status of every live session of this user, oldest first; stale sockets are passed over."""
    if not address.SUPPORTED:
        return []
    found = []
    for path in address.sockets():
        with SessionClient(path) as client, contextlib.suppress(SessionGone):
            found.append(client.status())
    return sorted(found, key=lambda status: status.started_at)
