import socket

import pytest
from cases import cases

from photomap_cli.search import ssrf
from photomap_cli.search.ssrf import is_public


@cases(
    "place",
    [
        "93.184.216.34",
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.1",
        "168.63.129.15",
        "192.0.1.1",
        "223.255.255.255",
        "2001:200::1",
        "2606:2800:220:1:248:1893:25c8:1946",
        "2a00:1450:4001:81b::200e",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
    ],
)
def test_the_open_internet_may_be_asked(place):
    assert is_public(place)


@cases(
    "place",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",  # a cloud machine's metadata
        "100.64.0.1",  # a provider's own network
        "100.100.100.200",  # Alibaba's metadata
        "168.63.129.16",  # Azure's agent
        "192.0.0.192",  # Oracle's metadata
        "192.0.0.9",
        "192.0.0.170",
        "192.31.196.1",
        "192.52.193.1",
        "192.88.99.1",  # 6to4 relays
        "192.175.48.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd12:3456::1",
        "fec0::1",
        "feff::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:a9fe:a9fe",
        "::ffff:168.63.129.16",
        "::ffff:0:8.8.8.8",  # translated
        "::8.8.8.8",  # compatible, as nobody is any more
        "::127.0.0.1",
        "100::1",
        "2001::1",
        "2001:2::1",
        "2001:4:112::1",
        "2001:20::1",
        "2002:808:808::1",  # 6to4 of 8.8.8.8, by way of whoever relays it
        "2620:4f:8000::1",
        "3ffe::1",
        "3fff::1",
        "3fff:fff::1",
        "4000::1",
        "5f00::1",
        "fd00:ec2::254",  # Amazon's metadata
        "fd20:ce::254",  # Google's
        "64:ff9b::100.100.100.200",
        "64:ff9b::192.0.0.192",
        "64:ff9b:1::8.8.8.8",  # a network's own NAT64
        "64:ff9b:1:a9fe:a9:fe00::",
        "64:ff9b::127.0.0.1",  # NAT64
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",  # 6to4 of 127.0.0.1
        "2002:c0a8:101::1",
        "2001:0:4136:e378:8000:63bf:f5ff:fffe",  # Teredo, of 10.0.0.1
    ],
)
def test_everything_else_may_not(place):
    assert not is_public(place)


def test_a_name_that_the_resolver_cannot_take_is_an_error_of_the_host():
    with pytest.raises(OSError, match="there is no host"):
        ssrf.connect("a\0b", 80, ssrf.Deadline(60.0))


class Network:
    """Addresses of which some swallow what they are sent and some refuse; time passes where somebody waits for one."""

    def __init__(self, *, silent=(), refusing=(), seconds=20.0):
        self.silent, self.refusing, self.seconds = silent, refusing, seconds
        self.asked, self.lines = [], []

    def left(self):
        if self.seconds <= 0:
            raise TimeoutError
        return self.seconds

    def socket(self, *_kind):
        self.lines.append(Line(self))
        return self.lines[-1]


class Line:
    def __init__(self, network):
        self.network, self.is_open = network, True

    def settimeout(self, seconds):
        self.seconds = seconds

    def connect(self, place):
        self.network.asked.append((place[0], round(self.seconds, 6)))
        if place[0] in self.network.silent:
            self.network.seconds -= self.seconds
            raise TimeoutError("timed out")
        if place[0] in self.network.refusing:
            raise ConnectionRefusedError("refused")

    def close(self):
        self.is_open = False


@pytest.fixture
def connect(monkeypatch):
    """Return a function that connects to a host with these addresses over a network that is made up."""

    def to(places, network):
        family = {place: socket.AF_INET6 if ":" in place else socket.AF_INET for place in places}
        found = [(family[place], socket.SOCK_STREAM, 6, "", (place, 443)) for place in places]
        monkeypatch.setattr(ssrf.socket, "getaddrinfo", lambda *_, **__: found)
        monkeypatch.setattr(ssrf.socket, "socket", network.socket)
        return ssrf.connect("pictures.example", 443, network, may_ask=lambda place: place != "10.0.0.1")

    return to


def test_an_address_that_never_answers_leaves_the_next_one_its_share_of_the_time(connect):
    network = Network(silent={"2606::1"})
    line = connect(["2606::1", "8.8.8.8"], network)
    assert network.asked == [("2606::1", 10.0), ("8.8.8.8", 10.0)]
    assert [each.is_open for each in network.lines] == [False, True]
    assert line is network.lines[-1]


def test_time_that_an_address_did_not_need_is_for_the_others(connect):
    network = Network(refusing={"8.8.8.8"}, silent={"8.8.4.4"})
    connect(["8.8.8.8", "8.8.4.4", "9.9.9.9"], network)
    assert network.asked == [("8.8.8.8", 6.666667), ("8.8.4.4", 10.0), ("9.9.9.9", 10.0)]


def test_all_addresses_together_get_no_more_than_the_time_there_is(connect):
    places = ["2606::1", "2606::2", "8.8.8.8"]
    network = Network(silent=set(places))
    with pytest.raises(TimeoutError):
        connect(places, network)
    assert sum(seconds for _, seconds in network.asked) == pytest.approx(20)
    assert not any(line.is_open for line in network.lines)


def test_both_families_take_turns_and_addresses_that_may_not_be_asked_cost_no_time(connect):
    network = Network(silent={"2606::1", "2606::2"}, seconds=9.0)
    connect(["2606::1", "2606::2", "10.0.0.1", "8.8.8.8"], network)
    assert network.asked == [("2606::1", 3.0), ("8.8.8.8", 3.0)]


def test_a_family_that_this_computer_does_not_know_is_passed_over(connect, monkeypatch):
    network = Network()
    known = network.socket

    def only_ipv4(family, *kind):
        if family == socket.AF_INET6:
            raise OSError("address family not supported by protocol")
        return known(family, *kind)

    network.socket = only_ipv4
    connect(["2606::1", "8.8.8.8"], network)
    assert [place for place, _ in network.asked] == ["8.8.8.8"]
