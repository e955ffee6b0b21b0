"""Owns the progress and report of an index run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from photomap_cli.records.record import IF_ANY, Record, rounded


@dataclass(frozen=True, slots=True)
class IndexFailure(Record):
    """A file that couldn't be indexed, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class IndexNote(Record):
    """A photo that is in the library although its file is damaged, and how."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class StageTimes(Record):
    """Where an index run's time went, in milliseconds of wall-clock time.

    Attributes:
        scan: finding files and comparing them with the library.
        load: starting the encoder and the decoders.
        decode: waiting for decoded pictures; decoding while the encoder works doesn't count.
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
        """Which of decoding, encoding and writing takes longest, and its share; None while there is nothing."""
        work = {"decoding": self.decode, "encoding": self.encode, "writing": self.commit}
        slowest = max(work, key=lambda each: work[each])
        return (slowest, work[slowest] / sum(work.values())) if work[slowest] > 0 else None


@dataclass(frozen=True, slots=True)
class IndexProgress:
    """The progress of an index run.  `total` is the number of photos to encode; `done` counts encoded and failed ones.

    Afterwards `compressing` is true: `done` and `total` then count rows of the search's own file.
    """

    done: int
    total: int
    failed: int
    path: str = ""
    compressing: bool = False
    stages: StageTimes = field(default_factory=StageTimes, compare=False)


@dataclass(frozen=True, slots=True)
class IndexReport(Record):
    """What an index run did; counts are of files.

    Attributes:
        part: which part of the files it took, as `2/4`; "" for all of them.
        notes: of all damaged photos below the roots, new or not.
        others: number of files that aren't photos, by extension; "" for those without one.
        interrupted: whether the run ended before it was done.
        left: how many found files were left over when it ended.
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
        """How many files couldn't be indexed."""
        return len(self.failures)

    @property
    def noted(self) -> int:
        """How many photos have a note."""
        return len(self.notes)

    @property
    def other_kinds(self) -> dict[str, int]:
        """`others` by extension."""
        return dict(self.others)

    def to_json(self) -> dict[str, Any]:
        """Return what `index --json` prints, as JSON values."""
        record = super(IndexReport, self).to_json()
        record["others"] = sum(self.other_kinds.values())
        return {**record, "stages_ms": record.pop("stages")}
