"""Owns how far an index run is and what it did."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from photomap_cli.records.record import IF_ANY, Record, rounded


@dataclass(frozen=True, slots=True)
class IndexFailure(Record):
    """One file that could not be indexed, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class IndexNote(Record):
    """One photo that is in the library although something is wrong with its file, and what."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class StageTimes(Record):
    """Where an index run's time went, in milliseconds by the clock on the wall.

    Attributes:
        scan: looking for files, and telling which of them are new.
        load: starting the encoder and the decoders.
        decode: waiting for decoded pictures; what is decoded while the encoder works costs no time of its own.
        encode: waiting for vectors.
        commit: writing.
    """

    scan: float = field(default=0.0, metadata=rounded(1))
    load: float = field(default=0.0, metadata=rounded(1))
    decode: float = field(default=0.0, metadata=rounded(1))
    encode: float = field(default=0.0, metadata=rounded(1))
    commit: float = field(default=0.0, metadata=rounded(1))

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
class IndexReport(Record):
    """What one index run did; counts are files.

    Attributes:
        part: which of several parts of the files it took, as `2/4`; "" for all of them.
        notes: of all damaged photos below the roots, new or not.
        others: how many files there are that are no photos, by their endings; "" for those without one.
        interrupted: whether the run ended before it was done.
        left: how many files it had found, and had not come to then.
    """

    ALSO = (("failed", "failures"), ("noted", "notes"), ("other_kinds", "interrupted"))

    roots: tuple[str, ...]
    part: str = field(default="", kw_only=True, metadata=IF_ANY)
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
    elapsed_ms: float = field(default=0.0, metadata=rounded(1))
    images_per_second: float = field(default=0.0, metadata=rounded(1))
    stages: StageTimes = field(default_factory=StageTimes)

    @property
    def failed(self) -> int:
        """How many files could not be indexed."""
        return len(self.failures)

    @property
    def noted(self) -> int:
        """How many photos have a note."""
        return len(self.notes)

    @property
    def other_kinds(self) -> dict[str, int]:
        """`others` by their endings."""
        return dict(self.others)

    def to_json(self) -> dict[str, Any]:
        """Return what `index --json` prints, as JSON values."""
        record = super(IndexReport, self).to_json()
        record["others"] = sum(self.other_kinds.values())
        return {**record, "stages_ms": record.pop("stages")}
