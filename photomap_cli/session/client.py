"""Owns the other end of a session's socket: the same methods as `Session`, for another process.  Light."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from photomap_cli.errors import PhotomapError, ProtocolMismatch, SessionGone
from photomap_cli.frames import read_frame, write_frame
from photomap_cli.records import SearchRequest, SearchResult, SessionStatus
from photomap_cli.session import address, system
from photomap_cli.session.address import PROTOCOL_VERSION
from photomap_cli.session.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


_CONNECT_SECONDS = 0.5
_STATUS_SECONDS = 2.0
_WATCH_SECONDS = 0.5
_REFERENCE = re.compile(r"#(\d{1,6})")


class SessionClient:
    """A live session, asked over its socket; a `Backend`.  A context manager.

    Searches and statuses use connections of their own, so that a status never waits behind a search.

    Raises (every method): SessionGone when the session ends or hangs up; ProtocolMismatch when it is of another
    version; SessionFull when it has too many clients; whatever error the session itself raised.
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
        return SearchResult.from_json(self._work.ask("search", request=_slim(request).to_json()))

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
            except PhotomapError:
                continue  # too many clients: the last status stands until there is room
            self._on_change()


class _Connection:
    """One socket, one request at a time, opened at the first."""

    def __init__(self, path: Path, *, timeout: float | None) -> None:
        self._path, self._timeout = path, timeout
        self._asking = threading.Lock()
        self._socket: socket.socket | None = None

    def ask(self, op: str, **values: Any) -> dict[str, Any]:
        """Send one request and return the `result` of its reply."""
        request = {"version": PROTOCOL_VERSION, "op": op, **values}
        with self._asking:
            reply = self._exchange(request)
        if "error" in reply:
            raise PhotomapError.from_json(reply["error"])
        if reply.get("version") != PROTOCOL_VERSION:
            raise ProtocolMismatch(
                f"the session speaks protocol version {reply.get('version')}, this photomap {PROTOCOL_VERSION}",
                hint="two versions of photomap are in use: end the session and start it again, or search with --local",
            )
        result: dict[str, Any] = reply["result"]
        return result

    def _exchange(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send a frame and return the frame that answers it."""
        try:
            connection = self._kept() or self._open()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused: the reason is there to read
                _send(connection, request)
            frame = read_frame(connection.recv, max_json_bytes=LIMITS.reply_bytes, max_payload_bytes=0)
        except (OSError, ProtocolMismatch) as error:
            self._drop()
            raise SessionGone("the live session is gone") from error
        if frame is None:
            self._drop()
            raise SessionGone("the live session ended")
        return frame[0]

    def close(self) -> None:
        """Hang up, also on a request that another thread waits for."""
        connection = self._socket
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        with self._asking:
            self._drop()

    def _kept(self) -> socket.socket | None:
        """Return the connection of the last request, unless the session has tired of its silence."""
        if self._socket is not None and system.has_hung_up(self._socket):
            self._drop()
        return self._socket

    def _open(self) -> socket.socket:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(_CONNECT_SECONDS)
        self._socket.connect(str(self._path))
        if system.user_of(self._socket) not in (None, system.user()):
            raise PermissionError(f"{self._path} is served by another user")
        self._socket.settimeout(self._timeout)
        return self._socket

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _send(connection: socket.socket, request: dict[str, Any]) -> None:
    try:
        with connection.makefile("wb") as requests:
            write_frame(requests, request, max_json_bytes=LIMITS.request_bytes)
    except ProtocolMismatch as error:
        raise PhotomapError(f"the request is too large: {error.message}", hint="ask for less at once") from error


def _slim(request: SearchRequest) -> SearchRequest:
    """Return the request with only those references that its text can mean: ten thousand paths are a megabyte."""
    named = {int(number) for number in _REFERENCE.findall(request.text)}
    kept = (path if number in named else "" for number, path in enumerate(request.references, 1))
    return replace(request, references=tuple(kept) if named else ())


def find(library: Path) -> SessionClient | None:
    """Return a client of the library's live session, or None when there is none that answers.

    Raises:
        ProtocolMismatch, SessionFull: there is one, and it will not serve us.
    """
    path = address.socket_path(library)
    if not system.HAS_SESSIONS or path not in address.sockets():
        return None
    with contextlib.suppress(SessionGone), contextlib.ExitStack() as unanswered:
        client = unanswered.enter_context(SessionClient(path))
        client.status()
        unanswered.pop_all()
        return client
    return None


def watch(library: Path, on_change: Callable[[], None]) -> WatchingClient | None:
    """Return a watching client of the library's live session, or None when there is none that answers."""
    found = find(library)
    if found is None:
        return None
    with found:
        return WatchingClient(address.socket_path(library), found.status(), on_change)


def live_sessions() -> list[SessionStatus]:
    """Return the status of every live session of this user, oldest first; stale sockets are passed over."""
    if not system.HAS_SESSIONS:
        return []
    found = []
    for path in address.sockets():
        with SessionClient(path) as client, contextlib.suppress(SessionGone):
            found.append(client.status())
    return sorted(found, key=lambda status: status.started_at)
