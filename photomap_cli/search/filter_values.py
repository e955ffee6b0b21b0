"""Owns parsing filters' values: typed text -> what `PhotoFilter` holds.  Pure; today's date is passed in."""

from __future__ import annotations

import datetime
import difflib
import os
import re
from collections.abc import Callable, Collection
from functools import partial
from typing import NamedTuple

from photomap_cli.constraints import one_of
from photomap_cli.library import geography, number_ranges
from photomap_cli.library.sql_filters import KINDS, SHAPES, TRAITS
from photomap_cli.setting_parsers import ROOT_NAME

WHOLE_LIBRARY = "*"
"""The folder that stands for the whole library."""

_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", re.ASCII)
_OF_ROOT = re.compile(f"{ROOT_NAME}:/", re.ASCII)
_AGO = re.compile(r"(\d{1,6})([dwmy])", re.ASCII)
_DAYS_AGO = {"today": 0, "yesterday": 1}
MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_FEWEST_LETTERS_OF_A_MONTH = 3


class Here(NamedTuple):
    """The context of a query: the folder that relative paths start from, and today's date."""

    cwd: str
    today: datetime.date


class FilterValue(NamedTuple):
    """How a filter parses its value, raising ValueError; what it keeps; and how to write its value."""

    read: Callable[[str, Here], str]
    about: str
    hint: str


def absolute(path: str, cwd: str) -> str:
    """Return a path without `~`, `.` and `..`; doesn't access the disk."""
    return os.path.normpath(os.path.join(cwd, os.path.expanduser(path)))  # noqa: PTH111, PTH118  pure text


def _plain(value: str, _here: Here) -> str:
    if not value:
        raise ValueError("the filter has no value")
    return value


def _compact(value: str, here: Here) -> str:
    """Return a value without blanks, in lower case."""
    return _plain("".join(value.split()).lower(), here)


def _folder(value: str, here: Here) -> str:
    """Return an absolute folder, `*` for the whole library, or a shared library's root by its name: `archive:/2014`."""
    return value if value == WHOLE_LIBRARY or _OF_ROOT.match(value) else absolute(_plain(value, here), here.cwd)


def _extension(value: str, here: Here) -> str:
    return _plain(value.lstrip(".").lower(), here)


def _date(value: str, here: Here) -> str:
    if day := _relative(value.lower(), here.today):
        return datetime.datetime(day.year, day.month, day.day).isoformat()
    match = _DATE.fullmatch(value)
    if match is None:
        raise ValueError(f"{value!r} isn't a date")
    year, month, day_of_month = int(match[1]), int(match[2] or 1), int(match[3] or 1)
    try:
        return datetime.datetime(year, month, day_of_month).isoformat()
    except ValueError:
        raise ValueError(f"there is no {value} in the calendar") from None


def _relative(value: str, today: datetime.date) -> datetime.date | None:
    """Return the date that `today`, `yesterday`, `7d`, `2w`, `3m` or `1y` means; None for anything else.

    Months and years go back to the same day of the month, or to its last day.
    """
    match = _AGO.fullmatch(value)
    if match is None and value not in _DAYS_AGO:
        return None
    count, unit = (int(match[1]), match[2]) if match else (_DAYS_AGO[value], "d")
    try:
        if unit in "dw":
            return today - datetime.timedelta(days=count * (7 if unit == "w" else 1))
        return _months_before(today, count * (12 if unit == "y" else 1))
    except (ValueError, OverflowError):
        raise ValueError(f"there is no {value} ago in the calendar") from None


def _months_before(day: datetime.date, count: int) -> datetime.date:
    year, month = divmod(12 * day.year + day.month - 1 - count, 12)
    following = datetime.date(year + (month == 11), (month + 1) % 12 + 1, 1)
    last = (following - datetime.timedelta(days=1)).day
    return datetime.date(year, month + 1, min(day.day, last))


def _numbers(value: str, here: Here, *, least: int, most: int, what: str, is_round: bool = False) -> str:
    """Return a range of whole numbers within limits; a cyclic one may wrap around, as months do."""
    text = _compact(value, here)
    found = number_ranges.whole_numbers(text)
    if any(not least <= end <= most for end in found if end is not None) and not _is_beside(text, found, least, most):
        raise ValueError(f"{what} from {least} to {most}, not {value!r}")
    if not is_round and None not in found and found.low > found.high:  # type: ignore[operator]
        raise ValueError(f"{value!r} starts after it ends")
    return text


