"""What a query makes long ends where nobody wants it any more; what is no picture is found out before it is read."""

import os
import sys
import threading
from contextlib import ExitStack

import pytest
from waiting import LONG_SECONDS, in_thread

from photomap_cli.cancellation import Cancelled, wanted_until
from photomap_cli.errors import BadImage
from photomap_cli.images.decode_pool import DecodePool
from photomap_cli.images.preprocess import PixelFit
from photomap_cli.library.file_identity import digest_at
from photomap_cli.records import FilterKind, PhotoFilter, SearchRequest
from photomap_cli.search import query_encoder
from photomap_cli.search.query import Term, TermKind
from photomap_cli.search.query_images import MOST_FILE_BYTES, Fetched, QueryImages
from photomap_cli.session import client
from photomap_cli.session.server import SessionServer, claim
from photomap_cli.settings import Settings

JPEG = b"\xff\xd8\xff\xe0"


class Left(Exception):
    pass


class Leaving:
    """A client that leaves when it has been looked for some times."""

    def __init__(self, after=0):
        self.after, self.looked = after, 0

    def __call__(self):
        self.looked += 1
        if self.looked > self.after:
            raise Left


def sparse(path, start, size_bytes):
    with path.open("wb") as file:
        file.write(start)
        file.truncate(size_bytes)


@pytest.mark.parametrize(
    ("start", "size_bytes", "reason"),
    [
        (b"", 100 << 30, "not a picture"),
        (b"text", 100 << 30, "not a picture"),
        (JPEG, 100 << 30, "larger than 4 GB"),
        (JPEG, MOST_FILE_BYTES + 1, "larger than 4 GB"),
        (b"", 0, "the file is empty"),
    ],
)
def test_a_file_that_is_no_picture_is_neither_read_nor_encoded(
    start, size_bytes, reason, session, encoder, tmp_path, monkeypatch
):
    sparse(tmp_path / "100gb.jpg", start, size_bytes)
    monkeypatch.setattr(query_encoder, "digest_at", lambda *_: pytest.fail("read whole"))
    before = len(encoder.calls)
    with pytest.raises(BadImage, match=reason) as caught:
        session.search(SearchRequest("./100gb.jpg", cwd=str(tmp_path)))
    assert caught.value.position == 0
    assert encoder.calls[before:] == []


@pytest.mark.parametrize("path", ["./pipe", "/dev/zero", "./folder", "./folder/"])
def test_what_is_no_file_is_not_opened(path, session, encoder, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    before = len(encoder.calls)
    with pytest.raises(BadImage, match="a folder" if "folder" in path else "not a file"):
        session.search(SearchRequest(path, cwd=str(tmp_path)))
    assert encoder.calls[before:] == []


def test_reading_a_large_file_ends_amid(tmp_path):
    sparse(tmp_path / "large.jpg", JPEG, 100 << 20)
    leaving = Leaving(after=3)
    with pytest.raises(Left):
        digest_at(str(tmp_path / "large.jpg"), leaving)
    assert leaving.looked == 4
    assert digest_at(str(tmp_path / "large.jpg"), lambda: None) == digest_at(str(tmp_path / "large.jpg"))


def test_decoding_ends_with_its_process(tmp_path, monkeypatch):
    (tmp_path / "slow.jpg").write_bytes(JPEG)
    asleep = [sys.executable, "-c", "import time; time.sleep(1e6)"]
    monkeypatch.setattr(QueryImages, "_decoders", lambda _: DecodePool(seconds=LONG_SECONDS, command=asleep))
    term = Term(TermKind.IMAGE, str(tmp_path / "slow.jpg"))
    with pytest.raises(Left):
        QueryImages(Settings()).pixels(term, PixelFit((16, 16)), Fetched(), Leaving(after=1))


def test_reading_the_rows_of_many_filters_ends_amid(session):
    filters = [PhotoFilter(FilterKind.NAME, f"*{number}*a*b", negated=True) for number in range(100)]
    with pytest.raises(Left):
        session.catalog.rows(filters, checkpoint=Leaving())
    assert len(session.catalog.rows(filters)) == len(session.catalog.rows(filters, checkpoint=lambda: None)) == 4


def test_explaining_and_collapsing_end_amid(session):
    session.search(SearchRequest("dog", cwd="/"))
    alone = Leaving(after=1000)
    session.search(SearchRequest("dog", cwd="/"), alone)
    for more in ({"explain": True}, {"collapse": True}):
        leaving = Leaving(after=alone.looked)
        with pytest.raises(Left):
            session.search(SearchRequest("dog", cwd="/", **more), leaving)


@pytest.mark.parametrize("is_other_process", [False, True])
def test_a_query_that_was_given_up_at_the_prompt_ends_between_two_terms(session, encoder, is_other_process):
    before, given_up = encoder.calls.count("encode"), threading.Event()
    entered, go = encoder.hold("encode")
    long = SearchRequest(" + ".join(f"{number} dogs" for number in range(1000)), cwd="/")
    raised = []

    def ask(backend):
        try:
            with wanted_until(given_up):
                backend.search(long)
        except Cancelled as error:
            raised.append(error)

    with ExitStack() as opened:
        backend = session
        if is_other_process:
            opened.enter_context(SessionServer(session, claim(session.catalog.folder)))
            backend = opened.enter_context(client.SessionClient.find(session.catalog.folder))
        asking = in_thread(lambda: ask(backend))
        assert entered.wait(LONG_SECONDS)
        given_up.set()
        if is_other_process:
            asking.join(LONG_SECONDS)
        go.set()
        asking.join(LONG_SECONDS)
        assert len(raised) == 1
        assert len(backend.search(SearchRequest("cat", cwd="/")).hits) == 4
    assert encoder.calls.count("encode") == before + 2
