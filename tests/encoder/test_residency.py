import gc
import subprocess
import sys
import threading
import weakref
from dataclasses import replace

import numpy as np
import pytest
from fake_encoder import CPU, FakeEncoder, ManualTime, text_vector
from waiting import LONG_SECONDS, in_thread

from photomap_cli.encoder.residency import Residency
from photomap_cli.encoder.transfers import SUSPENDED_SECONDS, suspended_seconds
from photomap_cli.errors import (
    EncoderClosed,
    EncoderDeviceFailed,
    EncoderDied,
    EncoderFailed,
    EncoderOutOfMemory,
    InternalError,
    WeightsMissing,
)
from photomap_cli.records import ResidencyState as State

PIXELS = np.zeros((1, 8, 8, 3), dtype=np.uint8)


@pytest.fixture
def time():
    return ManualTime()


@pytest.fixture
def encoder():
    return FakeEncoder()


@pytest.fixture
def seen():
    return []


@pytest.fixture
def residency(encoder, time, seen):
    made = Residency(
        encoder,
        clock=time.clock,
        timer=time.timer,
        on_change=lambda: seen.append(made.snapshot().state),
    )
    return made


def query(residency, text="dog"):
    rows, use = residency.run("text", lambda encoder: encoder.encode_text([text]))
    assert (rows[0] == text_vector(text)).all()
    return use


def states(seen):
    return [state for number, state in enumerate(seen) if number == 0 or seen[number - 1] != state]


def test_a_query_loads_reloads_and_an_idle_timeout_offloads_then_releases(residency, encoder, time, seen):
    query(residency)
    time.advance(29.9)
    assert residency.snapshot().state is State.VRAM
    time.advance(0.2)
    assert residency.snapshot().state is State.RAM
    time.advance(600)
    assert states(seen) == [
        State.LOADING,
        State.RAM,
        State.RELOADING,
        State.VRAM,
        State.OFFLOADING,
        State.RAM,
        State.RELEASING,
        State.OFF,
    ]
    assert not encoder.alive
    assert not time.armed


def test_the_next_query_brings_it_back(residency, encoder, time):
    query(residency)
    time.advance(31)
    use = query(residency)
    assert residency.snapshot().state is State.VRAM
    assert encoder.calls == ["load", "to_vram", "encode", "to_ram", "to_vram", "encode"]
    assert residency.snapshot().reloads == 2
    assert residency.snapshot().offloads == 1
    assert use.load_ms == 0


def test_every_use_resets_the_countdown_with_one_timer_only(residency, time):
    query(residency)
    for _ in range(5):
        time.advance(20)
        query(residency)
        assert len(time.armed) == 1
    assert residency.snapshot().state is State.VRAM
    assert residency.snapshot().offload_at == time.now + 30


def test_a_timer_that_fires_early_arms_for_exactly_the_rest(residency, time):
    query(residency)
    time.advance(20)
    query(residency)
    time.advance(10)  # the first timer's time
    (timer,) = time.armed
    assert timer.due == time.now + 20
    assert residency.snapshot().state is State.VRAM


def test_a_submitted_query_resets_the_countdown_though_it_needs_no_encoder(residency, time):
    query(residency)
    time.advance(20)
    residency.touch()
    time.advance(20)
    assert residency.snapshot().state is State.VRAM


def test_idle_time_counts_from_the_end_of_an_encode_longer_than_the_timeout(residency, time):
    with residency.use("text"):
        time.advance(100)
        assert residency.snapshot().state is State.VRAM
        assert residency.snapshot().busy
        assert residency.snapshot().offload_at is None
    time.advance(29)
    assert residency.snapshot().state is State.VRAM
    time.advance(2)
    assert residency.snapshot().state is State.RAM


def test_a_long_run_of_batches_never_offloads_between_them(residency, encoder, time):
    for _ in range(100):
        residency.run("image", lambda one: time.advance(25))
        time.advance(5)
    assert encoder.calls.count("to_vram") == 1
    assert encoder.calls.count("to_ram") == 0


def test_a_query_that_came_while_the_timer_waited_for_the_lock_wins(residency, encoder, time):
    query(residency)
    (timer,) = time.armed
    time.now += 31
    entered, go = encoder.hold("encode")
    asking = in_thread(lambda: query(residency))
    assert entered.wait(LONG_SECONDS)
    timer.fire()  # due, but an encode is in flight
    assert residency.snapshot().state is State.VRAM
    go.set()
    asking.join(LONG_SECONDS)
    assert encoder.calls.count("to_ram") == 0
    assert len(time.armed) == 1


