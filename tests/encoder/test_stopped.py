"""A guard must not sleep with what it guards: sessions and encoder processes that are stopped, by real signals."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fake_encoder import GPU, FakeEncoder, ManualTime
from waiting import is_running, wait_until

from photomap_cli import subprocesses
from photomap_cli.encoder import models, worker
from photomap_cli.encoder.process import EncoderProcess
from photomap_cli.encoder.residency import Residency
from photomap_cli.encoder.watchdog import GRACE_SECONDS, RELEASED_STATUS, IdleGuard
from photomap_cli.errors import EncoderDied, EncoderOffloaded
from photomap_cli.framing import write_frame
from photomap_cli.records import ResidencyState as State

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no SIGSTOP here")

HERE = Path(__file__).parent


@pytest.fixture
def calls(light_worker, tmp_path):
    """What a worker of mortal_worker.py is asked to do is written here."""
    path = tmp_path / "calls"
    path.touch()
    return path


@pytest.fixture
def start(calls):
    """Return a function that starts a session process and returns how to talk to it."""
    started = []

    def make(idle, release):
        words = [sys.executable, str(HERE / "stopped_session.py"), str(idle), str(release)]
        started.append(subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))

        def ask(line):
            started[-1].stdin.write(f"{line}\n")
            started[-1].stdin.flush()
            return started[-1].stdout.readline().split()

        return started[-1], ask

    yield make
    for session in started:
        session.kill()
        session.communicate()


def test_a_stopped_session_has_nothing_on_the_card_for_long_and_then_the_truth_is_shown(start, calls):
    session, ask = start(0.2, 3600)
    _, pid = ask("query")
    for rounds in (1, 2):
        wait_until(lambda: ask("look")[0] == "RAM")
        calls.write_text("")
        ask("query")
        session.send_signal(signal.SIGSTOP)
        wait_until(lambda: "to_ram" in calls.read_text(), "the offload")
        session.send_signal(signal.SIGCONT)
        wait_until(lambda rounds=rounds: ask("look") == ["RAM", str(2 * rounds), "None"], "the truth")
        assert ask("query") == ["right", pid]


def test_a_stopped_sessions_encoder_ends_and_that_is_no_death(start):
    session, ask = start(0.1, 0.2)
    for _ in range(4):  # three deaths in a row would be the end of it
        told, pid = ask("query")
        assert told == "right"
        session.send_signal(signal.SIGSTOP)
        wait_until(lambda pid=pid: not is_running(int(pid)), "the end of the encoder process")
        session.send_signal(signal.SIGCONT)
        wait_until(lambda: ask("look")[0] == "OFF", "the truth")
        assert ask("look")[2] == "None"


def test_a_reply_that_a_stopped_session_does_not_take_keeps_nothing_alive(calls):
    child = subprocesses.start(subprocesses.python("mortal_worker"), stderr=subprocess.DEVNULL)
    name, tag = models.open_clip_name("tiny")
    load = {"op": "load", "spec": "tiny", "name": name, "tag": tag, "device": "cpu", "precision": "auto"}
    write_frame(child.stdin, {**load, "allow_download": False, "may_pin": False})
    write_frame(child.stdin, {"op": "encode_text", "texts": ["dog"] * 10_000})  # more than a pipe holds
    write_frame(child.stdin, {"op": "rest", "idle": 0.05, "release": 0.1})
    assert child.wait() == RELEASED_STATUS
    child.stdin.close()
    child.stdout.close()


# The guard, and the worker's use of it, without time ---------------------------------------------------------------


@pytest.fixture
def time():
    return ManualTime()


@pytest.fixture
def guard(time):
    return IdleGuard(time.clock)


def test_the_guard_comes_after_the_session_and_counts_from_the_last_word(guard, time):
    assert guard.left(on_device=True) is None, "nobody has said how long"
    guard.expect(30, 600)
    time.advance(30)
    assert guard.left(on_device=True) == GRACE_SECONDS
    guard.heard()
    assert guard.left(on_device=True) == 30 + GRACE_SECONDS
    assert guard.left(on_device=False) == 600 + GRACE_SECONDS
    time.advance(10_000)
    assert guard.left(on_device=False) == 0
    guard.expect(0, 0)
    assert guard.left(on_device=True) is guard.left(on_device=False) is None


class Replies:
    def __init__(self):
        self.write, self.flush = lambda data: None, lambda: None


@pytest.fixture
def ended(monkeypatch):
    statuses = []

    def end(status):
        statuses.append(status)
        raise SystemExit(status)

    monkeypatch.setattr(worker.os, "_exit", end)
    return statuses


@pytest.fixture
def lent(guard, time):
    """A worker whose text tower is on the device, and its encoder."""
    one, encoder = worker.Worker(Replies(), guard), FakeEncoder(GPU, clock=time.clock)
    encoder.alive, encoder.wants_pinning, one._encoder = True, False, encoder
    one.answer({"op": "rest", "idle": 30, "release": 600}, b"")
    one.answer({"op": "to_vram", "tower": "text"}, b"")
    return one, encoder


def test_the_worker_gives_the_device_back_then_ends(lent, time, ended):
    one, encoder = lent
    assert one.request_timeout == 30 + GRACE_SECONDS
    time.advance(one.request_timeout)
    one.be_idle()
    assert not encoder.resident
    assert one.request_timeout == 570
    time.advance(one.request_timeout)
    with pytest.raises(SystemExit):
        one.be_idle()
    assert ended == [RELEASED_STATUS]


def test_what_was_taken_back_is_not_computed_elsewhere_unheard(lent, time):
    one, encoder = lent
    time.advance(one.request_timeout)
    one.be_idle()
    with pytest.raises(EncoderOffloaded):
        one._do_encode_text(b"", texts=["dog"])
    one._do_encode_images(b"\0" * 12, shape=[1, 2, 2, 3])  # that tower was never lent
    one._do_to_ram(b"")
    one._do_encode_text(b"", texts=["dog"])  # now the session knows
    one._do_to_vram(b"", tower="text")
    assert encoder.resident == {"text"}


def test_an_offload_that_fails_ends_the_process(lent, time, ended):
    one, encoder = lent
    encoder.fail_next["to_ram"] = RuntimeError("no")
    time.advance(one.request_timeout)
    with pytest.raises(SystemExit):
        one.be_idle()
    assert ended == [RELEASED_STATUS]


def test_never_is_never(lent, time):
    one, encoder = lent
    one.answer({"op": "rest", "idle": 0, "release": 0}, b"")
    time.advance(10_000_000)
    one.be_idle()
    assert encoder.resident


def test_with_the_end_of_a_request_it_counts_anew(lent, time):
    one, _ = lent
    time.advance(31)
    one.answer({"op": "memory"}, b"")
    assert one.request_timeout == 30 + GRACE_SECONDS


# The session's side -----------------------------------------------------------------------------------------------


def test_a_change_of_the_timeout_and_a_query_that_needs_no_encoder_reach_it(time):
    encoder = FakeEncoder(clock=time.clock)
    residency = Residency(encoder, clock=time.clock, timer=time.timer)
    residency.run("text", lambda one: one.encode_text(["dog"]))
    time.advance(29)
    residency.touch()
    time.advance(29)
    assert not encoder.is_due
    assert encoder.guard.left(on_device=True) == 1 + GRACE_SECONDS
    residency.set_idle_timeout(0)
    assert encoder.guard.left(on_device=True) is None


def test_a_query_that_comes_before_the_timer_after_a_stop_reloads_first(time):
    encoder = FakeEncoder(clock=time.clock)
    residency = Residency(encoder, clock=time.clock, timer=time.timer)
    residency.run("text", lambda one: one.encode_text(["dog"]))
    time.now += 40  # stopped
    encoder.be_idle()
    residency.touch()
    assert residency.snapshot().state is State.RAM
    _, use = residency.run("text", lambda one: one.encode_text(["dog"]))
    assert use.reload_ms > 0
    assert (residency.snapshot().state, residency.snapshot().cpu_fallbacks) == (State.VRAM, 0)


# A stopped encoder process ----------------------------------------------------------------------------------------


@pytest.fixture
def residency(calls, monkeypatch):
    monkeypatch.setattr(subprocesses, "LOOK_SECONDS", 0.01)
    process = EncoderProcess("tiny", on_exit=lambda error: made.note_exit(error), worker="mortal_worker")
    made = Residency(process)
    yield made, process
    made.close()


@pytest.mark.parametrize("request_bytes", [1, 1 << 20])
def test_a_stopped_encoder_costs_no_answer(residency, request_bytes):
    made, process = residency
    text = "x" * request_bytes  # more than a pipe holds: then it is the writing that waits
    before = made.run("text", lambda one: one.encode_text([text]))[0]
    stopped = process.pid
    os.kill(stopped, signal.SIGSTOP)
    assert (made.run("text", lambda one: one.encode_text([text]))[0] == before).all()
    assert process.pid != stopped
    assert not is_running(stopped)


def test_a_stopped_encoder_is_told_as_such(residency):
    made, process = residency
    made.load()
    os.kill(process.pid, signal.SIGSTOP)
    with pytest.raises(EncoderDied, match="it had been stopped"):
        process.memory()


def test_an_encoder_that_says_nothing_for_too_long_is_given_up(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    monkeypatch.setattr(subprocesses, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr("photomap_cli.encoder.process._SILENT_SECONDS", {"load": 0.05})
    process = EncoderProcess("tiny", worker="silent_worker")
    with pytest.raises(EncoderDied, match="said nothing"):
        process.load()
    assert process.pid is None


def test_words_to_a_stopped_encoder_never_wait(residency):
    made, process = residency
    made.load()
    os.kill(process.pid, signal.SIGSTOP)
    for _ in range(5000):  # more than its pipe holds
        made.touch()
    process.close()
