"""Owns a process's connection to a live session: a request out, its reply in, both JSON.  Light: knows no records."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from photomap_cli import cancellation
from photomap_cli.errors import PhotomapError, ProtocolMismatch, SessionGone, SessionSilent
from photomap_cli.session import json_lines, socket_dir, unix_socket
from photomap_cli.session.json_lines import TWO_VERSIONS
from photomap_cli.session.limits import LIMITS
from photomap_cli.session.socket_dir import PROTOCOL_VERSION

if TYPE_CHECKING:
    from photomap_cli.records import Record

Reply = TypeVar("Reply", bound="Record")
CONNECT_SECONDS = 0.5
CHECK_SECONDS = 1.0
_CHUNK_BYTES = 256 << 10
_LIFE_SIGN_CHECKS = 5  # how long a long request waits before the other connection asks whether the session is alive
_STOPPED_CHECKS = 2  # in a row


class Timeouts(NamedTuple):
    """How long to wait for what a session answers in a millisecond; giving up wrongly costs loading an encoder.

    Attributes:
        first: seconds until a notice, and until a session known to be suspended is given up.
        whole: seconds until any session is given up.
    """

    first: float
    whole: float


TIMEOUTS = Timeouts(1.0, 5.0)


class Transport:
    """Two connections to one session: a `long_request` may wait for long, a `request` never waits behind it.

    Args:
        path: the session's socket.
        tell: called with a notice when it takes longer than a moment.
        timeouts: how long a `request` waits; a `long_request` waits for as long as the session gives signs of life.

    Raises (both): SessionGone when the session ends or hangs up; SessionSilent when it does not answer;
    ProtocolMismatch when it has another version; SessionFull when it has too many clients; any error the session
    itself raised.
    """

    def __init__(
        self, path: Path, *, tell: Callable[[str], None] = lambda _: None, timeouts: Timeouts | None = None
    ) -> None:
        self._timeouts, self._tell = timeouts or TIMEOUTS, tell
        self._slow = _Connection(path, self._timeouts.whole)
        self._quick = _Connection(path, self._timeouts.whole)

    @property
    def pid(self) -> int | None:
        """The session's process id, if known, once a connection is open."""
        return self._quick.pid or self._slow.pid

    def long_request(self, op: str, **values: Any) -> dict[str, Any]:
        """Send a request that may take its time and return the `result` of the reply.

        Raises Cancelled, within a second, when nobody waits for it any more; hanging up stops the session's work too.
        """
        checks, stopped = 0, 0

        def check() -> None:
            nonlocal checks, stopped
            cancellation.check()
            checks += 1
            stopped = stopped + 1 if _is_stopped(self._slow.pid) else 0
            if stopped >= _STOPPED_CHECKS:
                raise silent_session(self._slow.pid)
            if checks % _LIFE_SIGN_CHECKS == 0:
                self.request("status")

        return self._slow.ask(op, check, CHECK_SECONDS, **values)

    def request(self, op: str, **values: Any) -> dict[str, Any]:
        """Send a request that is answered at once."""
        checks = 0

        def check() -> None:
            nonlocal checks
            checks += 1
            pid = self._quick.pid
            if checks * self._timeouts.first >= self._timeouts.whole or _is_stopped(pid):
                raise silent_session(pid)
            if checks == 1:
                self._tell(f"session {pid or '?'} does not answer yet")

        return self._quick.ask(op, check, self._timeouts.first, **values)

    def close(self) -> None:
        """Hang up; the session keeps running."""
        self._slow.close()
        self._quick.close()


def find(
    library: Path, *, tell: Callable[[str], None] = lambda _: None, timeouts: Timeouts | None = None
) -> Transport | None:
    """Return a connection to the library's live session, or None if there is none.

    Args:
        library: its folder.
        tell, timeouts: see `Transport`.

    Raises:
        SessionSilent: there is one, but it doesn't answer.
        ProtocolMismatch, SessionFull: there is one, but it won't serve us.
    """
    path = socket_dir.socket_path(library)
    if not unix_socket.HAS_SESSIONS or path not in socket_dir.sockets():
        return None
    with contextlib.suppress(SessionGone), contextlib.ExitStack() as unanswered:
        line = unanswered.enter_context(contextlib.closing(Transport(path, tell=tell, timeouts=timeouts)))
        line.request("status")
        unanswered.pop_all()
        return line
    return None


class SessionReply(NamedTuple):
    """A session's reply: its status as JSON, or the error instead."""

    socket: Path
    pid: int | None
    status: dict[str, Any] | None
    error: PhotomapError | None


