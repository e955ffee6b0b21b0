"""One child process for every use: asked in frames, told apart by how it ends."""

import os
import signal
import sys

import pytest
from waiting import in_thread

from photomap_cli import subprocesses
from photomap_cli.subprocesses import Child, ChildDied, Exit

ECHO = """
import sys
from photomap_cli.framing import read_frame, write_frame
while frame := read_frame(sys.stdin.buffer.read1):
    for _ in range(frame[0].get("times", 1)):
        write_frame(sys.stdout.buffer, *frame)
"""


@pytest.fixture
def child():
    """Return a function that starts a child which runs a program."""
    started = []

    def start(program, **how):
        started.append(Child([sys.executable, "-c", program], **how))
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.terminate()


def test_a_request_has_a_reply_and_a_payload_both_ways(child):
    echo, pixels = child(ECHO), bytes(range(256)) * 4096
    assert echo.ask({"n": 1}, memoryview(pixels)) == ({"n": 1}, pixels)
    assert echo.ask({"times": 2}) == ({"times": 2}, b"")
    assert echo.receive() == ({"times": 2}, b"")
    assert echo.is_running()
    assert echo.terminate() == echo.terminate() == Exit(0)
    assert not echo.is_running()
    echo.put({"n": 2})  # nobody is there to read it, and nothing else is written to


@pytest.mark.parametrize(
    ("program", "reason", "last_words"),
    [
        ("import os; os.kill(os.getpid(), 11)", "SIGSEGV", ""),
        ("raise SystemExit(7)", "exit status 7", ""),
        ("raise OSError('no such card')", "exit status 1", "OSError: no such card"),
        ('import os; os.write(1, b"{}" * 9); os.read(0, 99); os.read(0, 9)', "exit status 0", ""),
    ],
    ids=["signal", "status", "words", "nonsense"],
)
def test_how_a_child_ended_is_said(child, program, reason, last_words):
    with pytest.raises(ChildDied) as caught:
        child(program, keep_words=True).ask({})
    assert (caught.value.exit.reason, caught.value.exit.last_words) == (reason, last_words)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no SIGSTOP here")
def test_a_child_that_is_stopped_or_silent_is_ended(child, monkeypatch):
    monkeypatch.setattr(subprocesses, "LOOK_SECONDS", 0.01)
    stopped = child(ECHO)
    assert stopped.ask({})
    os.kill(stopped.pid, signal.SIGSTOP)
    with pytest.raises(ChildDied, match="it had been stopped"):
        stopped.ask({})
    silent = child("input(); input()")
    with pytest.raises(ChildDied, match="it said nothing for"):
        silent.ask({}, seconds=0.05)
    assert not silent.is_running()


def test_a_kill_reaches_who_asks(child):
    deaf, told = child("import time; time.sleep(1000)"), []

    def ask():
        try:
            deaf.ask({})
        except ChildDied as death:
            told.append(death.exit.reason)

    asking = in_thread(ask)
    deaf.kill()
    asking.join()
    assert told == ["SIGKILL" if sys.platform != "win32" else "exit status 1"]
