"""A session is absent, silent or answering: no two of them are taken for each other, and nobody waits for ever."""

import os
import socket
import threading
from contextlib import suppress

import pytest
from json_talk import hear, say
from waiting import LONG_SECONDS, in_thread, wait_until

from photomap_cli import subprocesses
from photomap_cli.cli import fast_path
from photomap_cli.errors import SessionFull, SessionGone, SessionSilent
from photomap_cli.library.catalog import Catalog
from photomap_cli.session import client, socket_dir, transport
from photomap_cli.session.limits import LIMITS
from photomap_cli.session.server import SessionServer, claim


@pytest.fixture
def hasty(monkeypatch):
    """For what never answers: a machine that stalls changes nothing."""
    monkeypatch.setattr(transport, "TIMEOUTS", transport.Timeouts(0.02, 0.1))
    monkeypatch.setattr(transport, "CHECK_SECONDS", 0.02)


class StandIn:
    """Listens where a session of the library would, and does with each connection what it is told."""

    def __init__(self, library, serve=lambda connection: None, backlog=16):
        self.lock, self.path = claim(library), socket_dir.socket_path(library)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(os.fspath(self.path))
        self._listener.listen(backlog)
        self._serve, self._kept = serve, []
        in_thread(self._accept)

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._kept.append(connection)
            in_thread(lambda connection=connection: self._answer(connection))

    def _answer(self, connection):
        with suppress(OSError):  # closed meanwhile
            self._serve(connection)

    def close(self):
        for one in (self._listener, *self._kept):
            one.close()
        self.path.unlink()
        self.lock.release()


@pytest.fixture
def stand_in(tmp_path):
    opened = []

    def make(*how, name="library", **more):
        library = tmp_path / name
        Catalog.open(library, create=True).close()
        opened.append(StandIn(library, *how, **more))
        return library

    yield make
    for one in opened:
        one.close()


def answering(status):
    def serve(connection):
        while asked := hear(connection):
            if asked["op"] == "status" and status:
                say(connection, **{"version": 1, **status})

    return serve


def record(pid):
    return {"result": {"pid": pid, "started_at": "2026-01-01T00:00:00Z", "library": "/l", "state": "RAM"}}


def test_no_session_and_a_stale_socket_are_absent(stand_in, tmp_path):
    assert transport.find(tmp_path) is None
    left = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    socket_dir.private_folder()
    left.bind(os.fspath(socket_dir.socket_path(tmp_path)))
    left.close()
    assert transport.find(tmp_path) is None
    assert transport.statuses() == []


def test_one_that_does_not_answer_is_silent_and_something_is_said_first(stand_in, hasty):
    told = []
    with pytest.raises(
        SessionSilent, match=f"session {os.getpid()} does not answer; if it is suspended, fg continues it"
    ):
        transport.find(stand_in(), tell=told.append)
    assert told == [f"session {os.getpid()} does not answer yet"]


def test_one_that_is_known_to_be_stopped_is_not_waited_for(stand_in, monkeypatch):
    monkeypatch.setattr(transport, "TIMEOUTS", transport.Timeouts(0.02, LONG_SECONDS * 1e6))
    monkeypatch.setattr(subprocesses, "is_stopped", lambda pid: pid == os.getpid())
    with pytest.raises(SessionSilent):
        transport.find(stand_in())


def test_one_whose_queue_is_full_is_silent_and_not_gone(stand_in, hasty, monkeypatch):
    monkeypatch.setattr(transport, "CONNECT_SECONDS", 0.02)
    monkeypatch.setattr(StandIn, "_accept", lambda self: None)
    library, waiting = stand_in(backlog=0), []
    for _ in range(8):
        waiting.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        waiting[-1].setblocking(False)
        waiting[-1].connect_ex(os.fspath(socket_dir.socket_path(library)))
    with pytest.raises(SessionSilent, match=str(os.getpid())):
        transport.find(library)
    for one in waiting:
        one.close()


def test_one_that_falls_silent_amid_a_search_is_found_out(stand_in, hasty, monkeypatch):
    silent = threading.Event()

    def serve(connection):
        while (asked := hear(connection)) and not silent.is_set():
            if asked["op"] == "search":
                silent.set()
                return
            say(connection, **{"version": 1, **record(1)})

    line = transport.find(stand_in(serve), timeouts=transport.Timeouts(0.02, LONG_SECONDS))
    line._timeouts = transport.TIMEOUTS
    with pytest.raises(SessionSilent):
        line.long_request("search", request={})
    line.close()


def test_a_long_search_of_one_that_gives_signs_of_life_is_waited_for(stand_in, hasty):
    looks, go = [], threading.Event()

    def serve(connection):
        while asked := hear(connection):
            if asked["op"] == "search":
                assert go.wait(LONG_SECONDS)
            looks.append(asked["op"])
            say(connection, **{"version": 1, **record(1)})

    line = transport.find(stand_in(serve), timeouts=transport.Timeouts(LONG_SECONDS, LONG_SECONDS))
    found = []
    asking = in_thread(lambda: found.append(line.long_request("search", request={})))
    wait_until(lambda: looks.count("status") > 3, "signs of life")
    go.set()
    asking.join(LONG_SECONDS)
    assert found
    line.close()


def test_one_that_is_full_foreign_or_silent_hides_no_other(stand_in, monkeypatch):
    full = SessionFull("the session serves 64 clients already", hint="try again")
    stand_in(answering(record(7)), name="a")
    stand_in(answering({"error": full.to_json()}), name="b")
    stand_in(answering({"version": 99, "result": {}}), name="c")
    silent = socket_dir.socket_path(stand_in(name="d"))
    stand_in(answering({"result": {"no": "pid"}}), name="e")
    library = stand_in(answering(record(8)), name="f")
    really, hasty, patient = transport.Transport, transport.Timeouts(0.02, 0.1), transport.Timeouts(1, LONG_SECONDS)
    monkeypatch.setattr(
        transport,
        "Transport",
        lambda path, **more: really(path, **more, timeouts=hasty if path == silent else patient),
    )
    look = fast_path.status_document(library)
    assert sorted(session["pid"] for session in look["sessions"]) == [7, 8]
    codes = sorted(other["code"] for other in look["unreachable"])
    assert codes == ["protocol_mismatch", "protocol_mismatch", "session_full", "session_silent"]
    assert {other["pid"] for other in look["unreachable"]} == {os.getpid()}


def test_a_watching_prompt_says_so_and_sees_it_go_on(session, monkeypatch):
    library, changes = session.catalog.folder, threading.Event()
    with SessionServer(session, claim(library), limits=LIMITS), client.watch(library, changes.set) as watching:
        pid = watching.status().pid
        glance, is_silent = transport.Transport.request, threading.Event()
        is_silent.set()

        def ask(line, op):
            if is_silent.is_set():
                raise transport.silent_session(pid)
            return glance(line, op)

        monkeypatch.setattr(transport.Transport, "request", ask)
        wait_until(lambda: says(watching) is SessionSilent)
        is_silent.clear()
        wait_until(lambda: says(watching) is None)


def says(watching):
    try:
        watching.status()
    except (SessionSilent, SessionGone) as error:
        return type(error)
    return None
