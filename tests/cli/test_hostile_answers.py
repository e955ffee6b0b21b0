"""What web servers may answer to a query's address: each ends in a line, by the exit statuses, and commands nothing."""

from __future__ import annotations

import collections
import socket
import struct
import zlib

import numpy as np
import pytest
from fake_encoder import CPU
from waiting import LONG_SECONDS
from web_stand_in import WebStandIn, answer, redirect

from photomap_cli.cli import run
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.entities import LibraryEncoder, NewPhoto
from photomap_cli.search import query_encoder
from photomap_cli.search.image_fetch import MAX_BYTES, ImageFetcher

ESCAPES = "\x1b]52;c;aGk=\x07\x1b[31m\x9b31m\x9d0;x\x9c"


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def endless(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(MAX_BYTES // 65536 + 2):
        connection.sendall(bytes(65536))


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, pixels=b""):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


def raw(text):
    return text.encode("latin-1")


ANSWERS = {
    # what stands where the status should
    "nothing": b"",
    "reset": reset,
    "a line end": b"\r\n\r\n",
    "noise": bytes(range(256)) * 40,
    "a line without an end": b"HTTP/1.1 " + b"2" * 100_000,
    "no number": b"HTTP/1.1 OK fine\r\n\r\n",
    "a number below all": b"HTTP/1.1 -1 no\r\n\r\n",
    "a number beyond all": b"HTTP/1.1 999999 no\r\n\r\n",
    "a status of zero": b"HTTP/1.1 000 no\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "TLS": b"\x15\x03\x01\x00\x02\x02\x46",
    "HTTP/2": b"\x00\x00\x12\x04\x00\x00\x00\x00\x00",
    "HTTP/9": b"HTTP/9.9 200 OK\r\n\r\n",
    "escapes for a status": raw(f"{ESCAPES}\r\n\r\n"),
    "escapes for a reason": raw(f"HTTP/1.1 418 {ESCAPES}\r\n\r\n"),
    "a long reason": b"HTTP/1.1 500 " + b"no " * 9000 + b"\r\n\r\n",
    "a reason that turns round": "HTTP/1.1 500 \u202egpj\u2066\r\n\r\n".encode(),
    "only continue": b"HTTP/1.1 100 Continue\r\n\r\n" * 500,
    # statuses
    "no content": answer(b"", "204 No Content"),
    "part": answer(b"part", "206 Partial Content"),
    "not modified": answer(b"", "304 Not Modified"),
    "who are you": answer(b"", "401 Unauthorized", WWW_Authenticate=f"Basic realm={ESCAPES}"),
    "by another proxy": answer(b"", "407 Proxy Authentication Required"),
    "gone": answer(raw(ESCAPES), "410 Gone"),
    # places to look elsewhere
    "nowhere": answer(b"", "302 Found"),
    "itself": redirect("/itself"),
    "a file": redirect("file:///etc/passwd"),
    "a script": redirect("javascript:alert(1)"),
    "data": redirect("data:image/png;base64,AAAA"),
    "ftp": redirect("ftp://127.0.0.1/a.jpg"),
    "half an address": redirect("http://[::1"),
    "a port beyond all": redirect("http://127.0.0.1:99999/"),
    "a port of letters": redirect(f"http://127.0.0.1:{ESCAPES}/"),
    "no host": redirect("http:///a.jpg"),
    "a host with NUL": redirect("http://a\x00b/"),
    "a host of escapes": redirect(f"http://{ESCAPES}/"),
    "a host that is too long": redirect(f"http://{'a' * 300}.invalid/"),
    "a folded place": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\tevil\r\n\r\n",
    "escapes for a place": redirect(f"gopher://{ESCAPES}"),
    # headers
    "a thousand headers": b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 1000 + b"\r\n",
    "a long header": b"HTTP/1.1 200 OK\r\na: " + b"b" * 100_000 + b"\r\n\r\n",
    "no header": b"HTTP/1.1 200 OK\r\nthis is none\r\n\r\npicture",
    "a length below all": answer(b"picture", Content_Length="-7"),
    "a length beyond all": answer(b"picture", Content_Length="9" * 5000),
    "a length of letters": answer(b"picture", Content_Length=ESCAPES),
    "less than was said": answer(b"picture", Content_Length="100"),
    # contents
    "a chunk below all": answer(b"-5\r\nabc\r\n0\r\n\r\n", Transfer_Encoding="chunked", Content_Length=None),
    "a chunk beyond all": answer(b"f" * 60 + b"\r\nabc", Transfer_Encoding="chunked", Content_Length=None),
    "a chunk of escapes": answer(raw(f"{ESCAPES}\r\n"), Transfer_Encoding="chunked", Content_Length=None),
    "half a chunk": answer(b"a\r\nabc", Transfer_Encoding="chunked", Content_Length=None),
    "an empty picture": answer(b""),
    "a page": answer(raw(f"<html><title>{ESCAPES}</title>"), Content_Type="text/html"),
    "a drawing": answer(b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
    "a picture beyond all": answer(png(65_000, 65_000)),
    "half a picture": answer(b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(50)),
    "a program": answer(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%id) (w) file\n"),
    "without an end": endless,
}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    vector = np.eye(1, 128, dtype=np.float32)[0]
    with Catalog.open(folder, create=True) as catalog:
        catalog.set_encoder(LibraryEncoder("tiny", 128, "float32"))
        catalog.commit_batch([NewPhoto("/a.jpg", 1, 1, None, 4, 4, None, vector=vector)])
    return folder


@pytest.fixture
def asked(library, monkeypatch, capfd):
    """Return a function that searches for what is at an address, and returns status, output and errors."""
    monkeypatch.setenv("PHOTOMAP_PRIVATE_ADDRESSES", "true")
    monkeypatch.setattr(query_encoder, "_encoded", lambda _route, work, _run, **_how: (work(None, CPU), "encoder"))
    monkeypatch.setitem(ImageFetcher.__init__.__kwdefaults__, "seconds", LONG_SECONDS)

    def ask(address, *options):
        status = run(["--library", str(library), "search", "--local", *options, address])
        told = capfd.readouterr()
        return status, told.out, told.err

    return ask


@pytest.mark.parametrize("what", ANSWERS)
def test_a_hostile_answer_is_told_in_a_line(asked, what):
    with WebStandIn() as site:
        site.says = collections.defaultdict(bytes, {f"/{what.replace(' ', '%20')}": ANSWERS[what]})
        status, out, err = asked(site.url(f"/{what.replace(' ', '%20')}"))
    assert status == 2, err
    assert out == ""
    message, *_, hint = err.splitlines()
    assert message.startswith("photomap: http://127.0.0.1")
    assert hint.startswith("hint: ")
    assert len(err.splitlines()) == 4  # with the query, and the place in it
    assert len(message) < 400
    assert "Traceback" not in err
    assert all(letter.isprintable() or letter == "\n" for letter in err), ascii(err)


def test_there_are_more_than_fifty():
    assert len(ANSWERS) > 50
