import os
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from waiting import LONG_SECONDS, in_thread, wait_until

from photomap_cli import directories
from photomap_cli.errors import BadPath, BadQuery, LibraryBusy, PhotomapError, SessionGone, SessionSilent
from photomap_cli.records import DateSource, ResidencyState, SearchRequest
from photomap_cli.session import attach as attach_module
from photomap_cli.session import client, socket_dir, transport, unix_socket
from photomap_cli.session import server as server_module
from photomap_cli.session.server import SessionServer, claim
from photomap_cli.session.session import Session
from photomap_cli.settings import Settings


@pytest.fixture
def library(session):
    return session.catalog.folder


@pytest.fixture
def stopped():
    return threading.Event()


@pytest.fixture
def server(session, library, stopped):
    with SessionServer(session, claim(library), on_stop=stopped.set) as opened:
        yield opened


@pytest.fixture
def other(server, library):
    with client.SessionClient.find(library) as found:
        yield found


def request(text="dog"):
    return SearchRequest(text, cwd="/")


def test_a_client_gets_the_sessions_answers(other, session):
    remote, local = other.search(request()), session.search(request())
    assert [hit.path for hit in remote.hits] == [hit.path for hit in local.hits]
    assert remote.served_by == f"session {os.getpid()}"


def test_a_client_is_told_what_is_known_of_a_photo(other, session, photos):
    path = str(photos / "red" / "red.png")
    assert other.details(path) == session.details(path)
    assert other.details(path).date_source is DateSource.FILE
    for backend in (other, session):
        with pytest.raises(BadPath, match="is not in the library"):
            backend.details("/elsewhere.png")


def test_a_client_may_look_move_and_set(other, session):
    assert other.load().state is ResidencyState.VRAM
    assert other.offload().state is ResidencyState.RAM
    assert other.set_idle_timeout(7).idle_timeout_seconds == 7
    other.prewarm()
    assert transport.statuses()[0].pid == os.getpid()
    assert session.status().idle_timeout_seconds == 7


def test_errors_arrive_as_their_own_class(other):
    with pytest.raises(BadQuery) as caught:
        other.search(request("dog foo:bar"))
    assert caught.value.position == 4


@pytest.mark.parametrize("text", ["a" * 3_000_000, "😀" * 100_001])
def test_of_a_query_that_is_too_long_that_is_said(other, text):
    with pytest.raises(BadQuery, match="at most 100,000 letters"):
        other.search(SearchRequest(text, cwd="/"))


def test_a_query_of_as_many_letters_as_allowed_arrives(other):
    assert other.search(SearchRequest("😀" * 100_000, cwd="/")).query


def test_status_answers_while_a_search_runs(other, encoder):
    entered, go = encoder.hold("encode")
    asking = in_thread(lambda: other.search(request()))
    assert entered.wait(LONG_SECONDS)
    assert other.status().busy
    go.set()
    asking.join(LONG_SECONDS)


def test_stop_reaches_a_session_that_allows_it(other, stopped):
    other.stop()
    assert stopped.wait(LONG_SECONDS)


def test_a_prompts_session_refuses_to_stop(session, library):
    lock = claim(library)
    with (
        SessionServer(session, lock),
        client.SessionClient.find(library) as found,
        pytest.raises(PhotomapError, match="belongs to a prompt"),
    ):
        found.stop()


def test_only_one_session_has_a_library(server, library):
    assert claim(library) is None
    with pytest.raises(LibraryBusy):
        attach_module.host(library, Settings(), kind="serve")


def test_socket_and_folder_are_private(server, library):
    path = socket_dir.socket_path(library)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_an_open_folder_is_closed():
    folder = directories.runtime_directory()
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    assert stat.S_IMODE(socket_dir.private_folder().stat().st_mode) == 0o700


def test_a_long_runtime_directory_still_gives_a_short_socket_path(monkeypatch, tmp_path):
    long = tmp_path / ("x" * 90)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    assert len(os.fsencode(socket_dir.socket_path(tmp_path))) <= unix_socket.LONGEST_SOCKET_PATH
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    assert socket_dir.socket_path(tmp_path).parent.parent == Path("/tmp")


def test_after_the_session_ends_clients_know(session, library):
    server = SessionServer(session, claim(library))
    with client.SessionClient.find(library) as found:
        server.close()
        with pytest.raises(SessionGone):
            found.status()
    assert client.SessionClient.find(library) is None
    assert transport.statuses() == []


