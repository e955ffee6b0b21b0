"""The encoder process is killed at every kind of moment.  PHOTOMAP_KILLS=50 for a long run; each costs a start."""

import os
import random
import signal
import threading
from pathlib import Path

import pytest

from photomap_cli.encoder.process import EncoderProcess
from photomap_cli.encoder.residency import Residency
from photomap_cli.records import ResidencyState as State

KILLS = int(os.environ.get("PHOTOMAP_KILLS", "3"))


@pytest.fixture
def killed(monkeypatch):
    """A residency over a real process with a pretended card, and the process."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
    changed = threading.Condition()

    def on_change():
        with changed:
            changed.notify_all()

    process = EncoderProcess(
        "tiny", device="cpu", on_exit=lambda error: residency.note_exit(error), worker="offloading_worker"
    )
    residency = Residency(process, on_change=on_change)
    yield residency, process, changed
    residency.close()


def ask(residency):
    return residency.run("text", lambda encoder: encoder.encode_text(["a red car"]))[0]


def test_killed_in_any_state_the_next_query_is_answered_and_idle_deaths_are_seen(killed):
    residency, process, changed = killed
    expected = ask(residency)
    assert residency.snapshot().state is State.VRAM
    assert residency.snapshot().memory.vram_weight_bytes > 10_000_000
    os.kill(process.pid, signal.SIGKILL)
    with changed:
        assert changed.wait_for(lambda: residency.snapshot().state is State.OFF, 20), "nobody noticed the death"
    assert "signal 9" in residency.snapshot().last_error
    for state in (State.LOADING, State.RELOADING):
        seen = threading.Thread(target=kill_when, args=(state, killed), daemon=True)
        seen.start()
        assert (ask(residency) == expected).all()
        seen.join(20)
        assert not seen.is_alive(), f"{state} was not seen"
        residency.offload()
    seen = threading.Thread(target=kill_when, args=(State.OFFLOADING, killed), daemon=True)
    assert (ask(residency) == expected).all()
    seen.start()
    residency.offload()
    seen.join(20)
    assert (ask(residency) == expected).all()


def kill_when(state, killed):
    residency, process, changed = killed
    with changed:
        changed.wait_for(lambda: residency.snapshot().state is state and process.pid, 20)
    pid = process.pid
    if pid:
        os.kill(pid, signal.SIGKILL)


def test_killed_at_random_moments_under_a_query_loop_every_query_is_answered_and_right(killed):
    residency, process, _ = killed
    expected = ask(residency)
    pause = random.Random(7)
    wrong, answers, done = [], [0], threading.Event()

    def loop():
        while not done.is_set():
            try:
                wrong.extend([] if (ask(residency) == expected).all() else ["another vector"])
            except Exception as error:
                wrong.append(error)
            answers[0] += 1
            if answers[0] % 7 == 0:
                residency.offload()

    asking = threading.Thread(target=loop, daemon=True)
    asking.start()
    for _ in range(KILLS):
        before = answers[0]
        while answers[0] < before + 3:
            done.wait(0.01)
        done.wait(pause.random() * 0.2)
        if pid := process.pid:
            os.kill(pid, signal.SIGKILL)
    before = answers[0]
    while answers[0] < before + 3:
        done.wait(0.01)
    done.set()
    asking.join(60)
    assert wrong == []
