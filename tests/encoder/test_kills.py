"""The encoder process is killed at every kind of moment; see torture.py."""

import os
import random
import signal
import threading

import pytest
from torture import kills
from waiting import LONG_SECONDS, in_thread, wait_until

from photomap_cli.encoder.process import EncoderProcess
from photomap_cli.encoder.residency import Residency
from photomap_cli.records import ResidencyState as State

KILLS = kills(long=500)


@pytest.fixture
def deaths(light_worker, tmp_path):
    """A folder: a file in it, called as a request is, has the process die at that request."""
    return tmp_path


@pytest.fixture
def killed(deaths):
    """A residency over a real process with a pretended card, and the process."""
    process = EncoderProcess("tiny", on_exit=lambda error: residency.note_exit(error), worker="mortal_worker")
    residency = Residency(process, idle_timeout=2 * LONG_SECONDS)
    yield residency, process
    residency.close()


def ask(residency):
    return residency.run("text", lambda encoder: encoder.encode_text(["a red car"]))[0]


def kill_while_idle(residency, process):
    os.kill(process.pid, signal.SIGKILL)
    wait_until(lambda: residency.snapshot().state is State.OFF, "the notice of the death")


def test_a_death_while_nobody_asks_is_seen_and_the_next_query_is_answered(killed):
    residency, process = killed
    expected = ask(residency)
    assert residency.snapshot().state is State.VRAM
    assert residency.snapshot().memory.vram_weight_bytes > 0
    kill_while_idle(residency, process)
    assert "SIGKILL" in residency.snapshot().last_error.message
    assert residency.snapshot().memory.vram_weight_bytes == 0
    assert (ask(residency) == expected).all()


@pytest.mark.parametrize("moment", ["load", "to_vram", "encode_text", "memory", "to_ram"])
def test_killed_at_any_request_the_next_query_is_answered(killed, deaths, moment):
    residency, process = killed
    expected = ask(residency)
    residency.offload()
    if moment == "load":
        kill_while_idle(residency, process)
    (deaths / moment).touch()
    assert (ask(residency) == expected).all()
    residency.offload()
    assert (ask(residency) == expected).all()
    assert not (deaths / moment).exists(), "it did not die"


def test_killed_at_random_moments_under_a_query_loop_every_query_is_answered_and_right(killed):
    residency, process = killed
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

    asking = in_thread(loop)
    for _ in range(KILLS):
        await_answers(answers, 3)
        done.wait(pause.random() * 0.2)
        if pid := process.pid:
            os.kill(pid, signal.SIGKILL)
    await_answers(answers, 3)
    done.set()
    asking.join(LONG_SECONDS)
    assert wrong == []


def await_answers(answers, count):
    enough = answers[0] + count
    wait_until(lambda: answers[0] >= enough, "an answer")
