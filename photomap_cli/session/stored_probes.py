"""Owns the probes that are stored with a library: taken where PyTorch is loaded anyway, read where it is not."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from photomap_cli.encoder import tower_trust
from photomap_cli.encoder.probes import Probes
from photomap_cli.errors import TowerUnfit
from photomap_cli.framing import read_file, write_file
from photomap_cli.library.entities import PROBES_NAME

if TYPE_CHECKING:
    from pathlib import Path

    from photomap_cli.encoder.residency import Residency


def read(library: Path) -> Probes | None:
    """Return the probes that are stored with a library; None where there are none, or they are damaged."""
    frame = read_file(library / PROBES_NAME)
    return Probes.from_frame(*frame) if frame else None


def take(library: Path, residency: Residency, *, spec: str, fingerprint: str) -> None:
    """Store what the loaded encoder makes of the probe texts, and let the text tower be checked by it.

    Does nothing where that has been done.  Raises PhotomapError where the encoder fails.
    """
    kept = read(library)
    if kept is None or kept.fingerprint != fingerprint:
        kept = residency.run("text", lambda encoder: encoder.probes())[0]
        if kept is None:
            return
        with suppress(OSError):  # a library that cannot be written to does without
            write_file(library / PROBES_NAME, *kept.to_frame())
    if tower_trust.fault(fingerprint) is None:
        with suppress(TowerUnfit):  # which is remembered
            tower_trust.open_tower(fingerprint, spec, lambda: kept)
