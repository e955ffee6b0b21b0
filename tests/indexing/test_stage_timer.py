from contextlib import suppress

import pytest

from photomap_cli.indexing.stage_timer import StageTimer
from photomap_cli.records import StageTimes


@pytest.fixture
def time():
    return [10.0]


@pytest.fixture
def stages(time):
    return StageTimer(lambda: time[0])


def test_time_between_stages_counts_for_none(stages, time):
    time[0] += 5
    with stages.during("scan"):
        time[0] += 2
    time[0] += 5
    assert stages.times == StageTimes(scan=2000.0)


def test_a_stage_within_another_interrupts_it(stages, time):
    with stages.during("decode"):
        time[0] += 1
        with stages.during("encode"):
            time[0] += 4
        time[0] += 2
    assert stages.times == StageTimes(decode=3000.0, encode=4000.0)


def test_a_stage_under_way_is_counted_so_far(stages, time):
    with stages.during("load"):
        time[0] += 1
        assert stages.times == StageTimes(load=1000.0)
        time[0] += 1
    assert stages.times == StageTimes(load=2000.0)


def test_a_stage_that_fails_ends(stages, time):
    with suppress(OSError), stages.during("commit"):
        time[0] += 1
        raise OSError("full")
    time[0] += 1
    assert stages.times == StageTimes(commit=1000.0)


def test_the_bottleneck_is_the_stage_that_takes_longest_however_long_scanning_took():
    assert StageTimes(scan=90.0, load=90.0, decode=6.0, encode=3.0, commit=1.0).bottleneck == ("decoding", 0.6)
    assert StageTimes(scan=90.0).bottleneck is None
