"""Owns parsing a Milvus server's responses, as pymilvus returns them.  Malformed ones raise ValueError or its like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from photomap_cli.library.entities import STORED
from photomap_cli.library.shared.schema import FIELDS, VECTOR, Kind

Record = dict[str, Any]
"""Some fields of an entity, by name; a vector is (dim,) float32."""

Hit = tuple[float, Record]
"""An inner product, and some fields of the entity that has it."""

COUNT = "count(*)"
_TYPES = {each.name: str if each.kind is Kind.TEXT else float if each.kind is Kind.REAL else int for each in FIELDS}


@dataclass(frozen=True, slots=True)
class Description:
    """A collection as the server describes it; `name` is its own, even if it was asked for by an alias."""

    name: str
    properties: Mapping[str, str]
    fields: Mapping[str, Mapping[str, Any]] = field(repr=False)


def description(found: Mapping[str, Any]) -> Description:
    """Parse the description of a collection."""
    properties = {str(name): str(value) for name, value in found["properties"].items()}
    return Description(str(found["collection_name"]), properties, {each["name"]: each for each in found["fields"]})


def aliases(found: Mapping[str, Any]) -> list[str]:
    """Read which aliases a collection has."""
    return [str(each) for each in found["aliases"]]


def count(found: Sequence[Mapping[str, Any]]) -> int:
    """Parse a count of entities."""
    return int(found[0][COUNT])


def records(found: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> list[Record]:
    """Parse some fields of entities."""
    return [{name: _value(name, each[name]) for name in fields} for each in found]


def hits(found: Sequence[Sequence[Mapping[str, Any]]], fields: Sequence[str]) -> list[Hit]:
    """Parse the hits of a search by one vector, best first."""
    (of_vector,) = found
    entities = records([each["entity"] for each in of_vector], fields)
    scores = [float(each["distance"]) for each in of_vector]
    if not np.isfinite(scores).all():
        raise ValueError("a score is not finite")
    return list(zip(scores, entities, strict=True))


def _value(name: str, value: Any) -> Any:
    if name == VECTOR:
        return _vector(value)
    return value if name not in _TYPES else _TYPES[name](value)


def _vector(value: Any) -> np.ndarray:
    """Parse a vector; one in half precision comes as bytes, which some methods wrap in a list."""
    if isinstance(value, (list, tuple)) and len(value) == 1 and isinstance(value[0], bytes):
        value = value[0]
    vector = np.frombuffer(value, STORED) if isinstance(value, bytes) else value
    read = np.asarray(vector, np.float32)
    if read.ndim != 1 or not np.isfinite(read).all():
        raise ValueError("a vector is damaged")
    return read
