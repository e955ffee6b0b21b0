"""Owns translating filters to Milvus expressions over the fields of `schema.FACTS`.  Asks no server.

The results are those of `library.sql_filters`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from photomap_cli.library import geography, number_ranges
from photomap_cli.library.number_ranges import NumberRange
from photomap_cli.library.paths import shown
from photomap_cli.library.shared import schema
from photomap_cli.library.sql_filters import glob
from photomap_cli.pathnames import extensions_like, key
from photomap_cli.records import FilterKind, PhotoFilter

if TYPE_CHECKING:
    from photomap_cli.library.shared.roots import Span

NOTHING = "part < 0"
"""A condition that no entity meets."""

KINDS = {"photo": 'kind != "video"', "video": 'kind == "video"', "raw": 'kind == "raw"'}
SHAPES = {
    "portrait": f"shape == {schema.PORTRAIT}",
    "landscape": f"shape >= {schema.LANDSCAPE}",
    "square": f"shape == {schema.SQUARE}",
    "panorama": f"shape == {schema.PANORAMA}",
}
TRAITS = {
    "gps": f"latitude < {schema.NO_PLACE}",
    "rating": f"rating > {schema.NO_RATING}",
    "camera": 'camera != ""',
    "lens": 'lens != ""',
    "date": '(date_source != "file" and date_source != "unknown")',
}

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_WILD = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})
_TOKENS = re.compile(r"\*+|\?|\[\^?\]?[^\]]*\]|[^*?\[]+", re.DOTALL)
_LAST_BEFORE_SURROGATES, _FIRST_BEHIND_THEM, _LAST_LETTER = "\ud7ff", "\ue000", "\U0010ffff"
_YEARS_AS_TEXT, _BEHIND_EVERY_DATE = 10_000, ":"
_FLAT = 8


class Server(NamedTuple):
    """What a translation needs to know about the library.

    Attributes:
        below: returns the spans of stored paths below a folder.
        album: returns the rows of the photos in an album; raises BadQuery for an unknown one.
        has_infix: whether the server can match in the middle of a text.
        near: returns the condition that a photo was taken in a circle.
        texts: returns all values of a text field, for what the server can't match; raises BadQuery if too many.
    """

    below: Callable[[str], Sequence[Span]]
    album: Callable[[str], Sequence[int]]
    has_infix: bool
    near: Callable[[geography.Circle], str]
    texts: Callable[[str], Iterable[str]]


def where(filters: Sequence[PhotoFilter], server: Server) -> str:
    """Return the condition that all filters are met; empty if there are none."""
    return _tree([_clause(each, server) for each in filters], " and ")


def both(*conditions: str) -> str:
    """Return the condition that all of some conditions are met; empty ones are left out."""
    return " and ".join(f"({each})" for each in conditions if each)


def any_of(conditions: Iterable[str]) -> str:
    """Return the condition that one of some conditions is met; `NOTHING` if there are none."""
    return _tree(list(conditions), " or ") or NOTHING


def quoted(text: str) -> str:
    """Return a text as a string literal; the only way to put a text into an expression."""
    return f'"{shown(text).translate(_ESCAPES)}"'


def among(field: str, numbers: Iterable[int]) -> str:
    """Return the condition that a field is one of some numbers."""
    listed = ",".join(str(int(each)) for each in numbers)
    return f"{field} in [{listed}]" if listed else NOTHING


def one_of(field: str, texts: Iterable[str]) -> str:
    """Return the condition that a field is one of some texts."""
    listed = ",".join(map(quoted, texts))
    return f"{field} in [{listed}]" if listed else NOTHING


def in_spans(spans: Iterable[Span]) -> str:
    """Return the condition that a photo's stored path is in one of some spans."""
    return any_of(f"(path >= {quoted(each.first)} and path < {quoted(each.end)})" for each in spans)


def _clause(one: PhotoFilter, server: Server) -> str:
    positive = f"({_positive(one.kind, one.value, server)})"
    return f"(not {positive})" if one.negated else positive


def _positive(kind: FilterKind, value: str, server: Server) -> str:
    match kind:
        case FilterKind.IN:
            return in_spans(server.below(value))
        case FilterKind.AFTER:
            return f"dated_at >= {quoted(value)}"
        case FilterKind.BEFORE:
            return f"dated_at < {quoted(value)}"
        case FilterKind.YEAR:
            return _years(number_ranges.whole_numbers(value))
        case FilterKind.MONTH:
            return _months(number_ranges.whole_numbers(value))
        case FilterKind.RATING:
            return _stars(number_ranges.whole_numbers(value))
        case FilterKind.SIZE:
            size = number_ranges.sizes(value)
            return _between("pixels" if size.is_pixels else "size_bytes", size.numbers)
        case FilterKind.KIND:
            return KINDS[value]
        case FilterKind.ORIENTATION:
            return SHAPES[value]
        case FilterKind.HAS:
            return TRAITS[value]
        case FilterKind.NEAR:
            return server.near(geography.circle(value))
        case FilterKind.EXT:
            return one_of("ext", extensions_like(value.lower().removeprefix(".")))
        case FilterKind.CAMERA:
            return _holds("camera_key", key(shown(value)), server)
        case FilterKind.LENS:
            return _holds("lens_key", key(shown(value)), server)
        case FilterKind.NAME:
            return _matches("name_key", glob(key(shown(value))), server)
        case FilterKind.ALBUM:
            return among("photo", server.album(value))


