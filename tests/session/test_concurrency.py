"""Many clients at once: nobody waits for a status, nobody is forgotten, nobody works for those who have left."""

import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from json_talk import hear, say
from waiting import LONG_SECONDS, in_thread, wait_until

from photomap_cli.indexing.index_options import IndexOptions
from photomap_cli.records import SearchRequest
from photomap_cli.session import socket_dir
from photomap_cli.session.client import SessionClient
from photomap_cli.session.server import SessionServer, claim
from photomap_cli.session.transport import Transport

CLIENTS, QUERIES = 16, 50


@pytest.fixture
def path(session):
    with SessionServer(session, claim(session.catalog.folder)):
        yield socket_dir.socket_path(session.catalog.folder)


@pytest.fixture
def glance(path):
    with SessionClient(Transport(path)) as opened:
        yield opened


def request(text="dog"):
    return SearchRequest(text, cwd="/")


def ask_and_wait_not(path, text="dog"):
    """Send a search and return the connection, its answer unread."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(os.fspath(path))
    say(connection, version=1, op="search", request=request(text).to_json())
    return connection


def encodes(encoder):
    return encoder.calls.count("encode")


def test_16_clients_of_50_queries_get_what_one_gets(path, session):
    texts = [f"{number} dogs" for number in range(QUERIES)]
    alone = {text: session.search(request(text)).hits for text in texts}
    begin = threading.Barrier(CLIENTS)

    def ask_all(first):
        with SessionClient(Transport(path)) as asking:
            begin.wait(LONG_SECONDS)
            return [(text, asking.search(request(text)).hits) for text in texts[first:] + texts[:first]]

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = [answer for answers in pool.map(ask_all, range(CLIENTS)) for answer in answers]
    assert len(answers) == CLIENTS * QUERIES
    for text, hits in answers:
        assert [hit.path for hit in hits] == [hit.path for hit in alone[text]]
        assert [hit.score for hit in hits] == pytest.approx([hit.score for hit in alone[text]], abs=1e-6)


def test_the_queued_search_of_a_client_that_left_is_never_run(path, glance, session, encoder):
    before = encodes(encoder)
    entered, go = encoder.hold("encode")
    with ask_and_wait_not(path) as first:
        assert entered.wait(LONG_SECONDS)
        leaving = ask_and_wait_not(path, "cat")
        wait_until(lambda: session._turns.waiting == 1)
        leaving.close()
        wait_until(lambda: session._turns.waiting == 0)
        go.set()
        assert hear(first)["result"]["query"] == "dog"
    assert encodes(encoder) == before + 1


def test_a_running_search_stops_before_its_encode_when_its_client_leaves(path, glance, encoder):
    before = encodes(encoder)
    entered, go = encoder.hold("to_vram")
    leaving = ask_and_wait_not(path)
    assert entered.wait(LONG_SECONDS)
    leaving.close()
    go.set()
    glance.search(request("cat"))
    assert encodes(encoder) == before + 1


def test_a_running_search_stops_before_its_scan_when_its_client_leaves(path, glance, session, encoder, monkeypatch):
    scans = []
    scan = session.vectors.search
    monkeypatch.setattr(session.vectors, "search", lambda *words, **more: scans.append(words) or scan(*words, **more))
    entered, go = encoder.hold("encode")
    leaving = ask_and_wait_not(path)
    assert entered.wait(LONG_SECONDS)
    leaving.close()
    go.set()
    glance.search(request("cat"))
    assert len(scans) == 1


@pytest.mark.parametrize("slow", ["to_vram", "encode"])
def test_status_answers_at_once_during_a_reload_and_a_search(path, glance, encoder, slow):
    entered, go = encoder.hold(slow)
    with ask_and_wait_not(path) as first, ask_and_wait_not(path) as second:
        assert entered.wait(LONG_SECONDS)
        assert glance.status().pid == os.getpid()
        go.set()
        for asking in (first, second):
            assert "result" in hear(asking)


def test_status_answers_at_once_while_the_session_indexes(glance, session, encoder, photos):
    from PIL import Image

    Image.new("RGB", (20, 20), "yellow").save(photos / "yellow.png")
    entered, go = encoder.hold("encode")
    indexing = in_thread(lambda: list(session.indexer(IndexOptions()).run([photos])))
    assert entered.wait(LONG_SECONDS)
    assert glance.status().busy
    go.set()
    indexing.join(LONG_SECONDS)
    assert len(glance.search(request()).hits) == 5


def test_a_query_of_many_terms_ends_between_two_of_them_when_its_client_leaves(path, glance, encoder):
    before = encodes(encoder)
    entered, go = encoder.hold("encode")
    leaving = ask_and_wait_not(path, " + ".join(f"{number} dogs" for number in range(1000)))
    assert entered.wait(LONG_SECONDS)
    leaving.close()
    go.set()
    glance.search(request("cat"))
    assert encodes(encoder) == before + 2
