"""Owns choosing a photo's date: from its EXIF, else its name, else its file; impossible dates don't count.  Pure."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from photomap_cli.library import filename_dates
from photomap_cli.library.timestamps import FIRST_PHOTO, latest
from photomap_cli.records import DateSource

if TYPE_CHECKING:
    from photomap_cli.library.entities import NewPhoto


_UNKNOWN = "1970-01-01T00:00:00"


class Dated(NamedTuple):
    """When a photo was taken, as far as known, `YYYY-MM-DDTHH:MM:SS`, and the source of the date."""

    at: str
    source: DateSource


def date_of(photo: NewPhoto) -> Dated:
    """Return a photo's date."""
    if photo.taken_at:
        return Dated(photo.taken_at, DateSource.EXIF_DAY if photo.is_day else DateSource.EXIF)
    return date_of_file(photo.path, photo.mtime_ns)


def date_of_file(path: str, mtime_ns: int) -> Dated:
    """Return the date of a photo without one in its EXIF."""
    at, source = date_in_name(path), source_in_name(path)
    if at and source:
        return Dated(at, source)
    time = _local_time(mtime_ns)
    return Dated(time, DateSource.FILE) if time else Dated(_UNKNOWN, DateSource.UNKNOWN)


def date_in_name(path: str) -> str | None:
    """Return the date in a file's name, if there is one."""
    found = filename_dates.date_in_name(path)
    return found.text if found else None


def source_in_name(path: str) -> DateSource | None:
    """Return how precise the date in a file's name is."""
    found = filename_dates.date_in_name(path)
    return (DateSource.NAME_DAY if found.is_day else DateSource.NAME) if found else None


def _local_time(mtime_ns: int) -> str | None:
    """Return a file's time; None if it was written by a clock that was never set."""
    try:
        time = datetime.fromtimestamp(mtime_ns // 1_000_000_000)
    except (OverflowError, OSError, ValueError):
        return None
    text = time.isoformat(timespec="seconds")
    return text if time.year >= FIRST_PHOTO and text <= latest() else None
