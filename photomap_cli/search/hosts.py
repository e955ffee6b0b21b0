"""Owns which hosts a query image may come from: a name -> a connection to an address that was looked at.  No HTTP.

What is typed, or what a page redirects to, must not make a session ask the router, a neighbour's printer or a cloud
machine's metadata.  So the address is checked after the name was resolved, and the connection goes to that very one: a
name that resolves to another address a moment later changes nothing.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SITE_LOCAL = ipaddress.ip_network("fec0::/10")  # private networks of old; Python takes them for global


class HostRefused(Exception):
    """The host is not asked; the message says why."""


class Deadline:
    """A moment by which all must be done, whatever it is made of."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds left.  Raises TimeoutError when there are none."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def is_public(text: str) -> bool:
    """Say whether an IP address belongs to the open internet, also by the IPv4 address that an IPv6 one carries."""
    address = ipaddress.ip_address(text.partition("%")[0])
    return all(
        each.is_global and not (each.is_multicast or each.is_reserved or each.is_unspecified or each in _SITE_LOCAL)
        for each in _meant(address)
    )


def _meant(address: Address) -> list[Address]:
    """Return where an address leads: IPv4 that is mapped or behind NAT64 is that alone; 6to4 and Teredo are both."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    if address in _NAT64:  # what a network without IPv4 makes of every IPv4 host
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    return [address, *filter(None, (address.sixtofour, *(address.teredo or ())))]


def connect(host: str, port: int, deadline: Deadline, *, may_ask: Callable[[str], bool] = is_public) -> socket.socket:
    """Connect to the first address of a host that answers, of those that may be asked.

    Each gets its share of the time that is left: one that swallows what it is sent, as where a network has IPv6 in name
    only, leaves enough to the others.

    Raises:
        HostRefused: none of its addresses may be asked.
        OSError: it is not known, or none answers in time.
    """
    found = _resolved(host, port, deadline)
    allowed = _by_turns([one for one in found if may_ask(str(one[4][0]))])
    if not allowed:
        raise HostRefused(f"{host} is not on the open internet")
    failures: list[OSError] = []
    for left in range(len(allowed), 0, -1):
        try:
            return _connected(allowed[-left], deadline.left() / left)
        except OSError as error:
            failures.append(error)
    raise failures[-1]


def _by_turns(found: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Put IPv6 and IPv4 by turns, in the system's order otherwise: often only one of them leads anywhere (RFC 8305)."""
    families: dict[int, list[tuple[Any, ...]]] = {}
    for one in found:
        families.setdefault(one[0], []).append(one)
    return [one for each_once in zip_longest(*families.values()) for one in each_once if one]


def _connected(one: tuple[Any, ...], seconds: float) -> socket.socket:
    family, kind, protocol, _, place = one
    line = socket.socket(family, kind, protocol)
    try:
        line.settimeout(seconds)
        line.connect(place)
    except BaseException:
        line.close()
        raise
    return line


def _resolved(host: str, port: int, deadline: Deadline) -> list[tuple[Any, ...]]:
    """Look a name up; in a thread, as the system's resolver knows no timeout."""
    answer: list[Any] = []

    def ask() -> None:
        try:
            answer.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answer.append(error)

    asking = threading.Thread(target=ask, name="resolve", daemon=True)
    asking.start()
    asking.join(deadline.left())
    if not answer:
        raise TimeoutError
    if isinstance(answer[0], Exception):
        raise OSError(f"there is no host {host}") from answer[0]
    found: list[tuple[Any, ...]] = answer[0]
    return found
