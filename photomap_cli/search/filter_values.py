"""Owns how a filter's value is read: what was typed -> what `PhotoFilter` holds.  Pure."""

from __future__ import annotations

import datetime
import os
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")


class FilterValue(NamedTuple):
    """How one filter reads a value, given the folder that relative paths start from; ValueError says what is wrong."""

    read: Callable[[str, str], str]
    hint: str


def absolute(path: str, cwd: str) -> str:
    """Return a path without `~`, `.` and `..`; asks the disk nothing."""
    return os.path.normpath(os.path.join(cwd, os.path.expanduser(path)))  # noqa: PTH111, PTH118  pure text


def _plain(value: str, _cwd: str) -> str:
    if not value:
        raise ValueError("the filter has no value")
    return value


def _folder(value: str, cwd: str) -> str:
    return value if value == "*" else absolute(_plain(value, cwd), cwd)  # * is the whole library


def _extension(value: str, cwd: str) -> str:
    return _plain(value.lstrip(".").lower(), cwd)


def _date(value: str, _cwd: str) -> str:
    match = _DATE.fullmatch(value)
    if match is None:
        raise ValueError(f"{value!r} is no date")
    year, month, day = int(match[1]), int(match[2] or 1), int(match[3] or 1)
    try:
        return datetime.datetime(year, month, day).isoformat()
    except ValueError:
        raise ValueError(f"there is no {value} in the calendar") from None


FILTER_VALUES = {
    "in": FilterValue(_folder, "example: in:~/Pictures/Italy; in:* for the whole library"),
    "after": FilterValue(_date, "write 2023, 2023-06 or 2023-06-15"),
    "before": FilterValue(_date, "write 2023, 2023-06 or 2023-06-15"),
    "ext": FilterValue(_extension, "example: ext:jpg"),
    "camera": FilterValue(_plain, "example: camera:nikon"),
    "name": FilterValue(_plain, "example: name:IMG_*"),
}
"""By the filter's name, in the order in which filters are listed."""
