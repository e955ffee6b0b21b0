"""Owns what the parts of a date and a time come to: a timestamp on the camera's clock, or the day alone.  Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

FIRST_PHOTO = 1826


class Timestamp(NamedTuple):
    """When something was: `YYYY-MM-DDTHH:MM:SS`; at midnight if `is_day`, where no more than the day is known."""

    text: str
    is_day: bool = False


def timestamp(date: Sequence[str], time: Sequence[str | None] = (), half: str | None = None) -> Timestamp | None:
    """Return what year, month and day and hour, minute and second come to; the day where the time is none.

    `half` is `A` or `P`, for AM or PM, where the hours go to twelve.  Returns None where there is no such day.

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


def _of_the_day(hour: int, half: str | None) -> int:
    """Return an hour from 0 to 23; 15 PM is what it is."""
    return hour % 12 + 12 * (half.upper() == "P") if half and hour <= 12 else hour
