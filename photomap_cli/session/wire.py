"""Owns one process's line to a live session: a request out, its reply in, both JSON.  Light: knows no records."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any

from photomap_cli.errors import PhotomapError, ProtocolMismatch, SessionGone
from photomap_cli.frames import read_frame, write_frame
from photomap_cli.session import address, system
from photomap_cli.session.address import PROTOCOL_VERSION
from photomap_cli.session.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TWO_VERSIONS = "two versions of photomap are in use: end the session and start it again, or search with --local"
_CONNECT_SECONDS = 0.5
_GLANCE_SECONDS = 10.0  # a session answers in a millisecond; one that is given up wrongly costs a load of the encoder


class Line:
    """Two connections to one session: `work` may wait for long, `glance` never waits behind it.

    Raises (both): SessionGone when the session ends or hangs up; ProtocolMismatch when it is of another version;
    SessionFull when it has too many clients; whatever error the session itself raised.
    """

    def __init__(self, path: Path) -> None:
        self._work = _Connection(path, timeout=None)
        self._glance = _Connection(path, timeout=_GLANCE_SECONDS)

    def work(self, op: str, **values: Any) -> dict[str, Any]:
        """Send a request that may take its time and return the `result` of the reply."""
        return self._work.ask(op, **values)

    def glance(self, op: str, **values: Any) -> dict[str, Any]:
        """Send a request that is answered at once; gives up after ten seconds."""
        return self._glance.ask(op, **values)

    def close(self) -> None:
        """Hang up; the session goes on."""
        self._work.close()
        self._glance.close()


def find(library: Path) -> Line | None:
    """Return a line to the library's live session, or None when there is none that answers.

    Raises:
        ProtocolMismatch, SessionFull: there is one, and it will not serve us.
    """
    path = address.socket_path(library)
    if not system.HAS_SESSIONS or path not in address.sockets():
        return None
    with contextlib.suppress(SessionGone), contextlib.ExitStack() as unanswered:
        line = unanswered.enter_context(contextlib.closing(Line(path)))
        line.glance("status")
        unanswered.pop_all()
        return line
    return None


def statuses() -> list[dict[str, Any]]:
    """Return the status of every live session of this user as JSON, oldest first; stale sockets are passed over."""
    if not system.HAS_SESSIONS:
        return []
    return sorted(_answers(), key=lambda status: str(status.get("started_at")))


def _answers() -> Iterator[dict[str, Any]]:
    for path in address.sockets():
        with contextlib.closing(Line(path)) as line, contextlib.suppress(SessionGone):
            yield line.glance("status")


class _Connection:
    """One socket, one request at a time, opened at the first."""

    def __init__(self, path: Path, *, timeout: float | None) -> None:
        self._path, self._timeout = path, timeout
        self._asking = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_closed = False

    def ask(self, op: str, **values: Any) -> dict[str, Any]:
        """Send one request and return the `result` of its reply."""
        request = {"version": PROTOCOL_VERSION, "op": op, **values}
        with self._asking:
            reply = self._exchange(request)
        match reply:
            case {"error": dict(error)}:
                raise PhotomapError.from_json(error)
            case {"version": version, "result": dict(result)} if version == PROTOCOL_VERSION:
                return result
        raise ProtocolMismatch(
            f"the session speaks protocol version {reply.get('version')}, this photomap {PROTOCOL_VERSION}",
            hint=TWO_VERSIONS,
        )

    def _exchange(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send a frame and return the frame that answers it.

        A session hangs up on silence, and a request may come in that very moment: it is made once more.
        """
        try:
            frame = _answer(self._kept() or self._open(), request) or _answer(self._open(), request)
        except (OSError, ProtocolMismatch) as error:
            self._drop()
            raise SessionGone("the live session is gone") from error
        if frame is None:
            self._drop()
            raise SessionGone("the live session ended")
        return frame[0]

    def close(self) -> None:
        """Hang up, also on a request that another thread waits for."""
        self._is_closed = True
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
        self._drop()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(_CONNECT_SECONDS)
        self._socket.connect(str(self._path))
        if system.user_of(self._socket) not in (None, system.user()):
            raise PermissionError(f"{self._path} is served by another user")
        self._socket.settimeout(self._timeout)
        if self._is_closed:
            raise ConnectionAbortedError("hung up meanwhile")
        return self._socket

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _answer(connection: socket.socket, request: dict[str, Any]) -> tuple[dict[str, Any], bytes] | None:
    """Return the frame that answers a request, or None when the session hangs up on it."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused: the reason is there to read
        _send(connection, request)
    try:
        return read_frame(connection.recv, max_json_bytes=LIMITS.reply_bytes, max_payload_bytes=0)
    except ConnectionResetError:
        return None


def _send(connection: socket.socket, request: dict[str, Any]) -> None:
    try:
        with connection.makefile("wb") as requests:
            write_frame(requests, request, max_json_bytes=LIMITS.request_bytes)
    except ProtocolMismatch as error:
        raise PhotomapError(f"the request is too large: {error.message}", hint="ask for less at once") from error
