"""What photomap says and does when a server is away, slow, strict or broken; no server is asked."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import threading
from contextlib import suppress

import numpy as np
import pytest
from cases import cases
from fake_milvus import Clock, FakeMilvus, RpcError, failing, loaded
from waiting import LONG_SECONDS

from photomap_cli.errors import BadSetting, LibraryLoading, LibraryUnreachable, LibraryUnusable
from photomap_cli.library.shared import address, client
from photomap_cli.library.shared.abilities import Abilities
from photomap_cli.library.shared.client import Client
from photomap_cli.library.shared.credentials import Credentials

WHERE = address.parse("milvus://127.0.0.1:9/photos")


@pytest.fixture(autouse=True)
def _limits_of_the_docs(monkeypatch):
    monkeypatch.setattr(client, "limits", client.Limits())


def over(fake):
    clock = Clock()
    return Client(WHERE, Credentials(), connect=lambda *_: fake, pause=clock.pause, clock=clock)


AWAY = [
    failing(2, "Fail connecting to server"),
    failing(2, "Fail connecting to server", RpcError("UNAVAILABLE")),
    RpcError("DEADLINE_EXCEEDED"),
    failing(65535, "[query] Retry timeout: 10s, message=proxy TaskCondition context Done"),
    failing(1, "x", RpcError("UNAVAILABLE")),
]


@pytest.mark.parametrize("error", AWAY)
def test_a_server_that_is_away(error):
    with pytest.raises(
        LibraryUnreachable, match=r"^the library milvus://127.0.0.1:9/photos does not answer$"
    ) as caught:
        over(FakeMilvus(query=error)).query("photos", "", ["row"])
    assert "photomap doctor" in caught.value.hint


def test_a_server_that_speaks_in_another_way():
    error = failing(2, "Fail connecting", RpcError("UNAVAILABLE", "SSL_ERROR_SSL: WRONG_VERSION_NUMBER"))
    with pytest.raises(LibraryUnreachable) as caught:
        over(FakeMilvus(query=error)).query("photos", "", ["row"])
    assert "milvus+tls://" in caught.value.hint


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (failing(2, "Fail connecting to server", RpcError("UNAUTHENTICATED")), "user name or password"),
        (RpcError("PERMISSION_DENIED"), "doesn't allow that"),
        (failing(1100, "some words of the server's\nTraceback"), r"the server failed \(code 1100\)$"),
        (ValueError("a defect"), "answer makes no sense$"),
        (OSError("a defect"), r"the server failed \(code unknown\)$"),
    ],
)
def test_a_server_that_refuses(error, message):
    with pytest.raises(LibraryUnusable, match=message) as caught:
        over(FakeMilvus(query=error)).query("photos", "", ["row"])
    assert not isinstance(caught.value, LibraryUnreachable)
    assert caught.value.hint


def test_the_servers_words_are_in_the_log_in_one_line_and_nowhere_else(caplog):
    caplog.set_level(logging.INFO, "photomap_cli")
    error = failing(1100, "secret plans\n" + "x" * 5000)
    with pytest.raises(LibraryUnusable) as caught:
        over(FakeMilvus(query=error)).query("photos", "", ["row"])
    assert "secret" not in caught.value.message + caught.value.hint
    (line,) = caplog.messages
    assert "secret plans" in line
    assert "\n" not in line
    assert len(line) < 500


def test_no_call_is_without_a_limit_in_time():
    fake = FakeMilvus(query=[[{"count(*)": 3}]], search=[[[]]], describe_collection=failing(100))
    asked = over(fake)
    assert asked.count("photos", "") == 3
    asked.search("photos", [1.0], "", ["row"], limit=3, params={})
    assert asked.describe("photos") is None
    asked.upsert("photos", [{"row": 1}])
    asked.delete("photos", [1])
    asked.set_properties("photos", {"a": "b"})
    limits = {"query": 10, "search": 10, "describe_collection": 10, "upsert": 30, "delete": 30}
    assert fake.timeouts == {**limits, "alter_collection_properties": 30}


def test_nothing_to_write_asks_nobody():
    fake = FakeMilvus()
    over(fake).upsert("photos", [])
    over(fake).delete("photos", [])
    assert fake.calls == []


NOT_LOADED = failing(101, "collection not loaded")


def test_a_library_that_is_being_loaded_is_waited_for():
    fake = FakeMilvus(query=[NOT_LOADED, [{"row": 1}]], get_load_state=[loaded("Loading")] * 5 + [loaded("Loaded")])
    assert over(fake).query("photos", "", ["row"]) == [{"row": 1}]
    assert [call[0] for call in fake.calls].count("load_collection") == 0


def test_a_library_that_nobody_has_loaded_is_loaded():
    fake = FakeMilvus(query=[NOT_LOADED, [{"row": 1}]], get_load_state=loaded("NotLoad"), load_collection=[None])
    assert over(fake).query("photos", "", ["row"]) == [{"row": 1}]


def test_a_library_that_takes_long_to_load_is_not_said_to_be_empty():
    fake = FakeMilvus(query=NOT_LOADED, get_load_state=loaded("Loading"))
    with pytest.raises(LibraryLoading, match="is being loaded by its server"):
        over(fake).query("photos", "", ["row"])


def test_a_connection_is_made_when_it_is_needed_and_once():
    made = []
    asked = Client(WHERE, Credentials(), connect=lambda *_: made.append(FakeMilvus(query=[[]])) or made[-1])
    assert made == []
    asked.query("photos", "", ["row"])
    asked.query("photos", "", ["row"])
    asked.close()
    asked.close()
    assert [each.is_closed for each in made] == [True]


@pytest.mark.parametrize(
    ("version", "infix", "half"),
    [
        ("v2.3.5-lite", False, False),
        ("2.3.21", False, False),
        ("v2.4.0", True, True),
        ("v3.0-beta", True, True),
        ("milvus_lite-3.2.2", True, False),
        ("something", False, False),
    ],
)
def test_what_a_version_can_do(version, infix, half):
    assert Abilities.of(version)[:3] == (version, infix, half)


def test_a_server_that_was_away_for_long_is_tried_every_other_second(monkeypatch):
    """By itself gRPC's pauses grow to two minutes, and a session would say for as long that nobody answers."""
    asked = {}
    monkeypatch.setattr(client, "_milvus_client", lambda: lambda uri, **named: asked.update(named, uri=uri))
    client.connected(address.parse("milvus://127.0.0.1/p"), Credentials())
    assert asked["grpc_options"]["grpc.max_reconnect_backoff_ms"] <= 2000
    assert asked["timeout"] == client.limits.connect
    assert not asked["grpc_options"]["grpc.keepalive_permit_without_calls"], "idle, it sends nothing"


