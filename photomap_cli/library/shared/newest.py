"""Owns finding the newest photos of a shared library, whose server can't sort: a binary search over dates, by counting.

It takes some 15 counts, of a few milliseconds each, to get from the whole calendar to a span with enough photos that
are few enough to be sorted here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from photomap_cli.library.shared.client import MOST_AT_ONCE
from photomap_cli.library.shared.expressions import both, quoted
from photomap_cli.library.shared.photo_records import HIGHEST, LOWEST, PHOTO_FIELDS

if TYPE_CHECKING:
    from photomap_cli.library.shared.collection import Collection

Record = dict[str, Any]

_SORTED = 2048  # photos that are read and sorted here: 50 ms
_FIRST = datetime(1, 1, 1)
_LAST_SECOND = int((datetime(9999, 12, 31, 23, 59, 59) - _FIRST).total_seconds())


def newest(
    collection: Collection,
    condition: str,
    limit: int,
    behind: tuple[str, int] | None = None,
    checkpoint: Callable[[], None] = lambda: None,
) -> list[Record]:
    """Return up to `limit` entities that meet a condition, latest `dated_at` first, then higher rows first.

    `behind` is `dated_at` and row of the photo before them.  `checkpoint` is called before each count, and may raise.
    """
    asked = both(condition, _behind(*behind) if behind else "")
    enough = _Enough(collection, asked, max(1, min(limit, MOST_AT_ONCE)), checkpoint)
    first, is_short = enough.bound(_since, 0, _LAST_SECOND + 1)
    found = enough.read(_since(first))
    if is_short and first > 0:  # more photos of one second than can be read, and too few after it
        at = f"dated_at == {quoted(_text(first - 1))}"
        rest = _Enough(collection, both(asked, at), max(1, limit - len(found)), checkpoint)
        found += rest.read(_from_row(rest.bound(_from_row, LOWEST, HIGHEST)[0]))
    found.sort(key=lambda each: (each["dated_at"], each["row"]), reverse=True)
    return found[:limit]


class _Enough:
    """Searches for a lower bound that leaves at least `least` entities, and few enough to sort."""

    def __init__(self, collection: Collection, condition: str, least: int, checkpoint: Callable[[], None]) -> None:
        self._collection, self._condition, self._least = collection, condition, least
        self._most = min(MOST_AT_ONCE, max(_SORTED, 2 * least))
        self._checkpoint = checkpoint

    def bound(self, beginning: Callable[[int], str], low: int, high: int) -> tuple[int, bool]:
        """Return a lower bound, and whether it leaves too few, because the one below it leaves too many.

        It is between `low` and `high`; `beginning` returns the condition for entities at or above a bound.
        """
        if self._count(beginning(low)) <= self._most:
            return low, False
        while high - low > 1:
            middle = (low + high) // 2
            count = self._count(beginning(middle))
            if self._least <= count <= self._most:
                return middle, False
            low, high = (middle, high) if count > self._most else (low, middle)
        return high, True

    def read(self, condition: str) -> list[Record]:
        """Return the entities that meet both conditions."""
        return self._collection.query(both(self._condition, condition), PHOTO_FIELDS)

    def _count(self, condition: str) -> int:
        self._checkpoint()
        return self._collection.count(both(self._condition, condition))


def _text(second: int) -> str:
    return (_FIRST + timedelta(seconds=second)).isoformat()


def _since(second: int) -> str:
    """Return the condition for dates from a second on, counted from the year 1."""
    if second > _LAST_SECOND:
        return "part < 0"
    return f"dated_at >= {quoted(_text(second) if second else '')}"


def _from_row(row: int) -> str:
    return f"row >= {row}"


def _behind(dated_at: str, row: int) -> str:
    date = quoted(dated_at)
    return f"dated_at < {date} or (dated_at == {date} and row < {row})"
