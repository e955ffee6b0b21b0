"""What others may try on a session's socket, its folder and its lock."""

import contextlib
import errno
import os
import socket
import socketserver
import subprocess
import sys
import threading

import pytest
from json_talk import hear, say
from waiting import LONG_SECONDS, wait_until

from photomap_cli import directories
from photomap_cli.errors import LibraryUnusable, PhotomapError, ProtocolMismatch, SessionFull, SessionGone
from photomap_cli.records import SearchRequest
from photomap_cli.session import client, handlers, peer, socket_dir, transport, unix_socket
from photomap_cli.session import server as server_module
from photomap_cli.session.client import SessionClient
from photomap_cli.session.limits import Limits
from photomap_cli.session.server import SessionServer, claim
from photomap_cli.session.transport import Transport

HALF_A_LINE = b'{"version"'


@pytest.fixture
def library(session):
    return session.catalog.folder


@pytest.fixture
def path(library):
    return socket_dir.socket_path(library)


@pytest.fixture
def serve(session, library):
    """Return a function that starts the session's server, with limits of the test's own."""
    with contextlib.ExitStack() as opened:
        yield lambda **limits: opened.enter_context(SessionServer(session, claim(library), limits=Limits(**limits)))


@pytest.fixture
def knock(path):
    """Return a function that connects without any manners."""
    with contextlib.ExitStack() as opened:

        def connect():
            connection = opened.enter_context(socket.socket(socket.AF_UNIX))
            connection.connect(os.fspath(path))
            connection.settimeout(LONG_SECONDS)
            return connection

        yield connect


def error_in(connection):
    return PhotomapError.from_json(hear(connection)["error"])


def is_hung_up_on(connection):
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def shout(connection, count):
    for _ in range(count):
        say(connection, version=1, op="status")


def hang_up_on_all(server):
    for each in list(server._clients):
        each.shutdown(socket.SHUT_RDWR)


def threads_called(name, before=frozenset()):
    """Return the threads of this name, but for those of other tests that have yet to end."""
    return [thread for thread in threading.enumerate() if name in thread.name and thread not in before]


def threads_serving(before):
    return threads_called("process_request_thread", before)


def assert_serves(library):
    with client.SessionClient.find(library) as found:
        assert found.status().pid == os.getpid()


def is_served(library):
    """Whether somebody with manners is served; a test that stalls may be cut off for its own silence."""
    found = client.SessionClient.find(library)
    with contextlib.suppress(SessionGone), found or contextlib.nullcontext():
        return found is not None and found.status().pid == os.getpid()
    return False


# The folder, the socket and the lock ----------------------------------------------------------------------------------


@pytest.fixture
def another_user(monkeypatch):
    monkeypatch.setattr(unix_socket, "user", lambda: os.geteuid() + 1)


def test_another_users_folder_is_neither_used_nor_looked_into(serve, library, another_user):
    with pytest.raises(LibraryUnusable, match="own folder"):
        socket_dir.private_folder()
    assert socket_dir.sockets() == []
    assert client.SessionClient.find(library) is None
    assert transport.statuses() == []


def test_a_planted_link_to_a_folder_is_refused_and_its_target_left_alone(tmp_path, library):
    target = tmp_path / "target"
    target.mkdir(mode=0o755)
    directories.runtime_directory().symlink_to(target, target_is_directory=True)
    with pytest.raises(LibraryUnusable, match="own folder"):
        claim(library)
    assert (target.stat().st_mode & 0o777, list(target.iterdir())) == (0o755, [])
    assert socket_dir.sockets() == []


def test_a_folder_that_anybody_may_replace_is_refused(library):
    above = directories.runtime_directory().parent
    above.chmod(0o777)
    with pytest.raises(LibraryUnusable, match="anyone could replace"):
        claim(library)
    above.chmod(0o1777)
    claim(library).release()


def test_a_planted_link_to_a_socket_is_not_followed_and_gives_way(serve, session, library, path, tmp_path):
    elsewhere = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as trap:
        trap.bind(os.fspath(elsewhere))
        trap.listen()
        socket_dir.private_folder()
        path.symlink_to(elsewhere)
        assert client.SessionClient.find(library) is None
        assert transport.statuses() == []
        serve()
        assert elsewhere.is_socket()
    assert not path.is_symlink()
    assert_serves(library)