def test_a_query_during_an_offload_waits_and_then_reloads(residency, encoder, time):
    query(residency)
    entered, go = encoder.hold("to_ram")
    moving = in_thread(lambda: time.advance(31))
    assert entered.wait(LONG_SECONDS)
    assert residency.snapshot().state is State.OFFLOADING
    asking = in_thread(lambda: query(residency))
    go.set()
    moving.join(LONG_SECONDS)
    asking.join(LONG_SECONDS)
    assert encoder.calls[-3:] == ["to_ram", "to_vram", "encode"]


def test_a_snapshot_is_readable_during_a_slow_transfer(residency, encoder):
    entered, go = encoder.hold("to_vram")
    asking = in_thread(lambda: query(residency))
    assert entered.wait(LONG_SECONDS)
    assert residency.snapshot().state is State.RELOADING
    assert residency._lock.acquire(timeout=LONG_SECONDS)  # the lock is free as well
    residency._lock.release()
    go.set()
    asking.join(LONG_SECONDS)


@pytest.mark.parametrize(("idle", "release", "ends_in"), [(0, 600, State.VRAM), (30, 0, State.RAM), (0, 0, State.VRAM)])
def test_zero_means_never(encoder, time, idle, release, ends_in):
    residency = Residency(encoder, idle_timeout=idle, release_timeout=release, clock=time.clock, timer=time.timer)
    query(residency)
    time.advance(1e6)
    assert residency.snapshot().state is ends_in


def test_the_countdown_also_runs_for_an_encoder_that_was_loaded_and_never_used(residency, time):
    residency.load()
    assert residency.snapshot().state is State.VRAM
    assert residency.snapshot().last_used is None
    time.advance(31)
    assert residency.snapshot().state is State.RAM


def test_bringing_it_back_early_is_no_query_but_has_a_countdown_of_its_own(residency, time):
    query(residency)
    used = residency.snapshot().last_used
    time.advance(100)
    residency.load()
    assert residency.snapshot().last_used == used
    time.advance(29)
    assert residency.snapshot().state is State.VRAM


def test_without_a_gpu_ram_is_the_ready_place_and_only_release_applies(time):
    encoder = FakeEncoder(CPU)
    residency = Residency(encoder, clock=time.clock, timer=time.timer)
    use = query(residency)
    assert not use.fell_back
    assert residency.snapshot().state is State.RAM
    assert residency.snapshot().offload_at is None
    residency.offload()
    time.advance(601)
    assert residency.snapshot().state is State.OFF
    assert encoder.calls == ["load", "encode", "release"]


def test_changing_the_timeout_follows_at_once(residency, time):
    query(residency)
    time.advance(5)
    residency.set_idle_timeout(10)
    assert len(time.armed) == 1
    time.advance(5)
    assert residency.snapshot().state is State.RAM
    query(residency)
    residency.set_idle_timeout(0)
    time.advance(500)
    assert residency.snapshot().state is State.VRAM
    residency.set_idle_timeout(1)
    time.advance(1)
    assert residency.snapshot().state is State.RAM


def test_each_tower_comes_when_it_is_needed(residency, encoder):
    query(residency)
    assert encoder.resident == {"text"}
    residency.run("image", lambda one: None)
    assert encoder.resident == {"text", "image"}
    residency.offload()
    assert encoder.resident == set()


def test_a_second_tower_waits_until_nobody_encodes(residency, encoder):
    entered, go = encoder.hold("encode")
    first = in_thread(lambda: query(residency))
    assert entered.wait(LONG_SECONDS)
    second = in_thread(lambda: residency.run("image", lambda one: None))
    encoder.gates.clear()
    go.set()
    first.join(LONG_SECONDS)
    second.join(LONG_SECONDS)
    assert encoder.calls == ["load", "to_vram", "encode", "to_vram"]  # FakeEncoder checks that no encode was running


