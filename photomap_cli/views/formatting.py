"""Owns formatting bytes, counts and times for people.  Knows no photomap values."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Sequence

COLUMNS = 80
"""What fits into a terminal as most people have it."""
_UNITS = ("kB", "MB", "GB", "TB")


def human_bytes(count: int) -> str:
    """Return `0 B`, `9.5 MB`, `352 MB`, `1.2 GB`: powers of 1000, at most three digits."""
    if count < 1000:
        return f"{count} B"
    size, power = count / 1000, 0
    while size >= 999.5 and power < len(_UNITS) - 1:
        size, power = size / 1000, power + 1
    unit = _UNITS[power]
    return f"{size:.1f} {unit}" if size < 9.95 else f"{size:.0f} {unit}"


def duration(seconds: float) -> str:
    """Return `18 s`, `10 min` or `2 h`; seconds are rounded up, so that 0 means now."""
    whole = max(0, math.ceil(seconds))
    if whole < 100:
        return f"{whole} s"
    return f"{whole / 60:.0f} min" if whole < 100 * 60 else f"{whole / 3600:.0f} h"


def clock(seconds: float) -> str:
    """Return a countdown: `0:18`, `9:48`, `1:02:03`."""
    minutes, second = divmod(max(0, math.ceil(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def moment(timestamp: str) -> str:
    """Return a time in the local time zone: `2026-11-24 08:47`."""
    return datetime.datetime.fromisoformat(timestamp).astimezone().strftime("%Y-%m-%d %H:%M")


def elapsed(milliseconds: float) -> str:
    """Return how long something took: `<1 ms`, `41 ms`, `2.1 s`."""
    if milliseconds < 1:
        return "<1 ms"
    return f"{milliseconds:.0f} ms" if milliseconds < 999.5 else f"{milliseconds / 1000:.1f} s"


def run_time(milliseconds: float) -> str:
    """Return how long a command took: `3.9 s`, `10 min`, `2 h`."""
    return f"{milliseconds / 1e3:.1f} s" if milliseconds < 100e3 else duration(milliseconds / 1e3)


def listed(statements: Sequence[str], end: str = "") -> list[str]:
    """Return each statement with the comma that follows it, and the last one with `end`."""
    return [f"{each}," for each in statements[:-1]] + [f"{each}{end}" for each in statements[-1:]]


def folded(statements: Iterable[str], columns: int = COLUMNS) -> list[str]:
    """Return statements in as few lines as they fit into; none is broken, and lines after the first are indented."""
    lines: list[str] = []
    for statement in statements:
        if lines and len(lines[-1]) + 1 + len(statement) <= columns:
            lines[-1] += f" {statement}"
        else:
            lines.append(f"  {statement}" if lines else statement)
    return lines


def photos(count: int) -> str:
    """Return `1 photo`, `12,034 photos`."""
    return counted(count, "photo")


def counted(count: int, what: str) -> str:
    """Return `1 file`, `12,034 files` of a thing whose plural ends in s."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
