"""Owns what `photomap copy` did."""

from __future__ import annotations

from dataclasses import dataclass, field

from photomap_cli.records.record import Record, rounded


@dataclass(frozen=True, slots=True)
class CopyReport(Record):
    """What one copy of a library did.

    Attributes:
        source, target: the libraries' folders, absolute.
        photos, albums, searches: what the copy holds.
        bytes: how many were copied.
        was_there: whether the target was the same library already, so that nothing was to be done.
    """

    source: str
    target: str
    photos: int
    albums: int
    searches: int
    bytes: int
    was_there: bool
    elapsed_ms: float = field(default=0.0, metadata=rounded(1))
