"""Owns the pictures that queries name by address: fetched over HTTP, within limits, from the open internet alone.

What comes is not looked at here: whether it is a picture is found out by a decode process.  Proxies are not used, as a
proxy would look the name up once more, by itself, and the check of `ssrf.py` would be worth nothing.
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
"""Of one picture: a JPEG of 100 megapixels at a good quality.  A session keeps as much of the last ones altogether."""

FETCH_SECONDS = 20.0
"""For everything: names, connections, redirects and bytes.  32 MB need 13 Mbit/s; who waits longer downloads it."""

MAX_REDIRECTS = 5
KEPT_SECONDS = 300.0
"""So long a fetched picture serves again: for :more and `more 3`, not for tomorrow's picture of a web camera."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CHUNK_BYTES = 64 << 10
_SAFE = "%/:=&?~+!$,;'@()*[]#"  # what an address may hold; what is not ASCII is written in percents
_DOWNLOAD = "download the picture and give its path"


class ImageFetcher:
    """Fetches pictures and keeps the last ones for some minutes.  Any thread may use it.

    Args:
        private: also ask hosts of this machine and of private networks.
        seconds: how long one picture may take.
        clock: tells the time, in seconds.
        may_ask: says of an IP address whether it may be asked; tests pass their own.
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
        self._lock = threading.Lock()  # for what is kept; held for moments only

    def get(self, address: str, checkpoint: Callable[[], None] = lambda: None) -> bytes:
        """Return what is at an address.

        `checkpoint` is called now and then; what it raises ends the fetching.

        Raises:
            BadImage: it cannot be had, for a reason that the user can be told.
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
        """Return what is at one place, or where else to look."""
        parts = _parts(place)
        with closing(self._connected(parts, deadline)) as line, _until(deadline, line):
            connection = http.client.HTTPConnection(_ascii(parts), _port(parts))  # without, it looks for one in IPv6
            connection.sock = line  # so that it looks no name up
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
            if parts.scheme == "https":  # the name, not the address, is what the certificate must be for
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
    """Shut a connection when the time for everything is up, so that a byte a second comes to an end as well.

    Raises:
        TimeoutError: it was.
    """
    timer = threading.Timer(deadline.left(), _shut, (line,))
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError):
        deadline.left()  # what a shut connection says is not the reason
        raise
    finally:
        timer.cancel()
    deadline.left()


def _shut(line: socket.socket) -> None:
    with suppress(OSError):  # closed meanwhile
        socket.socket.shutdown(line, socket.SHUT_RDWR)  # of the connection: TLS has no say


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
    """Return the host's name as it is looked up and as certificates have it."""
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