@pytest.mark.parametrize("plant", [os.symlink, os.link], ids=["symlink", "hard link"])
def test_a_planted_link_to_a_lock_is_not_written_through(library, tmp_path, plant):
    precious = tmp_path / "precious"
    precious.write_text("keep me")
    socket_dir.private_folder()
    plant(precious, socket_dir.lock_path(library))
    with pytest.raises(LibraryUnusable, match="own file"):
        claim(library)
    assert precious.read_text() == "keep me"


def test_another_users_process_is_refused(serve, knock, monkeypatch, library):
    serve()
    monkeypatch.setattr(unix_socket, "user_of", lambda _: os.geteuid() + 1)
    assert "another user" in error_in(knock()).message
    assert client.SessionClient.find(library) is None  # nor does a client trust a session of another user


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root can be somebody else")
def test_the_system_says_who_is_at_the_other_end(serve, path):
    serve()
    path.chmod(0o666)
    path.parent.chmod(0o711)
    program = f"""
import os, socket, sys
os.setuid(65534)
with socket.socket(socket.AF_UNIX) as one:
    one.connect("/proc/self/fd/{{}}/{path.name}".format(sys.argv[1]))
    print(one.recv(1000))
"""
    folder = os.open(path.parent, os.O_PATH)
    try:
        words = [sys.executable, "-c", program, str(folder)]
        said = subprocess.run(
            words, pass_fds=[folder], capture_output=True, text=True, timeout=LONG_SECONDS, check=True
        )
    finally:
        os.close(folder)
    assert "another user" in said.stdout


# Lines ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [b"abc\n", b"[1]\n", b"\n", b"[" * 20_000 + b"\n", b"GET / HTTP/1.1\n", b"\x80\xff\n"],
    ids=["no JSON", "no object", "empty", "deep", "HTTP", "no UTF-8"],
)
def test_nonsense_is_told_so_and_the_talk_goes_on(serve, knock, data):
    serve()
    rude = knock()
    rude.sendall(data)
    assert "a line" in error_in(rude).message
    say(rude, version=1, op="status")
    assert hear(rude)["result"]["pid"] == os.getpid()


def test_a_line_without_end_is_told_so_and_hung_up_on(serve, knock, library):
    serve(line_bytes=100_000)
    rude = knock()
    rude.sendall(b" " * 100_001)
    assert "over the limit of 100000 bytes" in error_in(rude).message
    assert is_hung_up_on(rude)
    assert_serves(library)


def test_half_a_line_held_open_blocks_nobody(serve, knock, library):
    serve(seconds=LONG_SECONDS)
    knock().sendall(HALF_A_LINE)
    assert_serves(library)


def test_half_a_line_held_open_is_cut_off(serve, knock):
    serve(seconds=0.2)
    rude = knock()
    rude.sendall(HALF_A_LINE)
    assert is_hung_up_on(rude)


def test_silence_is_cut_off(serve, knock):
    serve(seconds=0.05)
    assert is_hung_up_on(knock())


def test_a_client_cut_off_for_its_silence_connects_again(serve, path):
    server = serve()
    with SessionClient(Transport(path)) as quiet:
        quiet.offload()
        hang_up_on_all(server)
        wait_until(lambda: unix_socket.has_hung_up(quiet._line._slow._socket))
        assert quiet.offload().pid == os.getpid()


def test_a_client_cut_off_in_the_moment_in_which_it_asks_asks_again(serve, path, monkeypatch):
    server = serve()
    with SessionClient(Transport(path)) as quiet:
        quiet.offload()
        hang_up_on_all(server)
        wait_until(lambda: unix_socket.has_hung_up(quiet._line._slow._socket))
        with monkeypatch.context() as patched:
            patched.setattr(unix_socket, "has_hung_up", lambda _: False)  # as it looked a moment ago
            assert quiet.offload().pid == os.getpid()


def test_a_client_that_has_hung_up_itself_does_not_connect_again(serve, path):
    serve()
    with SessionClient(Transport(path)) as leaving:
        leaving.offload()
    with pytest.raises(SessionGone):
        leaving.offload()


def test_a_client_that_never_reads_is_cut_off_and_blocks_nobody(serve, knock, library):
    serve(seconds=0.2)
    deaf = knock()
    say(deaf, version=1, op="status")
    wait_until(lambda: is_served(library))
    with pytest.raises(ConnectionError):
        shout(deaf, 100_000)
    wait_until(lambda: is_served(library))


