"""Owns reporting, for `doctor` and `encoders`, what encodes a library's words."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from photomap_cli.encoder import tower_verification
from photomap_cli.errors import EmptyLibrary, TowerUnfit
from photomap_cli.records import Check, CheckState
from photomap_cli.session import stored_probes
from photomap_cli.session.libraries import open_library

if TYPE_CHECKING:
    from photomap_cli.library.entities import LibraryEncoder


def check(folder: Path, made_with: LibraryEncoder, *, setting: str) -> Check:
    """Try the text tower of a library's encoder and report the outcome."""
    if setting == "torch":
        return Check("words", CheckState.OK, "encoded by PyTorch: text_encoder is torch")
    began = time.perf_counter()
    try:
        tower = tower_verification.open_text_tower(
            made_with.fingerprint, made_with.spec, lambda: stored_probes.read(folder)
        )
        opened = time.perf_counter()
        tower.encode(["a photo"])
    except TowerUnfit as error:
        return Check("words", CheckState.OK, f"encoded by PyTorch: {error.message}")
    mapped_ms, text_ms = 1e3 * (opened - began), 1e3 * (time.perf_counter() - opened)
    is_proven = tower_verification.is_proven(made_with.fingerprint)
    proof = "checked against it" if is_proven else "as its configuration says, not yet compared with it"
    times = f"weights mapped in {mapped_ms:.0f} ms, a text in {text_ms:.0f} ms"
    return Check("words", CheckState.OK, f"encoded without PyTorch, {proof}: {times}")


def fault(folder: Path) -> str | None:
    """Return why PyTorch has to encode a library's words; "" if it doesn't, None if unknown."""
    with suppress(EmptyLibrary), open_library(folder) as library:
        made_with = library.facts.encoder
        return tower_verification.fault(made_with.fingerprint) if made_with else None
    return None
