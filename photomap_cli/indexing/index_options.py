"""Owns how a library is indexed, where its user has a choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from photomap_cli import processors

if TYPE_CHECKING:
    from photomap_cli.indexing.parts import Part

JOBS = min(64, processors.usable())
"""How many processes decode where nobody says."""


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """How to index.  `jobs` processes decode; None for one a core, 64 at most.

    `prune` also removes the photos of folders that are missing or empty, as a disk's is that is not mounted.
    `thumbnail_cache_bytes` is how much thumbnails of the photos may take on the disk; 0 for none.
    `recheck` reads all files whose photos the library has, to see whether they are what they were.
    `rebuild` begins again where the encoder has other weights by now, as between two runs that fill a draft.
    `young_seconds` leaves new files that were changed a moment ago for another run, as they may not be whole.
    `bases` are what `exclude` is relative to, see `ScanRules`; a run over parts of the library has them.
    `part` has all files of other parts, and their photos, left alone.
    `is_gentle` has decoders leave the processor to others.
    """

    exclude: tuple[str, ...] = ()
    hidden: bool = False
    jobs: int | None = None
    dry_run: bool = False
    prune: bool = False
    recheck: bool = False
    max_megapixels: float | None = None
    batch_size: int = 32
    thumbnail_cache_bytes: int = 0
    rebuild: bool = False
    young_seconds: float = 0.0
    bases: tuple[str, ...] = ()
    part: Part | None = None
    is_gentle: bool = False
