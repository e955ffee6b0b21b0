"""Owns downloading pictures that queries name by address: over HTTP, within limits, only from the open internet.

The content isn't examined here: a decode process finds out whether it is a picture.  Proxies aren't used, as a
proxy would resolve the name again by itself, which would make the check of `ssrf.py` worthless.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit

from photomap_cli._version import __version__
from photomap_cli.errors import BadImage
from photomap_cli.search.ssrf import Deadline, HostRefused, connect, is_public

if TYPE_CHECKING:
    from urllib.parse import SplitResult

MAX_BYTES = 32 << 20
"""Limit of a picture: a JPEG of 100 megapixels at good quality.  A session caches as much in total."""

FETCH_SECONDS = 20.0
"""Limit for everything: name, connection, redirects and bytes.  32 MB need 13 Mbit/s."""

MAX_REDIRECTS = 5
KEPT_SECONDS = 300.0
"""How long a downloaded picture is reused: for :more and `more 3`, not for a web camera's picture of tomorrow."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CHUNK_BYTES = 64 << 10
_SAFE = "%/:=&?~+!$,;'@()*[]#"  # characters of an address; others are percent-encoded
_DOWNLOAD = "download the picture and give its path"


class ImageFetcher:
    """Downloads pictures and caches the last ones for some minutes.  Any thread may use it.

    Args:
        private: also allow hosts on this machine and private networks.
        seconds: the most time for a picture.
        clock: tells the time, in seconds.
        may_ask: returns whether an IP address is allowed; tests pass their own.
    """

    def __init__(
        self,
        *,
        private: bool = False,
        seconds: float = FETCH_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        may_ask: Callable[[str], bool] | None = None,
    ) -> None:
        self._may_ask = may_ask or ((lambda _: True) if private else is_public)
        self._seconds, self._clock = seconds, clock
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._lock = threading.Lock()  # guards the cache; held only briefly

    def get(self, address: str, checkpoint: Callable[[], None] = lambda: None) -> bytes:
        """Return the bytes at an address.

        `checkpoint` is called repeatedly; an exception from it ends the download.

        Raises:
            BadImage: it can't be downloaded; the message says why.
        """
        with self._lock:
            fetched_at, content = self._kept.get(address, (0.0, b""))
        if content and self._clock() - fetched_at < KEPT_SECONDS:
            return content
        content = self._fetched(address, checkpoint)
        with self._lock:
            self._kept[address] = self._clock(), content
            self._kept.move_to_end(address)
            while sum(len(kept) for _, kept in self._kept.values()) > MAX_BYTES:
                self._kept.popitem(last=False)
        return content

    def _fetched(self, address: str, checkpoint: Callable[[], None]) -> bytes:
        deadline, place = Deadline(self._seconds), address
        try:
            for _ in range(MAX_REDIRECTS + 1):
                answer = self._ask(place, deadline, checkpoint)
                if isinstance(answer, bytes):
                    return answer
                place = answer
        except HostRefused as refusal:
            elsewhere = "" if place == address else f"{_short(address)} redirects: "
            hint = "`photomap config set private_addresses true` allows it, from the next session on"
            raise BadImage(f"{elsewhere}{refusal}", hint=hint) from refusal
        except TimeoutError as error:
            raise BadImage(f"{_short(address)}: took longer than {self._seconds:g} s", hint=_way_out()) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise BadImage(f"{_short(address)}: {_reason(error)}", hint=_way_out()) from error
        raise BadImage(f"{_short(address)}: redirected more than {MAX_REDIRECTS} times", hint=_DOWNLOAD)

    def _ask(self, place: str, deadline: Deadline, checkpoint: Callable[[], None]) -> bytes | str:
        """Return the bytes at one URL, or the URL to redirect to."""
        parts = _parts(place)
        with closing(self._connected(parts, deadline)) as line, _until(deadline, line):
            connection = http.client.HTTPConnection(
                _ascii(parts), _port(parts)
            )  # without a port, it looks for one in an IPv6 address
            connection.sock = line  # so that it resolves no name
            target = quote(parts.path or "/", _SAFE) + (f"?{quote(parts.query, _SAFE)}" if parts.query else "")
            connection.request("GET", target, headers={"Host": _host_header(parts), **_HEADERS})
            with connection.getresponse() as response:
                if response.status in _REDIRECTS and (elsewhere := response.getheader("Location")):
                    return urljoin(place, elsewhere)
                return _content(response, checkpoint)

    def _connected(self, parts: SplitResult, deadline: Deadline) -> socket.socket:
        host = _ascii(parts)
        line = connect(host, _port(parts), deadline, may_ask=self._may_ask)
        try:
            line.settimeout(deadline.left())
            if parts.scheme == "https":  # the certificate must be for the name, not the address
                line = ssl.create_default_context().wrap_socket(line, server_hostname=host)
        except BaseException:
            line.close()
            raise
        return line


_PORTS = {"http": 80, "https": 443}
_HEADERS = {
    "User-Agent": f"photomap/{__version__}",
    "Accept": "image/*",
    "Accept-Encoding": "identity",
    "Connection": "close",
}


@contextmanager
def _until(deadline: Deadline, line: socket.socket) -> Iterator[None]:
    """Shut a connection when the total time is up, so that even a byte per second comes to an end.

    Raises:
        TimeoutError: the time was up.
    """
    timer = threading.Timer(deadline.left(), _shut, (line,))
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError):
        deadline.left()  # a shut connection's own error isn't the reason
        raise
    finally:
        timer.cancel()
    deadline.left()


def _shut(line: socket.socket) -> None:
    with suppress(OSError):  # closed meanwhile
        socket.socket.shutdown(line, socket.SHUT_RDWR)  # of the connection itself, not TLS


def _content(response: http.client.HTTPResponse, checkpoint: Callable[[], None]) -> bytes:
    if response.status != http.client.OK:
        raise http.client.HTTPException(f"the answer is {response.status} {response.reason[:40]}")
    content = bytearray()
    if (response.length or 0) <= MAX_BYTES:
        while chunk := response.read1(_CHUNK_BYTES):
            checkpoint()
            content += chunk
            if len(content) > MAX_BYTES:
                break
        else:
            return bytes(content)
    raise http.client.HTTPException(f"more than {MAX_BYTES >> 20} MB")


def _parts(place: str) -> SplitResult:
    parts = urlsplit(place)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise http.client.HTTPException(f"redirected to {_short(place)}, which isn't a web address")
    return parts


def _port(parts: SplitResult) -> int:
    return parts.port or _PORTS[parts.scheme]


def _ascii(parts: SplitResult) -> str:
    """Return the host's name as it is resolved and as certificates have it."""
    host = parts.hostname or ""
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError as error:
        raise OSError(f"there is no host {host}") from error


def _host_header(parts: SplitResult) -> str:
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else _ascii(parts)
    return host if parts.port in (None, _PORTS[parts.scheme]) else f"{host}:{parts.port}"


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {error.verify_message}"
    if isinstance(error, http.client.IncompleteRead):
        return "the download broke off"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return " ".join(str(error).split())[:120] or type(error).__name__


def _way_out() -> str:
    behind_proxy = any(os.environ.get(name) for name in ("https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy"))
    return f"proxies are not used: {_DOWNLOAD}" if behind_proxy else f"open it in a browser, or {_DOWNLOAD}"


def _short(address: str) -> str:
    return address if len(address) <= 80 else f"{address[:60]}…{address[-19:]}"