def statuses(tell: Callable[[str], None] = lambda _: None) -> list[SessionReply]:
    """Ask every live session of this user, all at once; stale sockets are skipped.

    Those that answer come first, oldest first.
    """
    paths = socket_dir.sockets() if unix_socket.HAS_SESSIONS else []
    found: list[SessionReply] = []
    threads = [threading.Thread(target=_status_of, args=(path, tell, found), daemon=True) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(found, key=lambda reply: (reply.status is None, str((reply.status or {}).get("started_at"))))


def read(kind: type[Reply], result: dict[str, Any]) -> Reply:
    """Return the record in a reply.  Raises ProtocolMismatch: a session of another build may have other fields."""
    try:
        return kind.from_json(result)
    except ValueError as error:
        raise ProtocolMismatch(f"the session's answer is not understood: {error}", hint=TWO_VERSIONS) from error


def _status_of(path: Path, tell: Callable[[str], None], found: list[SessionReply]) -> None:
    with contextlib.closing(Transport(path, tell=tell)) as line:
        try:
            status = line.request("status")
            found.append(SessionReply(path, status["pid"], status, None))
        except SessionGone:
            return
        except PhotomapError as error:
            found.append(SessionReply(path, line.pid, None, error))
        except (KeyError, TypeError) as error:
            found.append(SessionReply(path, line.pid, None, ProtocolMismatch(f"no status: {error}", hint=TWO_VERSIONS)))


def silent_session(pid: int | None) -> SessionSilent:
    """Return the error for a live session that doesn't answer."""
    if pid is None:
        return SessionSilent(
            "the session does not answer; is it suspended?", hint="fg continues it, or end its process"
        )
    return SessionSilent(
        f"session {pid} does not answer; if it is suspended, fg continues it",
        hint=f"`kill {pid}; kill -CONT {pid}` ends it, suspended or not",
    )


def _is_stopped(pid: int | None) -> bool:
    from photomap_cli import subprocesses  # not needed for the many that are answered at once

    return pid is not None and subprocesses.is_stopped(pid)


class _Connection:
    """A socket for one request at a time, opened with the first; `pid` is the session's process."""

    def __init__(self, path: Path, send_seconds: float) -> None:
        self._path, self._send_seconds = path, send_seconds
        self._asking = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_closed = False
        self.pid: int | None = None

    def ask(self, op: str, check: Callable[[], None], check_seconds: float, **values: Any) -> dict[str, Any]:
        """Send one request and return the `result` of its reply.

        Args:
            op, values: the request.
            check: called after each `check_seconds` without an answer; an exception from it ends the wait.
            check_seconds: how often.
        """
        try:
            request = json_lines.encode({"version": PROTOCOL_VERSION, "op": op, **values})
        except ProtocolMismatch as too_long:
            raise PhotomapError(f"the request is too large: {too_long.message}", hint=too_long.hint) from None
        with self._asking:
            line = self._exchange(request, check, check_seconds)
        reply = json_lines.decode(line)
        match reply:
            case {"error": dict(error)}:
                raise PhotomapError.from_json(error)
            case {"version": version, "result": dict(result)} if version == PROTOCOL_VERSION:
                return result
        raise ProtocolMismatch(
            f"the session speaks protocol version {reply.get('version')}, this photomap {PROTOCOL_VERSION}",
            hint=TWO_VERSIONS,
        )

    def _exchange(self, request: bytes, check: Callable[[], None], check_seconds: float) -> bytes:
        """Send a line and return the line that answers it.

        A session hangs up on silent clients, and a request may come at that very moment: it is sent once more.
        """
        try:
            reply = self._answer(self._kept() or self._open(), request, check, check_seconds)
            reply = reply or self._answer(self._open(), request, check, check_seconds)
        except (TimeoutError, BlockingIOError) as error:  # its queue is full, or it doesn't accept a long request
            self._drop()
            raise silent_session(self.pid or socket_dir.holder(self._path)) from error
        except OSError as error:
            self._drop()
            raise SessionGone("the session is gone") from error
        except BaseException:  # raised by `check`: an answer that came later would seem to belong to another request
            self._drop()
            raise
        if not reply.endswith(b"\n"):
            self._drop()
            raise SessionGone("the session ended")
        return reply

    def _answer(
        self, connection: socket.socket, request: bytes, check: Callable[[], None], check_seconds: float
    ) -> bytes:
        """Return the line that answers a request; incomplete or empty if the session hangs up."""
        connection.settimeout(self._send_seconds)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused: the reason can still be read
            connection.sendall(request)
        connection.settimeout(check_seconds)
        reply = bytearray()
        while not reply.endswith(b"\n"):
            try:
                part = connection.recv(_CHUNK_BYTES)
            except TimeoutError:
                check()
                continue
            except ConnectionResetError:
                part = b""
            reply += part
            if not part:
                break
            if len(reply) > LIMITS.line_bytes:
                raise json_lines.over_limit(LIMITS.line_bytes)
        return bytes(reply)

    def close(self) -> None:
        """Hang up, even on a request that another thread is waiting for."""
        self._is_closed = True
        connection = self._socket
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        with self._asking:
            self._drop()

    def _kept(self) -> socket.socket | None:
        """Return the connection of the last request, unless the session has closed it as silent."""
        if self._socket is not None and unix_socket.has_hung_up(self._socket):
            self._drop()
        return self._socket

    def _open(self) -> socket.socket:
        self._drop()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(CONNECT_SECONDS)
        self._socket.connect(str(self._path))
        if unix_socket.user_of(self._socket) not in (None, unix_socket.user()):
            raise PermissionError(f"{self._path} is served by another user")
        self.pid = unix_socket.process_of(self._socket) or socket_dir.holder(self._path)
        if self._is_closed:
            raise ConnectionAbortedError("hung up meanwhile")
        return self._socket

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
