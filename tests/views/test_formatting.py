import datetime

import pytest
from cases import cases

from photomap_cli.views.formatting import clock, duration, elapsed, human_bytes, moment, photos


@cases(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (9_949_999, "9.9 MB"),
        (9_960_000, "10 MB"),
        (352_000_000, "352 MB"),
        (999_600_000, "1.0 GB"),
        (1_234_000_000, "1.2 GB"),
        (5_000_000_000_000, "5.0 TB"),
        (4 * 10**15, "4000 TB"),
    ],
)
def test_bytes_have_at_most_three_digits(count, text):
    assert human_bytes(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(-1, "0 s"), (0, "0 s"), (17.2, "18 s"), (99, "99 s"), (588, "10 min"), (7200, "2 h")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(-3, "0:00"), (17.2, "0:18"), (588, "9:48"), (3723, "1:02:03")])
def test_countdowns(seconds, text):
    assert clock(seconds) == text


@pytest.mark.parametrize(("milliseconds", "text"), [(0.2, "<1 ms"), (41.2, "41 ms"), (999.7, "1.0 s"), (2140, "2.1 s")])
def test_elapsed_times(milliseconds, text):
    assert elapsed(milliseconds) == text


def test_a_moment_is_told_by_the_clocks_here():
    here = datetime.datetime(2026, 1, 2, 3, 4, 5).astimezone()
    assert moment(here.isoformat()) == moment(here.astimezone(datetime.UTC).isoformat()) == "2026-01-02 03:04"


def test_one_photo_is_no_photos():
    assert [photos(0), photos(1), photos(12034)] == ["0 photos", "1 photo", "12,034 photos"]
