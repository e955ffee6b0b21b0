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
from collections.abc import Callable
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# A list of our own: Python's tables are other ones in other releases, and none of them knows the clouds.
_CLOSED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",  # this host; Linux takes 0.0.0.0 for 127.0.0.1
        "10.0.0.0/8",
        "100.64.0.0/10",  # a provider's own network; Alibaba's metadata, 100.100.100.200
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's agent, on every machine there
        "169.254.0.0/16",  # link-local; most clouds' metadata, 169.254.169.254
        "172.16.0.0/12",
        "192.0.0.0/24",  # the protocols' own; Oracle's metadata, 192.0.0.192
        "192.0.2.0/24",  # documentation, as the next to last two of IPv4
        "192.31.196.0/24",  # AS112, as 192.175.48.0
        "192.52.193.0/24",  # multicast relays
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, reserved, broadcast
        "2001::/23",  # the protocols' own; Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address by way of a relay that nobody answers for
        "2620:4f:8000::/48",  # AS112
        "3ffe::/16",  # the 6bone of old
        "3fff::/20",  # documentation
    )
)
_GLOBAL = ipaddress.IPv6Network("2000::/3")  # all of IPv6 that is given out: not the private, local and mapped rest
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


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
    address = _meant(ipaddress.ip_address(text.partition("%")[0]))
    is_given_out = address.version == 4 or address in _GLOBAL
    return is_given_out and not any(address in network for network in _CLOSED)


def _meant(address: Address) -> Address:
    """Return where an address leads: the IPv4 one that is mapped, or behind NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:  # what a network without IPv4 makes of every IPv4 host
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address


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
        except (OSError, ValueError) as error:  # a name may hold anything, NUL among it
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
