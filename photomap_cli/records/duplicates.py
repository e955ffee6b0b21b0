"""Owns groups of duplicate photos."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from photomap_cli.records.record import Record, rounded


@dataclass(frozen=True, slots=True)
class DuplicatePhoto(Record):
    """A photo of a group; `score` is its cosine to the group's first."""

    path: str
    score: float = field(metadata=rounded(6))
    size_bytes: int
    taken_at: str | None
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class DuplicateGroup(Record):
    """Photos that show the same; the first is probably the best to keep.

    `kind` is "identical" for the same bytes, "similar" for nearly identical shots.
    """

    ALSO = (("spare_bytes", "photos"),)

    kind: str
    photos: tuple[DuplicatePhoto, ...]

    @property
    def spare_bytes(self) -> int:
        """Bytes of all but the first."""
        return sum(photo.size_bytes for photo in self.photos[1:])

    def to_json(self) -> dict[str, Any]:
        """Return one group of `duplicates --json`."""
        record = super(DuplicateGroup, self).to_json()
        for place, photo in enumerate(record["photos"]):
            photo["keep"] = place == 0
        return record
