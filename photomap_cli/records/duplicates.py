"""Owns a group of photos that show the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from photomap_cli.records.record import Record, rounded


@dataclass(frozen=True, slots=True)
class DuplicatePhoto(Record):
    """One photo of a group; `score` is its cosine with the group's first."""

    path: str
    score: float = field(metadata=rounded(6))
    size_bytes: int
    taken_at: str | None
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class DuplicateGroup(Record):
    """Photos that show the same; the first looks best to keep.

    `kind` is "identical" for the same bytes, "similar" for shots that are hardly different.
    """

    ALSO = (("spare_bytes", "photos"),)

    kind: str
    photos: tuple[DuplicatePhoto, ...]

    @property
    def spare_bytes(self) -> int:
        """What all but the first take."""
        return sum(photo.size_bytes for photo in self.photos[1:])

    def to_json(self) -> dict[str, Any]:
        """Return one group of `duplicates --json`."""
        record = super(DuplicateGroup, self).to_json()
        for place, photo in enumerate(record["photos"]):
            photo["keep"] = place == 0
        return record
