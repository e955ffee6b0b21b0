"""Owns how far an index run is and what it did."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class IndexFailure:
    """One file that could not be indexed, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class IndexNote:
    """One photo that is in the library although something is wrong with its file, and what."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class StageTimes:
    """Where an index run's time went, in milliseconds by the clock on the wall.

    Attributes:
        scan: looking for files, and telling which of them are new.
        load: starting the encoder and the decoders.
        decode: waiting for decoded pictures; what is decoded while the encoder works costs no time of its own.
        encode: waiting for vectors.
        commit: writing.
    """

    scan: float = 0.0
    load: float = 0.0
    decode: float = 0.0
    encode: float = 0.0
    commit: float = 0.0

    @property
    def bottleneck(self) -> tuple[str, float] | None:
        """What takes longest of decoding, encoding and writing, and its share of them; None while there is nothing."""
        work = {"decoding": self.decode, "encoding": self.encode, "writing": self.commit}
        slowest = max(work, key=lambda each: work[each])
        return (slowest, work[slowest] / sum(work.values())) if work[slowest] > 0 else None


@dataclass(frozen=True, slots=True)
class IndexProgress:
    """How far an index run is.  `total` is the number of photos to encode; `done` counts encoded and failed ones.

    Once they are encoded, `compressing` says so: `done` and `total` are then rows of the search's own file.
    """

    done: int
    total: int
    failed: int
    path: str = ""
    compressing: bool = False
    stages: StageTimes = field(default_factory=StageTimes, compare=False)


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What one index run did; counts are files.

    Attributes:
        notes: of all damaged photos below the roots, new or not.
        others: how many files there are that are no photos, by their endings; "" for those without one.
        interrupted: whether the run ended before it was done.
        left: how many files it had found, and had not come to then.
    """

    roots: tuple[str, ...]
    scanned: int = 0
    added: int = 0
    updated: int = 0
    moved: int = 0
    removed: int = 0
    unchanged: int = 0
    failures: tuple[IndexFailure, ...] = ()
    notes: tuple[IndexNote, ...] = ()
    others: tuple[tuple[str, int], ...] = ()
    interrupted: bool = False
    left: int = 0
    elapsed_ms: float = 0.0
    images_per_second: float = 0.0
    stages: StageTimes = field(default_factory=StageTimes)

    def to_json(self) -> dict[str, Any]:
        """Return what `index --json` prints, as JSON values."""
        return {
            "roots": list(self.roots),
            "scanned": self.scanned,
            "added": self.added,
            "updated": self.updated,
            "moved": self.moved,
            "removed": self.removed,
            "unchanged": self.unchanged,
            "failed": len(self.failures),
            "failures": [asdict(failure) for failure in self.failures],
            "noted": len(self.notes),
            "notes": [asdict(note) for note in self.notes],
            "others": sum(count for _, count in self.others),
            "other_kinds": dict(self.others),
            "interrupted": self.interrupted,
            "left": self.left,
            "elapsed_ms": round(self.elapsed_ms, 1),
            "images_per_second": round(self.images_per_second, 1),
            "stages_ms": {name: round(ms, 1) for name, ms in asdict(self.stages).items()},
        }
