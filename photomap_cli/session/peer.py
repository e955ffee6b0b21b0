"""Owns one client as the session sees it: its requests in and its replies out, a line each."""

from __future__ import annotations

import logging
import socketserver
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from photomap_cli.errors import InternalError, PhotomapError, ProtocolMismatch, of_the_system
from photomap_cli.session import json_lines, unix_socket
from photomap_cli.session.socket_dir import PROTOCOL_VERSION

if TYPE_CHECKING:
    from photomap_cli.session.server import SessionServer

log = logging.getLogger(__name__)


class PeerGone(Exception):
    """The client has hung up; nobody waits for the answer any more."""


class Peer(socketserver.StreamRequestHandler):
    """One connection, in a thread of its own: answered until it hangs up, or is silent or deaf for too long."""

    server: SessionServer

    def handle(self) -> None:
        """Answer one request after the other."""
        most_bytes = self.server.limits.line_bytes
        with suppress(OSError, PeerGone):  # gone, or too slow
            while (request := self.rfile.readline(most_bytes + 1)).endswith(b"\n"):
                self._answer(request)
            if len(request) > most_bytes:
                self.connection.sendall(refusal(json_lines.over_limit(most_bytes)))

    def check_present(self) -> None:
        """Raise PeerGone if the client has hung up; never waits."""
        if unix_socket.has_hung_up(self.connection):
            raise PeerGone

    def _answer(self, request: bytes) -> None:
        handlers = self.server.handlers
        try:
            message = json_lines.decode(request)
            result = handlers.answer(message, self.check_present)
        except PhotomapError as error:
            self.connection.sendall(refusal(error))
        except PeerGone:
            raise
        except Exception as error:
            log.exception("a request failed")
            self.connection.sendall(refusal(of_the_system(error) or InternalError(f"{type(error).__name__}: {error}")))
        else:
            try:
                self.connection.sendall(self._reply(result))
            finally:
                handlers.replied(message)

    def _reply(self, result: dict[str, Any]) -> bytes:
        """Return a record as a line, or an error in its place when it is too large."""
        try:
            return json_lines.encode({"version": PROTOCOL_VERSION, "result": result}, self.server.limits.line_bytes)
        except ProtocolMismatch as error:
            return refusal(PhotomapError(f"the answer is too large: {error.message}", hint="ask for fewer photos"))


def refusal(error: PhotomapError) -> bytes:
    """Return an error as a line."""
    return json_lines.encode({"version": PROTOCOL_VERSION, "error": error.to_json()})
