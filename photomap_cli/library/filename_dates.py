r"""Owns the dates that cameras, phones and messengers put into file names.  Pure.

| name | date |
|---|---|
| `IMG_20190102_030405.jpg`, `PXL_20210203_040506789.MP.jpg`, `20190102_030405(1).jpg` | with the time |
| `Screenshot_2020-01-02-03-04-05.png`, `Screen Shot 2020-01-02 at 3.04.05 PM.png` | with the time |
| `2019-05-14 12.30.00.jpg`, `signal-2021-02-03-040506.jpg`, `photo_7@03-02-2021_04-05-06.jpg` | with the time |
| `WhatsApp Image 2018-05-14 at 12.30.45.jpeg` | with the time |
| `FB_IMG_1525000000000.jpg`, `mmexport1525000000000.jpg` | with the time: milliseconds since 1970 |
| `IMG-20180514-WA0007.jpg`, `WP_20150102_001.jpg`, `2019-05-14.jpg`, `20180514.jpg` | the day alone |
| `DSC_2018.jpg`, `IMG_1234.jpg`, `IMG_20181332_101010.jpg`, `IMG_20991231_101010.jpg` | none |
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import datetime

from photomap_cli.library.timestamps import Timestamp, latest, timestamp

_FIRST_DEVICE = "1990"
"""Before this year nothing named photos by date; older years at the start of a name were typed, as for scans."""

_DAY = r"(?P<year>[12]\d{3})(?P<mark>[-._])(?P<month>\d\d)(?P=mark)(?P<day>\d\d)(?!\d)"
_COMPACT_DAY = r"(?P<year>[12]\d{3})(?P<month>\d\d)(?P<day>\d\d)"
_TIME = r"(?P<hour>\d{1,2})[-._: h](?P<minute>\d\d)[-._: m](?P<second>\d\d)"
_COMPACT_TIME = r"(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)"
_END = r"(?:[-._]?\d{3})?(?!\d)"  # milliseconds
_HALF = r"(?:[\s\xa0\u202f]?(?P<half>[AP])\.?\s?M\b)?"  # macOS puts a narrow space there
_PREFIX = r"(?:IMG|VID|PXL|MVIMG|PANO|WP|SCREENSHOT)[-_ ]?"

_FORMS = tuple(
    re.compile(form, re.IGNORECASE | re.ASCII)
    for form in (
        rf"(?<!\d){_DAY}\D{{1,8}}{_TIME}{_END}{_HALF}",
        rf"(?<!\d){_DAY}\D{{1,8}}{_COMPACT_TIME}{_END}",
        rf"@(?P<day>\d\d)-(?P<month>\d\d)-(?P<year>[12]\d{{3}})_{_TIME}(?!\d)",  # Telegram's
        rf"(?<!\d){_COMPACT_DAY}[-_T ]?{_COMPACT_TIME}{_END}",
        rf"(?<!\d){_COMPACT_DAY}[-_T ]{_TIME}{_END}{_HALF}",
        rf"(?<!\d){_DAY}",
        rf"(?<![^\W\d_]){_PREFIX}{_COMPACT_DAY}(?!\d)",
        rf"^{_COMPACT_DAY}(?=$|[-_ ]*\(?\d{{0,4}}\)?$|[-_ ]+[^\W\d])",
    )
)
_MILLISECONDS = re.compile(r"^(?:FB_IMG_|mmexport)(1\d{12})(?!\d)", re.IGNORECASE | re.ASCII)
_ENDING = re.compile(r"\.[^\W\d]\w{0,4}$")  # not of `2019-05-14 12.30.00`
_COUNTED = re.compile(r"_?DSC", re.IGNORECASE)
"""The numbers in these names aren't dates, whatever they look like."""


def date_in_name(name: str, *, now: datetime | None = None) -> Timestamp | None:
    """Return when a photo was taken according to its file's name or path; None if there is no plausible date.

    Not before such names existed, nor after tomorrow (`now` is local); an invalid time leaves the day.
    """
    stem = _ENDING.sub("", os.path.basename(name))  # noqa: PTH119 - paths are text here
    if _COUNTED.match(stem):
        return None
    last = latest(now)
    return next((date for date, first in _dates(stem) if date and first <= date.text <= last), None)


def _dates(stem: str) -> Iterator[tuple[Timestamp | None, str]]:
    """Yield the possible dates in a name, the most certain first, each with the year from which it is plausible."""
    if of_epoch := _MILLISECONDS.match(stem):
        yield _local(int(of_epoch[1])), _FIRST_DEVICE
    for form in _FORMS:
        for match in form.finditer(stem):
            is_by_hand = match.start() == 0 and "mark" in form.groupindex
            yield _read(match), "" if is_by_hand else _FIRST_DEVICE


def _read(match: re.Match[str]) -> Timestamp | None:
    parts = match.groupdict()
    time = tuple(parts[name] for name in ("hour", "minute", "second")) if "hour" in parts else ()
    return timestamp((parts["year"], parts["month"], parts["day"]), time, parts.get("half"))


def _local(milliseconds: int) -> Timestamp:
    return Timestamp(datetime.fromtimestamp(milliseconds // 1000).isoformat())
