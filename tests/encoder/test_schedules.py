"""Random schedules: whatever happens in whatever order, the promises hold.  200 of 50 steps; see torture.py."""

from contextlib import suppress

import pytest
from fake_encoder import FakeEncoder, ManualTime, text_vector
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from torture import inputs

from photomap_cli.encoder.backoff import MOST_DEATHS
from photomap_cli.encoder.residency import Residency
from photomap_cli.errors import EncoderDied, EncoderFailed, EncoderOutOfMemory, EncoderReleased, WeightsMissing
from photomap_cli.records import ResidencyState as State

USUAL = 200
SCHEDULES = inputs(USUAL, 5_000)
SECONDS = st.sampled_from((0.0, 0.01, 1.0, 5.0, 29.0, 30.0, 31.0, 100.0, 700.0))
TOWERS = st.sampled_from(("text", "image"))
CALLS = st.sampled_from(("load", "to_vram", "to_ram", "encode"))
FAILURES = st.sampled_from((EncoderDied, EncoderOutOfMemory, EncoderFailed, RuntimeError))


class Schedule(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.time, self.slept = ManualTime(), 0.0
        self.encoder = FakeEncoder(clock=self.time.clock)
        self.residency = Residency(
            self.encoder, clock=self.time.clock, timer=self.time.timer, suspended=lambda: self.slept
        )
        self.deaths = 0

    @rule(tower=TOWERS, lasts=SECONDS)
    def query(self, tower, lasts):
        def work(encoder):
            (row,) = encoder.encode_text(["dog"])
            assert (row == text_vector("dog")).all()
            self.time.advance(lasts)
            assert encoder.alive, "released under an encode"

        will_fail = bool(self.encoder.fail_next)
        try:
            self.residency.run(tower, work)
        except (EncoderFailed, RuntimeError) as error:
            is_given_up = "given up" in str(error) and self.deaths >= MOST_DEATHS
            assert will_fail or is_given_up, "a query was lost"
            return
        self.deaths = sum(isinstance(error, EncoderDied) for error in self.encoder.fail_next.values())
        snapshot = self.residency.snapshot()
        assert snapshot.last_used == self.time.now, "idle time does not count from the end"

    @rule(seconds=SECONDS)
    def wait(self, seconds):
        self.time.advance(seconds)

    @rule()
    def touch(self):
        self.residency.touch()

    @rule(tower=TOWERS)
    def prewarm(self, tower):
        used = self.residency.snapshot().last_used
        with suppress(EncoderFailed, RuntimeError):
            self.residency.load(tower)
        assert self.residency.snapshot().last_used == used, "pre-warming counted as a query"

    @rule()
    def load(self):
        self.encoder.fail_next.clear()
        self.residency.load(try_again=True)

    @rule()
    def offload(self):
        self.residency.offload()

    @rule(seconds=st.sampled_from((0.0, 5.0, 30.0, 60.0)))
    def change_the_timeout(self, seconds):
        self.residency.set_idle_timeout(seconds)

    @rule()
    def fill_or_empty_the_card(self):
        self.encoder.full = not self.encoder.full

    @rule(call=CALLS, failure=FAILURES)
    def let_the_next_call_fail(self, call, failure):
        self.encoder.fail_next[call] = failure("on purpose")
        self.deaths += failure is EncoderDied

    @precondition(lambda self: self.encoder.alive)
    @rule()
    def kill_it_while_idle(self):
        self.encoder.alive = False
        self.encoder.resident.clear()
        self.residency.note_exit(EncoderDied("signal 9"))

    @rule(seconds=st.sampled_from((10.0, 5000.0)))
    def suspend(self, seconds):
        self.slept += seconds
        self.time.now += seconds  # no timer runs meanwhile

    @rule(seconds=SECONDS, first=st.sampled_from(("timer", "query", "prewarm", "offload", "notice")), tower=TOWERS)
    def stop_the_session_and_let_it_go_on(self, seconds, first, tower):
        """Meanwhile the encoder acts by itself; afterwards the session comes upon it in one way or another."""
        self.encoder.fail_next.clear()
        self.time.now += seconds  # no timer runs meanwhile
        self.encoder.be_idle()
        if first == "query":
            self.query(tower, 0.0)
        elif first == "prewarm":
            self.prewarm(tower)
        elif first == "offload":
            self.residency.offload()
        elif first == "notice" and self.encoder.has_left:
            self.residency.note_exit(EncoderReleased("by itself"))
        self.time.advance(0)  # what is overdue
        if self.encoder.has_left:
            self.residency.note_exit(EncoderReleased("by itself"))

    @rule(seconds=SECONDS, tower=TOWERS)
    def stop_the_session_amid_a_query(self, seconds, tower):
        """What was encoded before is right; what is encoded after is so again, in the place that is shown."""
        self.encoder.fail_next.clear()

        def work(encoder):
            encoder.encode_text(["dog"])
            self.time.now += seconds
            encoder.be_idle()

        self.residency.run(tower, work)
        self.time.advance(0)
        if self.encoder.has_left:
            self.residency.note_exit(EncoderReleased("by itself"))

    @invariant()
    def the_encoder_acts_by_itself_only_while_the_session_is_stopped(self):
        is_behind = any(timer.due <= self.time.now for timer in self.time.armed)  # the computer was suspended
        assert is_behind or not self.encoder.is_due

    @invariant()
    def what_it_does_by_itself_is_no_death(self):
        failure = self.residency.snapshot().last_error
        assert failure is None or "by itself" not in failure.message

    @invariant()
    def never_more_than_one_timer(self):
        assert len(self.time.armed) <= 1

    @invariant()
    def what_is_shown_is_so(self):
        snapshot = self.residency.snapshot()
        assert not snapshot.busy
        assert not snapshot.state.is_moving
        assert (snapshot.state is State.VRAM) == bool(self.encoder.resident)
        assert (snapshot.state is not State.OFF) == self.encoder.alive
        assert snapshot.state is not State.OFF or snapshot.memory.ram_bytes == 0

    @invariant()
    def in_vram_and_idle_something_is_going_to_end_it(self):
        snapshot = self.residency.snapshot()
        if snapshot.state is State.VRAM and snapshot.idle_timeout:
            assert snapshot.offload_at is not None
            (timer,) = self.time.armed
            assert timer.due <= max(snapshot.offload_at, self.time.now)

    def teardown(self):
        self.encoder.fail_next.clear()
        self.residency.set_idle_timeout(30)
        self.time.advance(2000)
        assert self.residency.snapshot().state is State.OFF
        assert not self.time.armed
        self.residency.close()


Schedule.TestCase.settings = settings(
    max_examples=SCHEDULES,
    stateful_step_count=50,
    deadline=None,
    derandomize=SCHEDULES == USUAL,  # the same ones every time, unless more are asked for
    suppress_health_check=list(HealthCheck),
)
TestSchedules = Schedule.TestCase


def test_a_missing_file_is_no_death():
    encoder = FakeEncoder()
    residency = Residency(encoder)
    for _ in range(5):
        encoder.fail_next["load"] = WeightsMissing("not here")
        with pytest.raises(WeightsMissing):
            residency.load()
    residency.load()
    residency.close()
