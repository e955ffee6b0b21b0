import shutil
import socket
import ssl
import subprocess

import pytest
from waiting import LONG_SECONDS
from web_stand_in import WebStandIn, answer, redirect

from photomap_cli.errors import BadImage
from photomap_cli.search import image_fetch
from photomap_cli.search.image_fetch import KEPT_SECONDS, MAX_BYTES, MAX_REDIRECTS, ImageFetcher


@pytest.fixture
def site():
    with WebStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def pictures():
    return ImageFetcher(private=True, seconds=LONG_SECONDS)


def refusal(pictures, address):
    with pytest.raises(BadImage) as caught:
        pictures.get(address)
    assert caught.value.hint
    assert "\n" not in caught.value.message
    return f"{caught.value.message}  hint: {caught.value.hint}"


def names_resolve_to(monkeypatch, places):
    """Have names mean these addresses, one after the other, the last one for good; returns what was looked up."""
    looked_up = []
    real = socket.getaddrinfo

    def resolve(host, port, *rest, **more):
        looked_up.append(host)
        answers = places[host]
        return real(answers.pop(0) if len(answers) > 1 else answers[0], port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return looked_up


def test_what_is_at_an_address_comes_whole(site, pictures):
    site.says["/a%20b/%C3%A9.png?x=1"] = answer(b"picture" * 50_000)
    assert pictures.get(site.url("/a%20b/é.png?x=1#part")) == b"picture" * 50_000
    assert f"Host: 127.0.0.1:{site.port}\r\n" in site.asked[0]
    assert "User-Agent: photomap/" in site.asked[0]


def test_an_answer_in_chunks_or_without_a_length_comes_whole(site, pictures):
    site.says["/chunks"] = answer(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", Transfer_Encoding="chunked", Content_Length=None)
    site.says["/endless"] = answer(b"abcde", Content_Length=None)
    assert pictures.get(site.url("/chunks")) == pictures.get(site.url("/endless")) == b"abcde"


def test_a_picture_serves_again_for_some_minutes(site):
    now = [100.0]
    pictures = ImageFetcher(private=True, clock=lambda: now[0])
    site.says["/a"] = answer(b"old")
    assert pictures.get(site.url("/a")) == b"old"
    site.says["/a"] = answer(b"new")
    now[0] += KEPT_SECONDS - 1
    assert pictures.get(site.url("/a")) == b"old"
    now[0] += 2
    assert pictures.get(site.url("/a")) == b"new"
    assert len(site.asked) == 2


def test_no_more_is_kept_than_one_picture_may_be(site, pictures):
    half = b"x" * (MAX_BYTES // 2)
    for path in ("/1", "/2", "/3"):
        site.says[path] = answer(half)
        pictures.get(site.url(path))
    pictures.get(site.url("/3"))
    pictures.get(site.url("/2"))
    assert len(site.asked) == 3
    pictures.get(site.url("/1"))
    assert len(site.asked) == 4


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_redirects_are_followed(site, pictures, status):
    site.says |= {"/a/b": redirect("../c", status), "/c": redirect(site.url("/d")), "/d": answer(b"found")}
    assert pictures.get(site.url("/a/b")) == b"found"


def test_endless_redirects_end(site, pictures):
    site.says["/a"] = redirect("/a")
    assert f"redirected more than {MAX_REDIRECTS} times" in refusal(pictures, site.url("/a"))
    assert len(site.asked) == MAX_REDIRECTS + 1


@pytest.mark.parametrize("place", ["file:///etc/passwd", "ftp://example.org/a.jpg", "https://[::1"])
def test_a_redirect_to_what_is_no_web_address_is_refused(site, pictures, place):
    site.says["/a"] = redirect(place)
    assert "hint" in refusal(pictures, site.url("/a"))
    assert len(site.asked) == 1


def test_private_addresses_are_refused_before_anything_is_sent(site):
    told = refusal(ImageFetcher(), site.url("/a"))
    assert told.startswith("127.0.0.1 is not on the open internet")
    assert "private_addresses" in told
    assert site.asked == []


def test_a_name_that_means_a_private_address_is_refused(site, monkeypatch):
    names_resolve_to(monkeypatch, {"pictures.example": ["127.0.0.1"]})
    assert "pictures.example is not on the open" in refusal(ImageFetcher(), site.url("/a", "pictures.example"))
    assert site.asked == []


def test_a_redirect_is_looked_at_like_the_first_address(site, monkeypatch):
    site.says["/a"] = redirect(site.url("/secret", "127.0.0.2"))
    pictures = ImageFetcher(may_ask=lambda place: place == "127.0.0.1")
    told = refusal(pictures, site.url("/a"))
    assert "/a redirects: 127.0.0.2 is not on the open internet" in told
    assert len(site.asked) == 1


def test_the_address_that_was_looked_at_is_the_one_that_is_asked(site, monkeypatch):
    """A name that means another address a moment later is not asked for it again."""
    looked_up = names_resolve_to(monkeypatch, {"pictures.example": ["127.0.0.1", "127.0.0.9"]})
    seen = []
    site.says["/a"] = answer(b"found")
    pictures = ImageFetcher(may_ask=lambda place: seen.append(place) is None)
    assert pictures.get(site.url("/a", "pictures.example")) == b"found"
    assert (looked_up, seen) == (["pictures.example"], ["127.0.0.1"])
    assert f"Host: pictures.example:{site.port}\r\n" in site.asked[0]


def test_too_much_is_refused_by_its_length_or_when_it_has_come(site, pictures):
    site.says["/says"] = answer(b"x", Content_Length=str(MAX_BYTES + 1))
    site.says["/does"] = answer(b"x" * (MAX_BYTES + 1), Content_Length=None)
    site.says["/just"] = answer(b"x" * MAX_BYTES)
    assert "more than 32 MB" in refusal(pictures, site.url("/says"))
    assert "more than 32 MB" in refusal(pictures, site.url("/does"))
    assert len(pictures.get(site.url("/just"))) == MAX_BYTES


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\npict"])
def test_silence_ends_at_the_time_for_the_whole(site, beginning):
    def dawdle(connection):
        connection.sendall(beginning)
        site.over.wait(LONG_SECONDS)

    site.says["/slow"] = dawdle
    assert "took longer than" in refusal(ImageFetcher(private=True, seconds=0.2), site.url("/slow"))


def test_a_byte_now_and_then_ends_at_the_time_for_the_whole(site):
    def drip(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while not site.over.wait(0.02):
            connection.sendall(b"x")

    site.says["/slow"] = drip
    assert "took longer than 0.2 s" in refusal(ImageFetcher(private=True, seconds=0.2), site.url("/slow"))


def test_a_resolver_that_does_not_answer_is_not_waited_for(site, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: site.over.wait(LONG_SECONDS))
    assert "took longer than" in refusal(ImageFetcher(seconds=0.05), "http://pictures.example/")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (answer(b"gone", "404 Not Found"), "404 Not Found"),
        (answer(b"", "302 Found"), "302 Found"),
        (b"what?\r\n\r\n", "what?"),
        (b"", "without response"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "broke off"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 1000 + b"\r\n", "headers"),
    ],
)
def test_an_answer_without_a_picture_is_told_in_one_line(site, pictures, said, told):
    site.says["/a"] = said
    assert told in refusal(pictures, site.url("/a"))


def test_nobody_there_is_told_and_proxies_are_named_where_they_are_set(pictures, monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        assert "connection refused" in refusal(pictures, address)
        monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
        assert "proxies are not used" in refusal(pictures, address)


def test_an_unknown_or_impossible_name_is_told(pictures, monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert "there is no host nowhere.example" in refusal(pictures, "http://nowhere.example/")
    assert "there is no host" in refusal(pictures, f"http://{'ä' * 100}.example/")


def test_the_second_address_of_a_host_is_tried(site, pictures, monkeypatch):
    real = socket.getaddrinfo
    both = [*real("127.0.0.2", 1, type=socket.SOCK_STREAM), *real("127.0.0.1", site.port, type=socket.SOCK_STREAM)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    site.says["/a"] = answer(b"found")
    assert pictures.get(site.url("/a", "pictures.example")) == b"found"


def test_whoever_asked_may_leave_meanwhile(site, pictures):
    class Gone(Exception):
        pass

    def leave():
        raise Gone

    site.says["/a"] = answer(b"found")
    with pytest.raises(Gone):
        pictures.get(site.url("/a"), leave)


def test_ipv6_addresses_are_asked(pictures):
    try:
        with WebStandIn(family=socket.AF_INET6) as site:
            site.says["/a"] = answer(b"found")
            assert pictures.get(site.url("/a", "[::1]")) == b"found"
            assert f"Host: [::1]:{site.port}\r\n" in site.asked[0]
    except OSError:
        pytest.skip("no IPv6 here")


def test_an_ipv6_address_need_not_end_like_a_port(site, pictures):
    site.says["/a"] = answer(b"found")
    assert pictures.get(site.url("/a", "[::ffff:127.0.0.1]")) == b"found"


@pytest.fixture
def certificate(tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate: apt-get install openssl")
    files = [tmp_path / "key.pem", tmp_path / "certificate.pem"]
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=pictures.example"
    names = ["-addext", "subjectAltName=DNS:pictures.example", "-keyout", files[0], "-out", files[1]]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    return files


def test_a_certificate_must_be_for_the_name_and_known(certificate, monkeypatch):
    key, chain = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    greeted = []
    context.sni_callback = lambda _line, name, _context: greeted.append(name)
    names_resolve_to(monkeypatch, {"pictures.example": ["127.0.0.1"], "other.example": ["127.0.0.1"]})
    with WebStandIn(wrap=lambda line: context.wrap_socket(line, server_side=True)) as site:
        site.says["/a"] = answer(b"found")
        pictures = ImageFetcher(private=True, seconds=LONG_SECONDS)
        assert "certificate is refused" in refusal(pictures, site.url("/a", "pictures.example", "https"))
        monkeypatch.setenv("SSL_CERT_FILE", str(chain))
        assert pictures.get(site.url("/a", "pictures.example", "https")) == b"found"
        assert "certificate is refused" in refusal(pictures, site.url("/a", "other.example", "https"))
    assert greeted == ["pictures.example", "pictures.example", "other.example"]


def test_the_reasons_are_short_for_long_addresses(pictures):
    told = refusal(pictures, "http://127.0.0.1:1/" + "x" * 5000)
    assert len(told) < 300
    assert image_fetch.FETCH_SECONDS <= 30
