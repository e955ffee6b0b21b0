"""Owns one client as the session sees it: its requests in and its replies out, each in size and in time."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING, Any

from photomap_cli.errors import PhotomapError, ProtocolMismatch
from photomap_cli.framing import read_frame, write_frame
from photomap_cli.session import unix_socket
from photomap_cli.session.socket_dir import PROTOCOL_VERSION

if TYPE_CHECKING:
    from photomap_cli.session.limits import Limits


class PeerGone(Exception):
    """The client has hung up; nobody waits for the answer any more."""


class Peer:
    """One connection.  Belongs to one thread, but for `hang_up`.

    Raises (reading and writing): OSError when the client is gone or takes too long.
    """

    def __init__(self, connection: socket.socket, limits: Limits) -> None:
        self._connection, self._limits = connection, limits

    @property
    def is_this_user(self) -> bool:
        """Whether the same user runs the client, or the system does not tell who does."""
        return unix_socket.user_of(self._connection) in (None, unix_socket.user())

    def read(self) -> dict[str, Any] | None:
        """Return the next request, or None when the client has hung up.

        Raises:
            ProtocolMismatch: it is too large, or none at all.
        """
        deadline = time.monotonic() + self._limits.request_seconds

        def receive(count: int) -> bytes:
            left = deadline - time.monotonic()
            if left <= 0:  # also with bytes waiting: a trickle that never pauses is late, too
                raise TimeoutError(f"no request in {self._limits.request_seconds} s")
            self._connection.settimeout(left)
            return self._connection.recv(count)

        frame = read_frame(receive, max_json_bytes=self._limits.request_bytes, max_payload_bytes=0)
        return frame[0] if frame else None

    def reply(self, result: dict[str, Any]) -> None:
        """Send a record, or an error in its place when it is too large."""
        try:
            self._write({"result": result})
        except ProtocolMismatch as error:
            self.refuse(PhotomapError(f"the answer is too large: {error.message}", hint="ask for fewer photos"))

    def refuse(self, error: PhotomapError) -> None:
        """Send an error."""
        self._write({"error": error.to_json()})

    def check_present(self) -> None:
        """Raise CallerGone if the client has hung up; never waits."""
        if unix_socket.has_hung_up(self._connection):
            raise PeerGone

    def hang_up(self) -> None:
        """End the connection, also under the feet of the thread that reads or writes."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Hang up and give the socket back."""
        self.hang_up()
        self._connection.close()

    def _write(self, message: dict[str, Any]) -> None:
        self._connection.settimeout(self._limits.reply_seconds)
        versioned = {"version": PROTOCOL_VERSION, **message}
        write_frame(_Outgoing(self._connection), versioned, max_json_bytes=self._limits.reply_bytes)


class _Outgoing:
    """A socket as `write_frame` wants it: the timeout is for the whole of a write, not for each part that goes."""

    def __init__(self, connection: socket.socket) -> None:
        self.write = connection.sendall

    def flush(self) -> None:
        """Nothing is held back."""
