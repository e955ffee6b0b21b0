"""Owns the options of an index run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from photomap_cli import processors

if TYPE_CHECKING:
    from photomap_cli.indexing.parts import Part
    from photomap_cli.settings import Settings

JOBS = min(64, processors.usable())
"""Most decode processes by default."""


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """Options of an index run.  `jobs` processes decode; None for one per core, 64 at most.

    `prune` also removes the photos of folders that are missing or empty, like those of an unmounted disk.
    `thumbnail_cache_bytes` limits the thumbnails on disk; 0 for none.
    `recheck` reads all files of the library's photos, to see whether they have changed.
    `rebuild` starts over if the encoder's weights have changed, for example between two runs that fill a draft.
    `young_seconds` leaves new files that changed a moment ago for another run, as they may be incomplete.
    `bases` are what `exclude` is relative to, see `ScanRules`; set for a run over parts of the library.
    `part` leaves all files of other parts, and their photos, alone.
    `is_gentle` runs decoders at low priority.
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

    @classmethod
    def of(cls, settings: Settings, **chosen: Any) -> Self:
        """Return the options as the settings have them, except for those that are chosen."""
        options = cls(
            exclude=settings.exclude,
            max_megapixels=settings.megapixel_limit,
            thumbnail_cache_bytes=settings.thumbnail_cache_bytes,
        )
        return replace(options, **chosen)