def test_a_request_too_large_is_not_sent_and_an_answer_too_large_is_an_error(serve, path):
    serve(line_bytes=600)
    with SessionClient(Transport(path)) as greedy:
        with pytest.raises(PhotomapError, match="request is too large") as caught:
            greedy.search(SearchRequest("dog", cwd="/" + "x" * Limits().line_bytes))
        assert caught.value.hint
        with pytest.raises(PhotomapError, match="answer is too large"):
            greedy.search(SearchRequest("dog", cwd="/", explain=True))
        assert len(greedy.search(SearchRequest("dog", cwd="/", limit=1)).hits) == 1


def test_only_the_results_that_a_query_names_travel_with_it(serve, path, session):
    serve()
    paths = tuple(hit.path for hit in session.search(SearchRequest("dog", cwd="/")).hits)
    many = SearchRequest("#2 + dog", cwd="/", references=paths + ("/" + "x" * 1000,) * 10_000)
    with SessionClient(Transport(path)) as asking:
        remote = asking.search(many)
    assert [hit.path for hit in remote.hits] == [hit.path for hit in session.search(many).hits]


# Numbers --------------------------------------------------------------------------------------------------------------


def test_of_200_clients_at_once_64_are_served_and_the_others_told(serve, knock, library):
    before = frozenset(threading.enumerate())
    serve(seconds=LONG_SECONDS)
    crowd = [knock() for _ in range(200)]
    for refused in crowd[64:]:
        assert error_in(refused).code == SessionFull.code
        assert is_hung_up_on(refused)
    with pytest.raises(SessionFull) as caught:
        client.SessionClient.find(library)
    assert "--local" in caught.value.hint
    assert len(threads_serving(before)) == 64
    for served in crowd[:64]:
        say(served, version=1, op="status")
        assert "result" in hear(served)
        served.close()
    wait_until(lambda: not threads_serving(before))
    assert_serves(library)


def test_a_client_that_cannot_be_let_in_is_tried_again_after_a_pause(serve, library, monkeypatch):
    server, accept, pauses = serve(), socketserver.TCPServer.get_request, []

    def accept_at_last(self):
        if len(pauses) < 3:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return accept(self)

    monkeypatch.setattr(server._closed, "wait", pauses.append)
    monkeypatch.setattr(socketserver.TCPServer, "get_request", accept_at_last)
    assert_serves(library)
    assert pauses == [server_module._ACCEPT_AGAIN_SECONDS] * 3


def test_a_client_for_whom_there_is_no_thread_is_hung_up_on_and_makes_room(serve, knock, library, monkeypatch):
    def refuse(_):
        raise RuntimeError("can't start new thread")

    server = serve(clients=2)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        assert is_hung_up_on(knock())
        assert is_hung_up_on(knock())
    wait_until(lambda: not server._clients)
    assert_serves(library)


def test_many_prewarms_are_one_thread(serve, path, session, encoder):
    before = frozenset(threading.enumerate())
    serve()
    entered, go = encoder.hold("to_vram")
    with SessionClient(Transport(path)) as eager:
        eager.prewarm()
        assert entered.wait(LONG_SECONDS)
        for _ in range(50):
            eager.prewarm()
        assert len(threads_called("prewarm", before)) == 1
        go.set()
        assert eager.load().state == "VRAM"


# Words ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [None, 0, 2, "1", True, [[]]])
def test_a_client_of_another_version_is_told_both_versions(serve, knock, version):
    serve()
    other = knock()
    say(other, version=version, op="status")
    error = error_in(other)
    assert isinstance(error, ProtocolMismatch)
    assert f"version {socket_dir.PROTOCOL_VERSION}, not {version!r}" in error.message
    assert "--local" in error.hint


def test_the_client_raises_it(serve, library, monkeypatch):
    serve()
    monkeypatch.setattr(transport, "PROTOCOL_VERSION", 7)
    with pytest.raises(ProtocolMismatch, match="version 1, not 7"):
        client.SessionClient.find(library)


def test_a_session_of_another_version_is_noticed_by_its_reply(serve, library, monkeypatch):
    serve()
    monkeypatch.setattr(peer, "PROTOCOL_VERSION", 7)
    with pytest.raises(ProtocolMismatch, match="version 7, this photomap 1") as caught:
        client.SessionClient.find(library)
    assert "--local" in caught.value.hint