def test_without_pymilvus_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    with pytest.raises(BadSetting, match="needs pymilvus") as caught:
        Client(WHERE, Credentials()).query("photos", "", ["row"])
    assert "photomap-cli[shared]" in caught.value.hint


def test_a_server_that_is_not_there_is_said_to_be_away_and_nothing_is_written_to_the_terminal(tmp_path):
    (tmp_path / ".env").write_text("MILVUS_URI=nonsense\n")
    program = (
        "import sys, os;"
        "from photomap_cli.library.shared import address, client;"
        "from photomap_cli.library.shared.credentials import Credentials;"
        "from photomap_cli.errors import LibraryUnreachable\n"
        "assert 'pymilvus' not in sys.modules\n"
        "asked = client.Client(address.parse('milvus://127.0.0.1:9/photos'), Credentials('me:secret'))\n"
        "try: asked.query('photos', '', ['row'])\n"
        "except LibraryUnreachable as error: print(error.message)\n"
        "assert 'PYTHON_DOTENV_DISABLED' not in os.environ and 'MILVUS_URI' not in os.environ"
    )
    command = [sys.executable, "-W", "error::DeprecationWarning:photomap_cli", "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=LONG_SECONDS)
    assert (done.stdout, done.stderr) == ("the library milvus://127.0.0.1:9/photos does not answer\n", "")


NONSENSE = [
    None,
    5,
    [5],
    [{"x": 1}],
    [{"row": "x"}],
    [{"row": None, "vector": [1.0]}],
    [{"row": 1, "vector": [float("nan")]}],
]
NONSENSE += [[{"row": 1, "vector": None}], [{"row": 1, "vector": [[1.0], [2.0]]}], [{"row": 1, "vector": b"abc"}]]


@cases("answer", NONSENSE)
def test_an_answer_that_makes_no_sense(answer):
    for ask in (
        lambda: over(FakeMilvus(query=answer)).query("photos", "", ["row", "vector"]),
        lambda: over(FakeMilvus(query=answer)).count("photos", ""),
        lambda: over(FakeMilvus(describe_collection=answer)).describe("photos"),
        lambda: over(FakeMilvus(search=answer)).search("photos", [1.0], "", ["photo"], limit=1, params={}),
    ):
        with pytest.raises(LibraryUnusable, match="answer makes no sense"):
            ask()


def test_a_score_that_is_none():
    hits = [[{"distance": float("nan"), "entity": {"photo": 1}}]]
    with pytest.raises(LibraryUnusable, match="answer makes no sense"):
        over(FakeMilvus(search=hits)).search("photos", [1.0], "", ["photo"], limit=1, params={})


@pytest.mark.parametrize("form", [bytes, lambda half: [bytes(half)], lambda half: half.astype("f4").tolist()])
def test_a_vector_comes_in_any_form(form):
    half = np.array([0.5, -0.25], np.float16)
    (found,) = over(FakeMilvus(query=[[{"row": 1, "vector": form(half)}]])).query("photos", "", ["row", "vector"])
    assert found["vector"].dtype == np.float32
    assert found["vector"].tolist() == [0.5, -0.25]


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0" * 4096, b"SSH-2.0-OpenSSH_9.2\r\n"])
def test_what_is_no_server_of_milvus_is_given_up_in_time(answer, monkeypatch):
    monkeypatch.setattr(client, "limits", client.Limits(connect=0.5))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        answering = threading.Thread(target=answers_all, args=(listening, answer), daemon=True)
        answering.start()
        where = address.Address("127.0.0.1", listening.getsockname()[1], "photos")
        with pytest.raises(LibraryUnreachable, match="does not answer"):
            Client(where, Credentials()).query("photos", "", ["row"])
        listening.shutdown(socket.SHUT_RDWR)
        answering.join()


def answers_all(listening, answer):
    """Give everybody who connects the same bytes, and nothing else until it is over."""
    connections = []
    with suppress(OSError):
        while True:
            connections.append(listening.accept()[0])
            with suppress(OSError):
                connections[-1].sendall(answer)
    for each in connections:
        each.close()


FORKS = """
import os
import time
from contextlib import suppress
from photomap_cli.errors import PhotomapError
from photomap_cli.library.shared import address
from photomap_cli.library.shared.client import Client
from photomap_cli.library.shared.credentials import Credentials

with suppress(PhotomapError):
    Client(address.parse("milvus://127.0.0.1:1/photos"), Credentials()).describe("photos")
import grpc
channel = grpc.insecure_channel("127.0.0.1:1")
with suppress(grpc.FutureTimeoutError):
    grpc.channel_ready_future(channel).result(timeout=1)
forks = []
for _ in range(80):
    if not (pid := os.fork()):
        os.closerange(3, 200)
        time.sleep(0.5)
        os._exit(0)
    forks.append(pid)
print([os.waitpid(pid, 0)[1] for pid in forks])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks")
def test_a_program_can_be_started_while_a_server_is_connected():
    environment = {name: value for name, value in os.environ.items() if name != "GRPC_ENABLE_FORK_SUPPORT"}
    ran = subprocess.run(
        [sys.executable, "-c", FORKS],
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONG_SECONDS,
        check=False,
    )
    assert ran.stdout.strip() == str([0] * 80), ran.stderr