def test_a_full_card_means_an_answer_from_ram_and_a_back_off(residency, encoder, time):
    encoder.full = True
    use = query(residency)
    assert use.fell_back
    snapshot = residency.snapshot()
    assert snapshot.state is State.RAM
    assert snapshot.cpu_fallbacks == 1
    assert "card full" in snapshot.last_error.message
    tries = []
    for _ in range(40):
        before = encoder.calls.count("to_vram")
        query(residency)
        tries.append(encoder.calls.count("to_vram") - before)
        time.now += 1
    assert tries[:2] == [0, 0]
    assert [second for second, tried in enumerate(tries) if tried] == [2, 6, 14, 30]  # after 2, 4, 8, 16 s
    encoder.full = False
    time.now += 60
    assert not query(residency).fell_back
    assert residency.snapshot().state is State.VRAM
    assert residency.snapshot().last_error is None


def test_the_back_off_ends_at_a_minute(residency, encoder, time):
    encoder.full = True
    for _ in range(12):
        query(residency)
        time.now += 60
    assert encoder.calls.count("to_vram") == 12


def test_a_full_card_for_the_second_tower_leaves_the_first_where_it_is(residency, encoder):
    query(residency)
    encoder.full = True
    _, use = residency.run("image", lambda one: None)
    assert use.fell_back
    assert residency.snapshot().state is State.VRAM
    assert not query(residency).fell_back


def test_a_load_that_fails_is_told_and_tried_again(residency, encoder):
    encoder.fail_next["load"] = WeightsMissing("not there")
    with pytest.raises(WeightsMissing):
        query(residency)
    assert residency.snapshot().state is State.OFF
    assert residency.snapshot().last_error.message == "not there"
    query(residency)
    assert residency.snapshot().last_error is None