def _holds(field: str, part: str, server: Server) -> str:
    if server.has_infix:
        return f"{field} like {quoted(f'%{part.translate(_WILD)}%')}"
    return one_of(field, (text for text in server.texts(field) if part in text))


def _matches(field: str, pattern: str, server: Server) -> str:
    """Return the condition that a field matches a pattern of SQLite's GLOB: `*`, `?`, `[a-z]`, `[^a-z]`."""
    tokens = _TOKENS.findall(pattern)
    if all(map(_is_plain, tokens)):
        return f"{field} == {quoted(''.join(map(_letters, tokens)))}"
    if tokens[-1].startswith("*") and all(map(_is_plain, tokens[:-1])):
        return _begins(field, "".join(map(_letters, tokens[:-1])))
    if server.has_infix and not any(token.startswith("[") and not _is_plain(token) for token in tokens):
        wild = {"*": "%", "?": "_"}
        return (
            f"{field} like {quoted(''.join(wild.get(each[0]) or _letters(each).translate(_WILD) for each in tokens))}"
        )
    compiled = re.compile("".join(map(_as_regex, tokens)), re.DOTALL)
    return one_of(field, filter(compiled.fullmatch, server.texts(field)))


def _is_plain(token: str) -> bool:
    """Whether a token of a pattern is literal text; `[[]` is a literal bracket."""
    return token == "[[]" or token[0] not in "*?["


def _letters(token: str) -> str:
    return "[" if token == "[[]" else token


def _as_regex(token: str) -> str:
    if _is_plain(token):
        return re.escape(_letters(token))
    return {"*": ".*", "?": "."}.get(token[0]) or _set_as_regex(token[1:-1])


def _set_as_regex(inside: str) -> str:
    """Return a set of characters as SQLite's GLOB reads it: a reversed range matches its first character only."""
    is_negated, inside = inside.startswith("^"), inside.removeprefix("^")
    letters, at = [], 0
    while at < len(inside):
        low = inside[at]
        is_range = at + 2 < len(inside) and inside[at + 1] == "-" and not (at == 0 and low == "]")
        high = max(low, inside[at + 2]) if is_range else low
        letters.append(f"{re.escape(low)}-{re.escape(high)}")
        at += 3 if is_range else 1
    return f"[{'^' if is_negated else ''}{''.join(letters)}]"


def _begins(field: str, start: str) -> str:
    """Return the condition that a text field has a prefix, as a range, which every server supports."""
    conditions = [f"{field} >= {quoted(start)}"] if start else []
    kept = start.rstrip(_LAST_LETTER)
    if kept:
        last = _FIRST_BEHIND_THEM if kept[-1] == _LAST_BEFORE_SURROGATES else chr(ord(kept[-1]) + 1)
        conditions.append(f"{field} < {quoted(kept[:-1] + last)}")
    return " and ".join(conditions) or "part >= 0"


def _between(field: str, numbers: NumberRange) -> str:
    ends = [f"{field} {operator} {end}" for operator, end in zip((">=", "<="), numbers, strict=True) if end is not None]
    return " and ".join(ends) or "part >= 0"


def _years(years: NumberRange) -> str:
    low, high = years
    first = "" if low is None else f"{low:04}" if low < _YEARS_AS_TEXT else _BEHIND_EVERY_DATE
    last = _BEHIND_EVERY_DATE if high is None else f"{high:04}-12-31T23:59:59"
    return f"dated_at >= {quoted(first)} and dated_at <= {quoted(last)}"


def _months(months: NumberRange) -> str:
    """Return the condition for a range of months; `11..2` wraps around the end of the year."""
    low, high = months
    if low is not None and high is not None and low > high:
        return f"month >= {low} or month <= {high}"
    return _between("month", months)


def _stars(stars: NumberRange) -> str:
    """Return the condition for a range of ratings; a photo without one counts as 0."""
    low = schema.NO_RATING + 1 if stars.low is None else max(stars.low, schema.NO_RATING + 1)
    rated = _between("rating", NumberRange(low, stars.high))
    return f"({rated}) or rating == {schema.NO_RATING}" if stars.holds(0) else rated


def _tree(conditions: Sequence[str], between: str) -> str:
    """Join conditions by an operator, as a balanced tree: Milvus 2.3 fails on expressions nested 100 deep."""
    if len(conditions) <= _FLAT:
        return between.join(conditions)
    middle = len(conditions) // 2
    return f"({_tree(conditions[:middle], between)}){between}({_tree(conditions[middle:], between)})"