def test_whoever_is_hung_up_on_finds_the_library_free(session, library, monkeypatch):
    server, free = SessionServer(session, claim(library)), []
    hang_up = server_module._hang_up

    def look_and_hang_up(client):
        if (lock := claim(library)) is not None:
            free.append(lock)
        hang_up(client)

    monkeypatch.setattr(server_module, "_hang_up", look_and_hang_up)
    with client.SessionClient.find(library):
        server.close()
    assert free
    free[0].release()


def test_a_session_that_leaves_while_it_is_looked_at_is_none(server, library, monkeypatch):
    def leave(line, op):
        raise SessionGone("the session ended")

    found = transport.find(library)
    monkeypatch.setattr(transport, "find", lambda _: found)
    monkeypatch.setattr(transport.Transport, "request", leave)
    assert client.watch(library, lambda: None) is None


def test_a_killed_sessions_lock_is_free_again(session, library):
    program = """
import sys
from pathlib import Path
from photomap_cli.session.server import claim
assert claim(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""
    words = [sys.executable, "-c", program, str(library)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        assert claim(library) is None
        holder.kill()
        holder.wait()
    lock = claim(library)
    assert lock is not None
    lock.release()


def test_a_watching_client_never_waits_for_a_status(server, library, session):
    changes = threading.Event()
    watching = client.watch(library, changes.set)
    with watching:
        assert watching.status().pid == os.getpid()
        assert changes.wait(LONG_SECONDS)
        server.close()
        wait_until(lambda: is_gone(watching))


def is_gone(watching):
    try:
        watching.status()
    except SessionGone:
        return True
    return False


def test_two_sessions_that_start_at_once_end_up_as_one(session, library):
    backends = []

    def attach():
        backends.append(attach_module.attach_or_open(library, Settings(), kind="repl"))

    for thread in [in_thread(attach) for _ in range(4)]:
        thread.join(LONG_SECONDS)
    assert len(backends) == 4
    assert sum(not isinstance(backend, client.SessionClient) for backend in backends) == 1
    for backend in backends:
        backend.close()


def test_hosting_ends_with_the_session(session, library):
    with attach_module.host(library, Settings(), kind="serve") as hosted:
        attached = attach_module.attach_or_open(library, Settings(), kind="repl")
        assert attached.status().kind == "serve"
        assert hosted.status().pid == os.getpid()
        attached.close()
    assert client.SessionClient.find(library) is None
    lock = claim(library)
    assert lock is not None
    lock.release()


def test_without_sessions_a_prompt_has_its_own_and_serve_says_so(session, library, monkeypatch):
    monkeypatch.setattr(unix_socket, "HAS_SESSIONS", False)
    with attach_module.attach_or_open(library, Settings(), kind="repl") as alone:
        assert alone.status().kind == "repl"
    assert client.SessionClient.find(library) is None
    assert transport.statuses() == []
    with pytest.raises(PhotomapError, match="sessions don't work on this system"):
        attach_module.host(library, Settings(), kind="serve")


def test_a_session_that_does_not_answer_is_named_with_the_way_out(library, monkeypatch):
    monkeypatch.setattr(attach_module, "TIMEOUT_SECONDS", 0)
    held = claim(library)
    with pytest.raises(SessionSilent, match=f"session {os.getpid()} does not answer; if it is suspended"):
        attach_module.attach_or_open(library, Settings(), kind="repl")
    held.release()


def refused(*given):
    raise OSError(24, "Too many open files")


def test_a_socket_that_cannot_be_made_leaves_nothing_open(session, library, monkeypatch):
    closed = []
    session.on_close(lambda: closed.append(True))
    monkeypatch.setattr(Session, "open", lambda *given, **more: session)
    monkeypatch.setattr(SessionServer, "server_bind", refused)
    with pytest.raises(OSError, match="Too many open files"):
        attach_module.host(library, Settings(), kind="serve")
    assert closed == [True]
    lock = claim(library)
    assert lock is not None
    lock.release()


def test_a_socket_that_nobody_can_be_told_of_is_closed(session, library, tmp_path, monkeypatch):
    made, make = [], socket.socket
    monkeypatch.setattr(socket, "socket", lambda *kind: made.append(make(*kind)) or made[-1])
    monkeypatch.setattr(socket_dir, "socket_path", lambda _: tmp_path / ("x" * 200))
    with pytest.raises(OSError, match="too long"):
        SessionServer(session, claim(library))
    assert [one.fileno() for one in made] == [-1]


def test_a_session_that_cannot_be_watched_is_hung_up_on(server, library, monkeypatch):
    closed, close = [], transport.Transport.close
    monkeypatch.setattr(client, "WatchingClient", refused)
    monkeypatch.setattr(transport.Transport, "close", lambda line: closed.append(line) or close(line))
    with pytest.raises(OSError, match="Too many"):
        client.watch(library, lambda: None)
    assert len(closed) == 1