def test_a_load_that_ctrl_c_ends_has_not_gone_wrong(residency, encoder):
    encoder.fail_next["load"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        query(residency)
    assert (residency.snapshot().state, residency.snapshot().last_error) == (State.OFF, None)


def test_work_in_the_background_keeps_the_encoder_in_place_and_counts_as_no_query(residency, encoder, time):
    query(residency)
    before = residency.snapshot()
    time.advance(20)
    with residency.in_background():
        for _ in range(10):
            residency.run("image", lambda encoder: encoder.encode_images(PIXELS), is_query=False)
            time.advance(10)
        assert residency.snapshot().state is State.VRAM
        assert residency.snapshot().offload_at is None
    assert residency.snapshot().last_used == before.last_used
    time.advance(0.1)
    assert residency.snapshot().state is State.RAM, "30 s after the last query, which was long ago"
    time.advance(600 - 120)
    assert residency.snapshot().state is State.OFF


def test_a_query_amid_work_in_the_background_has_its_own_countdown(residency, time):
    with residency.in_background():
        time.advance(100)
        query(residency)
        time.advance(10)
        residency.run("image", lambda encoder: encoder.encode_images(PIXELS), is_query=False)
        time.advance(10)
    assert residency.snapshot().offload_at == time.now + 10
    time.advance(10.1)
    assert residency.snapshot().state is State.RAM


def test_an_encoder_that_the_background_has_loaded_goes_at_once(residency, time):
    time.advance(10_000)
    with residency.in_background():
        residency.run("image", lambda encoder: encoder.encode_images(PIXELS), is_query=False)
        assert residency.snapshot().state is State.VRAM
    time.advance(0.1)
    assert residency.snapshot().state is not State.VRAM
    time.advance(0.1)
    assert residency.snapshot().state is State.OFF


def test_an_encoder_is_sent_away_also_while_there_is_work_in_the_background(residency):
    with residency.in_background():
        residency.run("image", lambda encoder: encoder.encode_images(PIXELS), is_query=False)
        residency.offload()
        assert residency.snapshot().state is State.RAM


def test_an_offload_that_fails_leaves_a_usable_encoder_and_is_tried_again(residency, encoder, time):
    query(residency)
    encoder.fail_next["to_ram"] = EncoderFailed("stuck")
    time.advance(31)
    assert residency.snapshot().state is State.VRAM
    assert residency.snapshot().last_error.message == "stuck"
    query(residency)
    time.advance(31)
    assert residency.snapshot().state is State.RAM


@pytest.mark.parametrize("moment", ["encode", "to_vram", "load"])
def test_a_death_at_any_moment_costs_no_answer(residency, encoder, moment):
    if moment != "load":
        encoder.fail_next[moment] = EncoderDied("signal 9")
        query(residency)
        assert encoder.calls.count("load") == 2
    else:
        encoder.fail_next[moment] = EncoderDied("signal 9")
        query(residency)
    assert residency.snapshot().state is State.VRAM


def test_a_death_while_offloading_ends_in_off(residency, encoder, time):
    query(residency)
    encoder.fail_next["to_ram"] = EncoderDied("signal 9")
    time.advance(31)
    assert residency.snapshot().state is State.OFF
    query(residency)


def test_an_exception_in_the_users_block_ends_the_use(residency, time):
    with pytest.raises(ValueError, match="mine"), residency.use("text"):
        raise ValueError("mine")
    assert not residency.snapshot().busy
    time.advance(31)
    assert residency.snapshot().state is State.RAM


def test_close_ends_everything_and_is_idempotent(residency, encoder, time):
    query(residency)
    residency.close()
    residency.close()
    assert encoder.closed
    assert not time.armed
    with pytest.raises(EncoderClosed):
        query(residency)
    residency.offload()
    residency.touch()
    assert not time.armed


def test_a_timer_cancelled_too_late_does_nothing(residency, encoder, time):
    query(residency)
    (timer,) = time.armed
    residency.set_idle_timeout(10)
    time.now += 5
    timer.callback()
    assert residency.snapshot().state is State.VRAM
    assert len(time.armed) == 1


def test_an_explicit_release_waits_for_the_encode_in_flight_and_the_next_use_loads_again(residency, encoder, seen):
    entered, go = encoder.hold("encode")
    running = in_thread(lambda: query(residency))
    assert entered.wait(LONG_SECONDS)
    releasing = in_thread(residency.release)
    go.set()
    for each in (running, releasing):
        each.join(LONG_SECONDS)
        assert not each.is_alive()
    assert states(seen)[-3:] == [State.VRAM, State.RELEASING, State.OFF]
    assert not encoder.alive
    residency.release()  # there is nothing left to end
    query(residency)
    assert encoder.calls == ["load", "to_vram", "encode", "release", "load", "to_vram", "encode"]


def test_an_encoder_that_is_not_accepted_encodes_nothing_and_is_let_go_when_idle(encoder, time):
    shown = []

    def refuse(info):
        shown.append(info)
        raise EncoderFailed("another one")

    residency = Residency(encoder, clock=time.clock, timer=time.timer, accept=refuse)
    with pytest.raises(EncoderFailed, match="another one"):
        query(residency)
    assert shown == [encoder.info]
    assert ("encode" in encoder.calls, residency.snapshot().busy) == (False, False)
    time.advance(631)
    assert residency.snapshot().state is State.OFF


def test_an_explicit_offload_waits_for_the_encode_in_flight(residency, encoder):
    query(residency)
    entered, go = encoder.hold("encode")
    asking = in_thread(lambda: query(residency))
    assert entered.wait(LONG_SECONDS)
    offloading = in_thread(residency.offload)
    go.set()
    asking.join(LONG_SECONDS)
    offloading.join(LONG_SECONDS)
    assert encoder.calls[-2:] == ["encode", "to_ram"]
    assert residency.snapshot().state is State.RAM


def test_callbacks_run_unlocked(encoder, time):
    free = []

    def is_free():
        def look():
            if residency._lock.acquire(timeout=LONG_SECONDS):
                residency._lock.release()
                free.append(True)
            else:
                free.append(False)

        in_thread(look).join()

    residency = Residency(encoder, clock=time.clock, timer=time.timer, on_change=is_free)
    query(residency)
    time.advance(31)
    residency.touch()
    residency.set_idle_timeout(3)
    assert free
    assert all(free)


def test_a_download_is_seen(residency):
    residency.note_progress((10, 100))
    assert residency.snapshot().progress == (10, 100)


def test_stress_with_real_timers_every_answer_is_right_and_no_thread_is_left():
    before, encoder, moved = set(threading.enumerate()), FakeEncoder(), threading.Condition()

    def tell():
        with moved:
            moved.notify_all()

    residency = Residency(encoder, idle_timeout=0.001, release_timeout=0.004, on_change=tell)
    wrong = []
    together = threading.Barrier(6)

    def rest(number):
        """Come back amid an offload, after a release, or when an offload has been: that is the first one's part."""
        offloads = residency.snapshot().offloads
        together.wait(LONG_SECONDS)
        if number:
            threading.Event().wait(0.003 + 0.001 * number)
            return
        with moved:
            moved.wait_for(lambda: residency.snapshot().offloads > offloads, LONG_SECONDS)

    def ask(number):
        for count in range(250):
            text = f"{number} {count}"
            rows, _ = residency.run("text", lambda one, text=text: one.encode_text([text]))
            if (rows[0] != text_vector(text)).any():
                wrong.append(text)
            if count % 10 == 0:
                rest(number)

    threads = [in_thread(lambda number=number: ask(number)) for number in range(6)]
    for thread in threads:
        thread.join(LONG_SECONDS)
        assert not thread.is_alive()
    residency.close()
    assert wrong == []
    assert residency.snapshot().offloads >= 25
    for thread in set(threading.enumerate()) - before:
        thread.join(LONG_SECONDS)
        assert not thread.is_alive()


def test_a_program_ends_at_once_with_a_timer_armed():
    program = """
import sys; sys.path.insert(0, sys.argv[1])
from fake_encoder import FakeEncoder
from photomap_cli.encoder.residency import Residency
residency = Residency(FakeEncoder(), idle_timeout=1e6)
with residency.use("text"): pass
assert residency.snapshot().offload_at
"""
    folder = __file__.rpartition("/encoder/")[0]
    subprocess.run([sys.executable, "-c", program, folder], check=True, timeout=LONG_SECONDS)


def test_nothing_keeps_a_closed_residency_alive(encoder):
    before = set(threading.enumerate())
    residency = Residency(encoder)
    query(residency)
    residency.close()
    gone = weakref.ref(residency)
    for thread in set(threading.enumerate()) - before:
        thread.join(LONG_SECONDS)
    thread = None
    del residency
    gc.collect()
    assert gone() is None


def test_out_of_memory_is_a_failure_of_the_encoder():
    assert issubclass(EncoderOutOfMemory, EncoderFailed)


def test_after_a_suspend_the_copy_on_the_device_is_dropped_unread(encoder, time):
    slept = [0.0]
    residency = Residency(encoder, clock=time.clock, timer=time.timer, suspended=lambda: slept[0])
    query(residency)
    slept[0] = 3600.0
    time.now += 5
    query(residency)
    assert encoder.calls == ["load", "to_vram", "encode", "to_ram", "to_vram", "encode"]
    query(residency)
    assert encoder.calls.count("to_vram") == 2


def test_a_suspend_that_took_the_process_with_it_costs_no_answer(encoder, time):
    slept = [0.0]
    residency = Residency(encoder, clock=time.clock, timer=time.timer, suspended=lambda: slept[0])
    query(residency)
    slept[0] = 60.0
    encoder.fail_next["to_ram"] = EncoderDied("cuda:0 is lost")
    query(residency)
    assert residency.snapshot().state is State.VRAM


def test_clocks_read_one_after_the_other_are_no_suspend():
    assert abs(suspended_seconds() - suspended_seconds()) < SUSPENDED_SECONDS


class Dying(FakeEncoder):
    """Dies in the call that is named, as often as it is told to."""

    def __init__(self, moment, times):
        super().__init__()
        self.moment, self.times = moment, times

    def _do(self, name):
        if name == self.moment and self.times:
            self.times -= 1
            self.fail_next[name] = EncoderDied("the encoder process ended (signal 11)")
        super()._do(name)


@pytest.mark.parametrize("moment", ["load", "to_vram", "encode"])
def test_two_deaths_in_a_row_cost_no_answer(time, moment):
    residency = Residency(Dying(moment, 2), clock=time.clock, timer=time.timer)
    query(residency)
    query(residency)


@pytest.mark.parametrize("moment", ["load", "encode"])
def test_after_three_deaths_in_a_row_it_is_given_up_with_the_reason_until_somebody_asks(time, moment):
    encoder = Dying(moment, 3)
    residency = Residency(encoder, clock=time.clock, timer=time.timer)
    for _ in range(2):
        with pytest.raises(EncoderFailed, match=r"signal 11.*3 times in a row") as caught:
            query(residency)
        assert ":load" in caught.value.hint
        assert encoder.calls.count("load") == 3, "a given-up encoder is not started again"
    with pytest.raises(EncoderFailed):
        residency.load()
    residency.load(try_again=True)
    query(residency)


def test_an_answer_between_them_makes_deaths_no_row(time):
    encoder = Dying("encode", 0)
    residency = Residency(encoder, clock=time.clock, timer=time.timer)
    for _ in range(6):
        encoder.times = 2
        query(residency)


def test_the_reason_of_a_death_stays_readable_until_the_next_answer(residency, encoder):
    query(residency)
    encoder.alive = False
    residency.note_exit(EncoderDied("the encoder process ended (signal 9)"))
    assert residency.snapshot().state is State.OFF
    assert "signal 9" in residency.snapshot().last_error.message
    query(residency)
    query(residency)


def test_an_exit_that_somebody_is_about_to_find_out_changes_nothing(residency, encoder):
    entered, go = encoder.hold("encode")
    asking = in_thread(lambda: query(residency))
    assert entered.wait(LONG_SECONDS)
    residency.note_exit(EncoderDied("the encoder process ended (signal 9)"))
    assert residency.snapshot().state is State.VRAM
    go.set()
    asking.join(LONG_SECONDS)
    residency.close()
    residency.note_exit(EncoderDied("the encoder process ended (signal 9)"))


def test_no_room_for_activations_means_an_answer_from_the_cpu_and_a_back_off(residency, encoder, time):
    query(residency)
    encoder.fail_next["encode"] = EncoderOutOfMemory("no room")
    use = query(residency)
    assert use.fell_back
    assert encoder.calls[-3:] == ["encode", "to_ram", "encode"]
    snapshot = residency.snapshot()
    assert (snapshot.state, snapshot.cpu_fallbacks) == (State.RAM, 1)
    assert "card full" in snapshot.last_error.message
    time.advance(2)
    assert not query(residency).fell_back


def test_a_device_that_fails_means_an_answer_from_the_cpu_with_the_reason(residency, encoder, time):
    encoder.fail_next["encode"] = EncoderDeviceFailed("cuda:0: cuDNN error: CUDNN_STATUS_VERSION_MISMATCH")
    use = query(residency)
    assert use.refusal == "the GPU failed"
    assert "VERSION_MISMATCH" in residency.snapshot().last_error.message
    time.advance(2)
    assert query(residency).refusal == ""


def test_what_kills_the_process_twice_on_the_device_is_tried_on_the_cpu(residency, encoder, time, monkeypatch):
    def deadly(texts):
        if "text" in encoder.resident:
            encoder.fail_next["encode"] = EncoderDied("exit status 1")
        return FakeEncoder.encode_text(encoder, texts)

    monkeypatch.setattr(encoder, "encode_text", deadly)
    assert query(residency).refusal == "the GPU failed"
    assert encoder.calls.count("load") == 3
    assert residency.snapshot().state is State.RAM
    time.advance(2)
    assert query(residency).refusal == "the GPU failed"
    assert encoder.calls.count("load") == 4, "it has been seen to fail: one more death is enough"


def test_a_device_that_cannot_take_the_weights_without_killing_the_process_is_left_alone(time):
    residency = Residency(Dying("to_vram", 3), clock=time.clock, timer=time.timer)
    assert query(residency).refusal == "the GPU failed"
    assert residency.snapshot().state is State.RAM


def test_a_process_that_cannot_say_what_it_holds_answers_all_the_same(residency, encoder, monkeypatch):
    def broken():
        raise InternalError("memory: AttributeError: nvmlDeviceGetComputeRunningProcesses_v3")

    monkeypatch.setattr(encoder, "memory", broken)
    query(residency)
    assert residency.snapshot().state is State.VRAM
    residency.offload()
    assert residency.snapshot().state is State.RAM


def test_why_the_gpu_is_not_used_is_said_once(time):
    encoder = FakeEncoder(replace(CPU, notice="the GPU is not used: the driver is too old"))
    residency = Residency(encoder, clock=time.clock, timer=time.timer)
    assert residency.drain_notices() == ()
    query(residency)
    assert residency.drain_notices() == ("the GPU is not used: the driver is too old",)
    assert residency.drain_notices() == ()


def test_no_room_on_the_cpu_is_an_error(time):
    encoder = FakeEncoder(CPU)
    residency = Residency(encoder, clock=time.clock, timer=time.timer)
    encoder.fail_next["encode"] = EncoderOutOfMemory("no room")
    with pytest.raises(EncoderOutOfMemory):
        query(residency)


def test_asked_for_a_full_card_is_tried_at_once(residency, encoder):
    encoder.full = True
    query(residency)
    encoder.full = False
    residency.load(try_again=True)
    assert residency.snapshot().state is State.VRAM


def test_when_the_weights_left_is_remembered(residency, time):
    query(residency)
    assert residency.snapshot().offloaded_at is None
    time.advance(31)
    assert residency.snapshot().offloaded_at == time.now - 1
