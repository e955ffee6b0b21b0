"""A server on this machine that stands in for the web: says what it is told to, and remembers what it was asked."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from waiting import LONG_SECONDS


class WebStandIn:
    """Answers each connection with the bytes of `says[path]`, or by calling it with the connection.

    Args:
        wrap: makes the connection's TLS end of a socket.
    """

    def __init__(self, wrap=lambda line: line, family=socket.AF_INET):
        self.says = {}
        self.asked = []
        self.over = threading.Event()
        self._wrap = wrap
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        self._listener.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        self._listener.listen()
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(LONG_SECONDS)

    def url(self, path="/", host="127.0.0.1", scheme="http"):
        return f"{scheme}://{host}:{self.port}{path}"

    def _serve(self):
        with suppress(OSError):
            while True:
                line, _ = self._listener.accept()
                with suppress(OSError, IndexError), self._wrap(line) as connection:
                    self._answer(connection)

    def _answer(self, connection):
        connection.settimeout(LONG_SECONDS)
        request = b""
        while b"\r\n\r\n" not in request and (part := connection.recv(4096)):
            request += part
        self.asked.append(request.decode())
        answer = self.says[request.split()[1].decode()]
        if callable(answer):
            answer(connection)
        else:
            connection.sendall(answer)


def answer(body, status="200 OK", **headers):
    """Return an HTTP answer; its length is said unless a header says something else."""
    headers = {"Content-Length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}
    said = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value is not None)
    return f"HTTP/1.1 {status}\r\n{said}\r\n".encode() + body


def redirect(place, status="302 Found"):
    return answer(b"", status, Location=place)
