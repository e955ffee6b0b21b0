"""Owns building timestamps on the camera's clock from parts of a date and time, and which can be true.  Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

FIRST_PHOTO = 1826
_FIRST_CLOCK, _WITHOUT_CLOCK = datetime(2026, 1, 1), "2100"
"""When this was written: a clock that says less was never set.  Then only what is absurd can't be true."""


class Timestamp(NamedTuple):
    """A time: `YYYY-MM-DDTHH:MM:SS`; at midnight if `is_day`, when only the day is known."""

    text: str
    is_day: bool = False


def timestamp(date: Sequence[str], time: Sequence[str | None] = (), half: str | None = None) -> Timestamp | None:
    """Return the timestamp of a year, month, day, hour, minute and second; only the day if the time is invalid.

    `half` is `A` or `P` for AM or PM with 12-hour times.  Returns None if there is no such day.

    >>> timestamp(("2015", "08", "22"), ("24", "08", "19"))
    Timestamp(text='2015-08-22T00:00:00', is_day=True)
    """
    try:
        day = datetime(*map(int, date))  # type: ignore[arg-type]
    except ValueError:  # 0000:00:00, from a clock that was never set
        return None
    if day.year < FIRST_PHOTO:
        return None
    try:
        hour, minute, second = (int(part or 0) for part in time)
        return Timestamp(day.replace(hour=_of_the_day(hour, half), minute=minute, second=second).isoformat())
    except ValueError:
        return Timestamp(day.isoformat(), is_day=True)


def latest(now: datetime | None = None) -> str:
    """Return the latest time that a photo can be of: a day from `now`, as cameras may be set to another time zone."""
    now = now or datetime.now()
    return (now + timedelta(days=1)).isoformat() if now >= _FIRST_CLOCK else _WITHOUT_CLOCK


def _of_the_day(hour: int, half: str | None) -> int:
    """Return an hour from 0 to 23; 15 PM stays 15."""
    return hour % 12 + 12 * (half.upper() == "P") if half and hour <= 12 else hour
