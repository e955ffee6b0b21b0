"""Owns translating filters to SQL.  Knows no database.

Unknown facts meet no filter, so a negated filter keeps such photos: `-camera:nikon` keeps photos without a
camera.  A photo without a rating has 0 stars, as in other programs.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from photomap_cli.library import geography, number_ranges
from photomap_cli.library.paths import shown
from photomap_cli.pathnames import extensions_like, key
from photomap_cli.records import FilterKind, PhotoFilter

if TYPE_CHECKING:
    from photomap_cli.library.number_ranges import NumberRange

_YEAR_WITH_MORE_FIGURES, _BEHIND_EVERY_DATE = 10_000, ":"  # in text comparison, follows 9

Value = str | int | float
Clause = tuple[str, tuple[Value, ...]]

KINDS = {"photo": "kind <> 'video'", "video": "kind = 'video'", "raw": "kind = 'raw'"}
"""Values of `kind:`; a RAW file is a photo too."""

SHAPES = {
    "portrait": "height > width",
    "landscape": "width > height",
    "square": "width = height",
    "panorama": "width >= 2 * height",
}
"""Values of `orientation:`, of the upright picture; a panorama is a landscape too."""

TRAITS = {
    "gps": "latitude IS NOT NULL",
    "rating": "rating IS NOT NULL",
    "camera": "camera IS NOT NULL",
    "lens": "lens IS NOT NULL",
    "date": "date_source NOT IN ('file', 'unknown')",
}
"""Values of `has:`; a date counts if it is from EXIF or the name."""


def where(filters: Sequence[PhotoFilter]) -> Clause:
    """Return an SQL condition over the table `photos` that is true if all filters are met, with its parameters.

    Texts are in the catalogue's form.  An album was looked up: its value is the rows of its photos, as JSON.
    """
    clauses = [_clause(each) for each in filters]
    condition = " AND ".join(sql for sql, _ in clauses) or "1"
    values = (value for _, values in clauses for value in values)
    return condition, tuple(shown(value) if isinstance(value, str) else value for value in values)


def below(folder: str, *, sep: str = os.sep) -> tuple[str, tuple[str, str]]:
    """Return the condition for paths strictly below a folder: a range of the path index, so `%` and `_` aren't special.

    `/a/b` becomes `/a/b/` <= path < `/a/b0`, as `0` is what follows `/`.
    """
    first = folder.rstrip(sep) + sep
    return "(path >= ? AND path < ?)", (first, first[:-1] + chr(ord(sep) + 1))


def glob(pattern: str) -> str:
    """Return a shell pattern in SQLite's form: `[!` becomes `[^`, and an unclosed `[` matches itself."""
    pieces, at = [], 0
    while at < len(pattern):
        end = pattern.find("]", at + 3 if pattern[at + 1 : at + 2] in {"!", "^"} else at + 2)
        if pattern[at] != "[" or end < 0:
            pieces.append("[[]" if pattern[at] == "[" else pattern[at])
            at += 1
            continue
        inside = pattern[at + 1 : end]
        pieces.append(f"[^{inside[1:]}]" if inside.startswith("!") else f"[{inside}]")
        at = end + 1
    return "".join(pieces)


def _clause(condition: PhotoFilter) -> Clause:
    sql, values = _positive(condition.kind, condition.value)
    return (f"NOT {sql}" if condition.negated else sql), values


def _positive(kind: FilterKind, value: str) -> Clause:
    match kind:
        case FilterKind.IN:
            return below(value)
        case FilterKind.AFTER:
            return "(dated_at >= ?)", (value,)
        case FilterKind.BEFORE:
            return "(dated_at < ?)", (value,)
        case FilterKind.YEAR:
            return _years(number_ranges.whole_numbers(value))
        case FilterKind.MONTH:
            return _months(number_ranges.whole_numbers(value))
        case FilterKind.RATING:
            return _between("coalesce(rating, 0)", number_ranges.whole_numbers(value))
        case FilterKind.SIZE:
            size = number_ranges.sizes(value)
            return _between("width * height" if size.is_pixels else "size_bytes", size.numbers)
        case FilterKind.KIND:
            return f"({KINDS[value]})", ()
        case FilterKind.ORIENTATION:
            return f"({SHAPES[value]})", ()
        case FilterKind.HAS:
            return f"(coalesce({TRAITS[value]}, 0))", ()
        case FilterKind.NEAR:
            return _near(geography.circle(value))
        case FilterKind.EXT:
            alike = extensions_like(value.lower().removeprefix("."))
            return f"(ext IN ({', '.join('?' * len(alike))}))", alike
        case FilterKind.CAMERA:
            return "(coalesce(instr(camera_key, ?), 0) > 0)", (key(value),)
        case FilterKind.LENS:
            return "(coalesce(instr(lens_key, ?), 0) > 0)", (key(value),)
        case FilterKind.NAME:
            return "(name_key GLOB ?)", (glob(key(value)),)
        case FilterKind.ALBUM:
            return "(row IN (SELECT value FROM json_each(?)))", (value,)


def _between(column: str, numbers: NumberRange) -> Clause:
    ends = [(operator, end) for operator, end in zip((">=", "<="), numbers, strict=True) if end is not None]
    return f"({' AND '.join(f'{column} {operator} ?' for operator, _ in ends)})", tuple(end for _, end in ends)


def _years(years: NumberRange) -> Clause:
    """Return the condition on the date index."""
    low, high = years
    first = "" if low is None else f"{low:04}" if low < _YEAR_WITH_MORE_FIGURES else _BEHIND_EVERY_DATE
    last = _BEHIND_EVERY_DATE if high is None else f"{high:04}-12-31T23:59:59"
    return "(dated_at >= ? AND dated_at <= ?)", (first, last)


def _months(months: NumberRange) -> Clause:
    """Return the condition; `11..2` wraps around the end of the year."""
    low, high = months
    month = "CAST(substr(dated_at, 6, 2) AS INTEGER)"
    if low is not None and high is not None and low > high:
        return f"({month} >= ? OR {month} <= ?)", (low, high)
    return _between(month, months)


def _near(circle: geography.Circle) -> Clause:
    """Return the condition: a band of latitudes, then the distance by a function of the connection."""
    south, north = circle.latitudes
    distance = f"{geography.DISTANCE}(?, ?, latitude, longitude)"
    return (
        f"(latitude IS NOT NULL AND latitude BETWEEN ? AND ? AND {distance} <= ?)",
        (south, north, circle.latitude, circle.longitude, circle.metres),
    )
