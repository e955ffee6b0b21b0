"""Owns a group of photos that show the same."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class DuplicatePhoto:
    """One photo of a group; `score` is its cosine with the group's first."""

    path: str
    score: float
    size_bytes: int
    taken_at: str | None
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Photos that show the same; the first looks best to keep.

    `kind` is "identical" for the same bytes, "similar" for shots that are hardly different.
    """

    kind: str
    photos: tuple[DuplicatePhoto, ...]

    @property
    def spare_bytes(self) -> int:
        """What all but the first take."""
        return sum(photo.size_bytes for photo in self.photos[1:])

    def to_json(self) -> dict[str, Any]:
        """Return one group of `duplicates --json`."""
        photos = [{**asdict(each), "score": round(each.score, 6), "keep": False} for each in self.photos]
        photos[0]["keep"] = True
        return {"kind": self.kind, "spare_bytes": self.spare_bytes, "photos": photos}
