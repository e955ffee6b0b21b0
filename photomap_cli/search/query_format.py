"""Owns writing a query: `Query` -> text that `query.parse` reads as the same query.  Pure."""

from __future__ import annotations

import os
import re
from decimal import Decimal
from typing import TYPE_CHECKING

from photomap_cli.records import FilterKind
from photomap_cli.search.query import TermKind

if TYPE_CHECKING:
    from photomap_cli.records import PhotoFilter
    from photomap_cli.search.query import Query, Term

_PLAIN_WORDS = re.compile(r'[^\W_][^\s":]*(?: [^\W_][^\s":]*)*')
_PLAIN_PATH = re.compile(r'(?:\./|/)[^\s"]+')


def format(query: Query, *, cwd: str = "") -> str:
    """Write a query.  Paths below `cwd` are written relative to it; `parse` must then be given the same folder.

    Example:
        `dog -"red ball" 2:@pool.jpg` comes back as `dog - red ball + 2:./pool.jpg`.
    """
    pieces = [term(each, cwd=cwd, is_first=number == 0) for number, each in enumerate(query.terms)]
    pieces += [condition(each, cwd=cwd) for each in query.filters]
    if query.min_score is not None:
        pieces.append(f"min:{_number(query.min_score)}")
    return " ".join(pieces)


def term(term: Term, *, cwd: str = "", is_first: bool = False) -> str:
    """Write one term with its operator; the first of a query needs no plus."""
    operator = "- " if term.weight < 0 else "" if is_first else "+ "
    weight = "" if abs(term.weight) == 1 else f"{_number(abs(term.weight))}:"
    return operator + weight + body(term, cwd=cwd)


def body(term: Term, *, cwd: str = "") -> str:
    """Write what a term says, without operator and weight."""
    match term.kind:
        case TermKind.TEXT:
            return term.value if _PLAIN_WORDS.fullmatch(term.value) else _quoted(term.value)
        case TermKind.IMAGE:
            path = _shortened(term.value, cwd)
            return path if _PLAIN_PATH.fullmatch(path) else "@" + _quoted(path)
        case TermKind.ADDRESS:
            return term.value
        case TermKind.REFERENCE:
            return f"#{term.value}"


def condition(one: PhotoFilter, *, cwd: str = "") -> str:
    """Write a filter, a path below `cwd` from there: `-camera:"eos 40d"`."""
    value = one.value
    if one.kind is FilterKind.IN:
        value = _shortened(value, cwd)
    elif one.kind in (FilterKind.AFTER, FilterKind.BEFORE):
        value = value.partition("T")[0]
    is_plain = value and not re.search(r'[\s"]|^//', value)
    return f"{'-' if one.negated else ''}{one.kind}:{value if is_plain else _quoted(value)}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _shortened(path: str, cwd: str) -> str:
    below = cwd.rstrip(os.sep) + os.sep
    rest = path.removeprefix(below) if cwd else path
    is_below = bool(rest) and rest != path and not rest.startswith(os.sep)  # `//x` is a place of its own
    return f".{os.sep}{rest}" if is_below else path


def _number(value: float) -> str:
    """Write a number with all its digits and no exponent."""
    return f"{Decimal(repr(value)).normalize():f}"
