"""Owns what a filter means in SQL; knows no database."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from photomap_cli.pathnames import extensions_like, key
from photomap_cli.records import FilterKind, PhotoFilter

if TYPE_CHECKING:
    from collections.abc import Sequence

Clause = tuple[str, tuple[str, ...]]


def where(filters: Sequence[PhotoFilter]) -> Clause:
    """Return one SQL condition over the table `photos` that holds where all filters do, with its parameters."""
    clauses = [_clause(each) for each in filters]
    condition = " AND ".join(sql for sql, _ in clauses) or "1"
    return condition, tuple(value for _, values in clauses for value in values)


def below(folder: str, *, sep: str = os.sep) -> Clause:
    """Return the condition for paths strictly below a folder: a range of the path index, so `%` and `_` mean nothing.

    `/a/b` becomes `/a/b/` <= path < `/a/b0`, as `0` is what follows `/`.
    """
    first = folder.rstrip(sep) + sep
    return "(path >= ? AND path < ?)", (first, first[:-1] + chr(ord(sep) + 1))


def glob(pattern: str) -> str:
    """Return a shell pattern in SQLite's own form: `[!` is `[^` there, and a `[` that never closes matches itself."""
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
        case FilterKind.EXT:
            alike = extensions_like(value.lower().removeprefix("."))
            return f"(ext IN ({', '.join('?' * len(alike))}))", alike
        case FilterKind.CAMERA:
            return "(coalesce(instr(camera_key, ?), 0) > 0)", (key(value),)
        case FilterKind.NAME:
            return "(name_key GLOB ?)", (glob(key(value)),)
