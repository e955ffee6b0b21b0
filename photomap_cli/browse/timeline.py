"""Owns the timeline: how many photos each month has, and the filter for a month.  Pure."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from photomap_cli.records import Hit

_ADDED = re.compile(r"(?:^| +)after:\d{4}-\d{2} before:\d{4}-\d{2}$")


@dataclass(frozen=True, slots=True)
class Month:
    """A month, as `2023-06`, and its count of photos; the one without a name counts photos without a date."""

    name: str
    count: int


def months_of(hits: Iterable[Hit]) -> tuple[Month, ...]:
    """Return the months of these photos, newest first, those without a date last."""
    counted = Counter((hit.taken_at or "")[:7] for hit in hits)
    return tuple(Month(name, counted[name]) for name in sorted(counted, reverse=True))


def with_month(query: str, month: Month) -> str:
    """Return the query limited to a month, in place of a month chosen before."""
    year, number = map(int, month.name.split("-"))
    following = f"{year + 1:04d}-01" if number == 12 else f"{year:04d}-{number + 1:02d}"
    return f"{_ADDED.sub('', query)} after:{month.name} before:{following}".strip()
