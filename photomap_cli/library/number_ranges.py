"""Owns parsing ranges of whole numbers in filters: `4`, `>=4`, `<2019`, `3..5`, `2019-2021`, `..3`.  Pure.

Sizes are numbers with a unit: `>12mp` is pixels, `<2mb` bytes.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

UNITS = {"mp": 10**6, "px": 1, "gb": 10**9, "mb": 10**6, "kb": 10**3, "b": 1}
"""Units of sizes: pixels, then bytes in powers of 1000, as everywhere in photomap."""

_PIXELS = frozenset({"mp", "px"})
_MOST = 2**62  # SQLite's integers end at 2**63
_COMPARED = re.compile(r"(<=|>=|<|>|=)?(.+)")
_BETWEEN = re.compile(r"()\.\.(.+)|([^<>=]+?)\.\.(.*)|([^<>=]+?)-(.+)")
_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,9})?|\.\d{1,9})([a-z]*)", re.ASCII)


class NumberRange(NamedTuple):
    """The whole numbers from `low` to `high`, inclusive; None for an open end."""

    low: int | None
    high: int | None

    def holds(self, number: int) -> bool:
        """Return whether a number is in the range."""
        return (self.low is None or number >= self.low) and (self.high is None or number <= self.high)


class SizeRange(NamedTuple):
    """A range of pixels if `is_pixels`, else of bytes."""

    is_pixels: bool
    numbers: NumberRange


def whole_numbers(text: str) -> NumberRange:
    """Parse a range of whole numbers, whose ends may be reversed.  Raises ValueError for anything else."""
    if between := _BETWEEN.fullmatch(text):
        low, high = filter(_is_end, between.groups())
        return NumberRange(_whole(low) if low else None, _whole(high) if high else None)
    operator, number = _operator(text)
    return _compared(operator, _whole(number))


def sizes(text: str) -> SizeRange:
    """Parse a size or a range of sizes: `>12mp`, `12..24mp`, `<500kb`; a single size matches what rounds to it.

    Raises ValueError for anything else.
    """
    if between := _BETWEEN.fullmatch(text):
        low, high = filter(_is_end, between.groups())
        found = _between_sizes(low, high)
        first, last = found.numbers
        if first is not None and last is not None and first > last:
            raise ValueError(f"{text!r} starts after it ends")
        return found
    operator, written = _operator(text)
    number, unit = _size(written)
    scaled = number * UNITS[unit]
    if not operator:  # 12mp matches a 12-megapixel camera's 12.19 million pixels
        half = Decimal(1).scaleb(int(number.as_tuple().exponent)) / 2 * UNITS[unit]
        numbers = NumberRange(_at_least(scaled - half), _at_least(scaled + half) - 1 if half > 1 else int(scaled))
    else:
        numbers = _compared(operator, int(scaled), is_exact=scaled == int(scaled))
    return SizeRange(unit in _PIXELS, numbers)


def _between_sizes(low: str, high: str) -> SizeRange:
    """Return the sizes between two, of which the first may lack its unit."""
    last = _size(high) if high else None
    first = _size(low, unit=last[1] if last else "") if low else None
    units = {each[1] for each in (first, last) if each}
    if len({unit in _PIXELS for unit in units}) > 1:
        raise ValueError("pixels and bytes can't make a range")
    numbers = NumberRange(
        _at_least(first[0] * UNITS[first[1]]) if first else None, int(last[0] * UNITS[last[1]]) if last else None
    )
    return SizeRange(units <= _PIXELS, numbers)


def _is_end(group: str | None) -> bool:
    """Return whether a group is one of the two written ends, of which one may be empty."""
    return group is not None


def _operator(text: str) -> tuple[str, str]:
    match = _COMPARED.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} isn't a number")
    return "" if match[1] in (None, "=") else match[1], match[2]


def _compared(operator: str, number: int, *, is_exact: bool = True) -> NumberRange:
    """Return the numbers that satisfy a comparison; `number` was rounded down unless it is exact."""
    match operator:
        case ">":
            return NumberRange(number + 1, None)
        case ">=":
            return NumberRange(number + (not is_exact), None)
        case "<":
            return NumberRange(None, number - is_exact)
        case "<=":
            return NumberRange(None, number)
    return NumberRange(number, number)


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text!r} isn't a whole number")
    return int(text)


def _size(text: str, unit: str = "") -> tuple[Decimal, str]:
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} isn't a size")
    unit = match[2] or unit
    if unit not in UNITS:
        raise ValueError(f"{match[2]!r} isn't a unit" if unit else f"{text!r} has no unit")
    number = Decimal(match[1])
    if number * UNITS[unit] > _MOST:
        raise ValueError(f"{text!r} is too large")
    return number, unit


def _at_least(number: Decimal) -> int:
    """Return the first whole number that isn't less."""
    return int(number) + (number > int(number))
