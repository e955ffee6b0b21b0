"""Owns converting records to JSON and back.

A record's JSON is an object of its fields.  A field's metadata say how its JSON differs: `rounded` and
`IF_ANY`; `ALSO` names properties to include besides fields.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from dataclasses import MISSING, fields
from enum import Enum
from typing import Any, ClassVar, NamedTuple, Self, Union, get_args, get_origin, get_type_hints

_Reader = Callable[[Any], Any]


class BadRecord(ValueError):
    """JSON that is not this record: a field is missing, unknown, or of another type.  The message says which."""


IF_ANY: dict[str, Any] = {"if_any": True}
"""Metadata of a field that is in the JSON only when it differs from its default."""


def rounded(digits: int) -> dict[str, Any]:
    """Return metadata of a field whose floats are rounded to `digits` in the JSON."""
    return {"digits": digits}


class Record:
    """A frozen dataclass with a JSON form.

    Its fields are str, int, float, bool, enumerations, records, tuples of these, or None.

    Attributes:
        ALSO: pairs of a property to include, and the field that it precedes.
    """

    __slots__ = ()
    ALSO: ClassVar[tuple[tuple[str, str], ...]] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON values."""
        record = {}
        for name, digits, default in _layout(type(self)):  # type: ignore[arg-type]  # a class can be hashed, whatever its records can
            value = getattr(self, name)
            if default is MISSING or value != default:
                record[name] = _plain(value, digits)
        return record

    @classmethod
    def from_json(cls, record: object) -> Self:
        """Rebuild a record from `to_json`.  Raises BadRecord for anything else."""
        if not isinstance(record, dict):
            raise BadRecord(f"{cls.__name__} is {_shown(record)}")
        readers, values = _readers(cls), {}  # type: ignore[arg-type]  # as above
        for name, value in record.items():
            if name in readers:
                try:
                    values[name] = readers[name](value)
                except BadRecord:
                    raise
                except (TypeError, ValueError, OverflowError) as error:
                    raise BadRecord(f"{cls.__name__}.{name}: {error}") from error
            elif not any(name == told for told, _ in cls.ALSO):
                raise BadRecord(f"{cls.__name__} has no {_shown(name)}")
        try:
            return cls(**values)
        except TypeError as error:
            raise BadRecord(str(error).replace(".__init__()", "")) from error


class _Entry(NamedTuple):
    name: str
    digits: int | None
    default: Any  # MISSING if it is always included


@functools.cache
def _layout(cls: type[Any]) -> tuple[_Entry, ...]:
    before = {of: told for told, of in cls.ALSO}
    entries = []
    for each in fields(cls):
        if each.name in before:
            entries.append(_Entry(before[each.name], None, MISSING))
        default = each.default if each.metadata.get("if_any") else MISSING
        entries.append(_Entry(each.name, each.metadata.get("digits"), default))
    return tuple(entries)


def _plain(value: Any, digits: int | None) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return value if digits is None else round(value, digits)
    if isinstance(value, tuple):
        return [_plain(each, digits) for each in value]
    return value.to_json() if isinstance(value, Record) else value


@functools.cache
def _readers(cls: type[Any]) -> dict[str, _Reader]:
    hints = get_type_hints(cls)
    return {each.name: _reader(hints[each.name]) for each in fields(cls)}


def _reader(hint: Any) -> _Reader:
    """Return a function that turns JSON into a value of this type; it raises TypeError or ValueError."""
    kinds = get_args(hint)
    if get_origin(hint) in (Union, types.UnionType):
        (kind,) = (each for each in kinds if each is not types.NoneType)
        read = _reader(kind)
        return lambda value: None if value is None else read(value)
    if get_origin(hint) is tuple:
        if kinds[-1] is Ellipsis:
            each = _reader(kinds[0])
            return lambda value: tuple(map(each, _of(value, list, tuple)))
        places = tuple(map(_reader, kinds))
        return lambda value: tuple(read(one) for read, one in zip(places, _of(value, list, tuple), strict=True))
    if hint is float:
        return lambda value: float(_of(value, float, int))
    if issubclass(hint, Record):
        return lambda value: hint.from_json(value)
    return lambda value: hint(value) if issubclass(hint, Enum) else _of(value, hint)


def _of(value: Any, *kinds: type) -> Any:
    if type(value) not in kinds:  # True doesn't count as an int here
        raise TypeError(f"{_shown(value)} is not of type {kinds[0].__name__}")
    return value


def _shown(value: object) -> str:
    return f"{value!r:.60}"
