"""Owns the report of `photomap copy`."""

from __future__ import annotations

from dataclasses import dataclass, field

from photomap_cli.records.record import Record, rounded


@dataclass(frozen=True, slots=True)
class CopyReport(Record):
    """What a copy of a library did.

    Attributes:
        source, target: the libraries' folders, absolute.
        photos, albums, searches: what the copy holds.
        bytes: how many were copied.
        was_there: whether the target already was the same library, so that there was nothing to do.
    """

    source: str
    target: str
    photos: int
    albums: int
    searches: int
    bytes: int
    was_there: bool
    elapsed_ms: float = field(default=0.0, metadata=rounded(1))
