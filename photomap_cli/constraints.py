"""Owns describing allowed values to people: one of several words, a number within limits.  Pure; knows no settings.

Kinds are type annotations as pydantic takes them; a limit is whatever has `ge`, `gt` or `le`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Literal, get_args, get_origin


def one_of(words: Sequence[str]) -> str:
    """Return `auto, on or off`."""
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def number(
    *, whole: bool, at_least: float | None = None, above: float | None = None, at_most: float | None = None
) -> str:
    """Return `a whole number from 1 to 100`, with the limits that there are."""
    kind = "a whole number" if whole else "a number"
    if above is not None:
        return f"{kind} above {_figure(above)}" + _end(", up to ", at_most)
    if at_least is not None:
        return f"{kind} from {_figure(at_least)}" + (_end(" to ", at_most) or " up")
    return kind + _end(" up to ", at_most)


def words(kind: Any, limits: Iterable[object] = ()) -> str:
    """Return in words what a value of this kind may be."""
    return " or ".join(_alternatives(kind, tuple(limits)))


def literals(kind: Any) -> tuple[object, ...]:
    """Return the values of a Literal, also of one that is part of a union."""
    if get_origin(kind) is Literal:
        return get_args(kind)
    return tuple(value for part in get_args(kind) for value in literals(part))


def _alternatives(kind: Any, limits: tuple[object, ...]) -> Iterator[str]:
    if get_origin(kind) is Literal:
        yield one_of([str(value) for value in get_args(kind)])
    elif get_origin(kind) is Annotated:
        inner, *more = get_args(kind)
        yield from _alternatives(inner, tuple(limit for each in more for limit in getattr(each, "metadata", [each])))
    elif kind is bool:
        yield one_of(["true", "false"])
    elif kind in (int, float):
        at_least, above, at_most = (_first(name, limits) for name in ("ge", "gt", "le"))
        yield number(whole=kind is int, at_least=at_least, above=above, at_most=at_most)
    elif kind is str:
        yield "a text that is not empty"
    elif get_origin(kind) is tuple:
        yield "a list of texts"
    else:
        for part in get_args(kind):
            yield from _alternatives(part, limits)


def _first(name: str, limits: tuple[object, ...]) -> float | None:
    return next((getattr(each, name) for each in limits if hasattr(each, name)), None)


def _end(joint: str, at_most: float | None) -> str:
    return "" if at_most is None else joint + _figure(at_most)


def _figure(value: float) -> str:
    return f"{value:,.10g}"