def _is_beside(text: str, found: number_ranges.NumberRange, least: int, most: int) -> bool:
    """Return whether a comparison is with an end of the range, like `<1` and `>12`, which find nothing or all."""
    return text[0] in "<>" and found in ((most + 1, None), (None, least - 1))


def _month(value: str, here: Here) -> str:
    """Return a range of months by their numbers; `june`, `jun` and `nov-feb` work too."""
    return _numbers(
        re.sub(r"[a-z]+", _number_of_month, value.lower()), here, least=1, most=12, what="months go", is_round=True
    )


def _number_of_month(match: re.Match[str]) -> str:
    begun = [number for number, name in enumerate(MONTHS, 1) if name.startswith(match[0])]
    if len(match[0]) < _FEWEST_LETTERS_OF_A_MONTH or not begun:
        raise ValueError(f"{match[0]!r} isn't a month")
    return str(begun[0])


def _size(value: str, here: Here) -> str:
    text = _compact(value, here)
    number_ranges.sizes(text)
    return text


def _circle(value: str, here: Here) -> str:
    text = _compact(value, here)
    geography.circle(text)
    return text


def _one_of(value: str, here: Here, *, choices: Collection[str], what: str) -> str:
    text = _compact(value, here)
    if text not in choices:
        near = difflib.get_close_matches(text, choices, 1)
        raise ValueError(f"{value!r} is no {what}" + (f"; did you mean {near[0]}?" if near else ""))
    return text


_DATES = "write 2023, 2023-06 or 2023-06-15; today, yesterday, 7d, 2w, 3m or 1y ago"
_YEARS = partial(_numbers, least=1, most=9999, what="years go")
_STARS = partial(_numbers, least=-1, most=5, what="ratings go")

FILTER_VALUES = {
    "in": FilterValue(_folder, "below a folder", "example: in:~/Pictures/Italy; in:* for the whole library"),
    "after": FilterValue(_date, "taken at or after the start of a date", _DATES),
    "before": FilterValue(_date, "taken earlier than a date", _DATES),
    "year": FilterValue(_YEARS, "taken in a year, or several", "example: year:2019, year:2019..2021 or year:>=2019"),
    "month": FilterValue(
        _month, "taken in a month of any year, or several", "example: month:7, month:july or month:11..2"
    ),
    "ext": FilterValue(_extension, "kind of file; jpg is also jpeg", "example: ext:jpg"),
    "kind": FilterValue(
        partial(_one_of, choices=KINDS, what="kind"), "photo, video or raw", f"write {one_of(list(KINDS))}"
    ),
    "camera": FilterValue(_plain, "part of the camera's name", "example: camera:nikon"),
    "lens": FilterValue(_plain, "part of the lens's name", "example: lens:50mm"),
    "name": FilterValue(_plain, "pattern for the file's name", "example: name:IMG_*"),
    "orientation": FilterValue(
        partial(_one_of, choices=SHAPES, what="orientation"), "upright or wide", f"write {one_of(list(SHAPES))}"
    ),
    "size": FilterValue(
        _size, "megapixels, or bytes", "example: size:>12mp, size:12..24mp or size:<500kb; units are mp, kb, mb and gb"
    ),
    "rating": FilterValue(_STARS, "stars, 0 to 5", "example: rating:5, rating:>=4 or rating:0 for none"),
    "has": FilterValue(
        partial(_one_of, choices=TRAITS, what="thing to have"), "what is known", f"write {one_of(list(TRAITS))}"
    ),
    "near": FilterValue(
        _circle,
        "taken within a distance of a place",
        "example: near:48.86,2.35,10km; the distance may be in km, mi or m",
    ),
    "album": FilterValue(_plain, "in an album of yours", "example: album:Best"),
}
"""By filter name, in the order in which filters are listed."""

COMPARED = ("year", "size", "rating")
"""Filters whose values may begin with `>` or `<`, which shells interpret."""

MIN, MIN_ABOUT, MIN_HINT = "min", "lowest score", "example: min:0.25"
"""The name that is written like a filter but limits scores."""


def about(name: str) -> str:
    """Return what a filter, or `min`, does, in words."""
    return MIN_ABOUT if name == MIN else FILTER_VALUES[name].about