def test_a_record_with_fields_unknown_here_is_of_another_version_too(serve, path, session, monkeypatch):
    serve()
    status = session.status().to_json()
    for strange in ({**status, "colour": "red"}, {"pid": 1}, {**status, "state": "SOMEWHERE"}):
        monkeypatch.setattr(handlers.RequestHandlers, "answer", lambda *_, strange=strange: strange)
        with (
            SessionClient(Transport(path)) as asking,
            pytest.raises(ProtocolMismatch, match="not understood") as caught,
        ):
            asking.status()
        assert "--local" in caught.value.hint


@pytest.mark.parametrize(
    "message",
    [
        {"op": "rm"},
        {},
        {"op": "search"},
        {"op": "search", "request": {}},
        {"op": "search", "request": {"text": 1, "cwd": "/"}},
        {"op": "search", "request": {"text": "dog", "cwd": "/", "limit": "9"}},
        {"op": "search", "request": {"text": "dog", "cwd": "/", "limit": -5, "collapse": True}},
        {"op": "search", "request": {"text": "dog", "cwd": "/", "sort": "size"}},
        {"op": "search", "request": {"text": "dog", "cwd": "/", "references": 3}},
        {"op": "search", "request": {"text": "dog", "cwd": "/", "references": [3]}},
        {"op": "search", "request": {"text": "dog", "cwd": "/", "more": 1}},
        {"op": "search", "request": {"text": "dog", "cwd": "/", "explain": "yes"}},
        {"op": "set_idle_timeout", "seconds": -1},
        {"op": "set_idle_timeout", "seconds": float("inf")},
        {"op": "set_idle_timeout", "seconds": float("nan")},
        {"op": "set_idle_timeout", "seconds": 10**300},
    ],
)
def test_what_makes_no_sense_is_an_error_and_the_talk_goes_on(serve, knock, message):
    serve()
    odd = knock()
    say(odd, version=1, **message)
    assert isinstance(error_in(odd), ProtocolMismatch)
    say(odd, version=1, op="status")
    assert hear(odd)["result"]["pid"] == os.getpid()


def test_a_defect_is_reported_to_the_client_and_ends_nothing(serve, path, library, monkeypatch):
    serve()
    monkeypatch.setattr(handlers, "_search_request", lambda _: 1 / 0)
    with SessionClient(Transport(path)) as asking, pytest.raises(PhotomapError, match="ZeroDivisionError") as caught:
        asking.search(SearchRequest("dog", cwd="/"))
    assert caught.value.exit_status == 3
    assert_serves(library)


# Sessions that are no more --------------------------------------------------------------------------------------------


def test_a_stale_socket_and_a_process_id_used_again_confuse_nobody(serve, library, path):
    socket_dir.private_folder()
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(os.fspath(path))
    socket_dir.lock_path(library).write_text(str(os.getpid()))  # of a process that lives, and is no session
    assert client.SessionClient.find(library) is None
    assert transport.statuses() == []
    serve()
    assert_serves(library)


def test_a_killed_session_is_gone_at_once_and_the_next_one_starts(serve, library, path, encoder):
    program = """
import sys
from pathlib import Path
from fake_encoder import FakeEncoder
from photomap_cli.vectors.local_library import LocalLibrary
from photomap_cli.session.server import SessionServer, claim
from photomap_cli.session.session import Session
from photomap_cli.settings import Settings

folder = Path(sys.argv[1])
session = Session(LocalLibrary.open(folder), FakeEncoder(), spec="fake", settings=Settings(), kind="serve")
SessionServer(session, claim(folder))
print("serving", flush=True)
sys.stdin.read()
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    words = [sys.executable, "-c", program, str(library)]
    with (
        subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as served,
        contextlib.ExitStack() as talks,
    ):
        assert served.stdout.readline() == "serving\n"
        talking = talks.enter_context(client.SessionClient.find(library))
        assert [look.pid for look in transport.statuses()] == [served.pid]
        served.kill()
        served.wait()
        with pytest.raises(SessionGone):
            talking.search(SearchRequest("dog", cwd="/"))
    assert path.is_socket()  # nobody has tidied up
    assert transport.statuses() == []
    assert client.SessionClient.find(library) is None
    serve()
    assert_serves(library)
