"""Owns which hosts a query image may come from: a name -> a connection to a checked address.  No HTTP.

A typed address or a redirect must not make a session contact the router, a neighbour's printer or a cloud
machine's metadata.  So the address is checked after resolving the name, and the connection goes to that address: a
name that resolves to another address a moment later changes nothing.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Our own list: Python's tables differ between releases, and none includes the clouds.
_CLOSED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",  # this host; Linux treats 0.0.0.0 as 127.0.0.1
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; Alibaba's metadata, 100.100.100.200
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's agent, on every machine
        "169.254.0.0/16",  # link-local; metadata of most clouds, 169.254.169.254
        "172.16.0.0/12",
        "192.0.0.0/24",  # IETF protocols; Oracle's metadata, 192.0.0.192
        "192.0.2.0/24",  # documentation, as are two more below
        "192.31.196.0/24",  # AS112, as 192.175.48.0
        "192.52.193.0/24",  # multicast relays
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, reserved, broadcast
        "2001::/23",  # IETF protocols; Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address through an arbitrary relay
        "2620:4f:8000::/48",  # AS112
        "3ffe::/16",  # the former 6bone
        "3fff::/20",  # documentation
    )
)
_GLOBAL = ipaddress.IPv6Network("2000::/3")  # all allocated IPv6: not the private, local and mapped rest
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class HostRefused(Exception):
    """The host may not be asked; the message says why."""


class Deadline:
    """A deadline for several steps together."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds left.  Raises TimeoutError if there are none."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def is_public(text: str) -> bool:
    """Return whether an IP address is on the open internet, judging an IPv6 address also by the IPv4 one inside it."""
    address = _meant(ipaddress.ip_address(text.partition("%")[0]))
    is_given_out = address.version == 4 or address in _GLOBAL
    return is_given_out and not any(address in network for network in _CLOSED)


def _meant(address: Address) -> Address:
    """Return where an address leads: the IPv4 address that is mapped, or behind NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:  # how a network without IPv4 reaches IPv4 hosts
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address


def connect(host: str, port: int, deadline: Deadline, *, may_ask: Callable[[str], bool] = is_public) -> socket.socket:
    """Connect to the first allowed address of a host that answers.

    Each gets its share of the time left: one that doesn't answer, for example if a network has IPv6 in name
    only, leaves enough for the others.

    Raises:
        HostRefused: none of its addresses is allowed.
        OSError: the host is unknown, or no address answers in time.
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
    """Alternate between IPv6 and IPv4, otherwise in the system's order, as often only one of them works (RFC 8305)."""
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
    """Resolve a name in a thread, as the system's resolver has no timeout."""
    answer: list[Any] = []

    def ask() -> None:
        try:
            answer.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, ValueError) as error:  # a name may contain anything, even NUL
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
