"""Owns which encoder a library is opened with: its spec string, the process for it, and the text tower."""

from __future__ import annotations

from typing import TYPE_CHECKING

from photomap_cli.encoder import models
from photomap_cli.encoder.tower_encoder import TowerEncoder
from photomap_cli.errors import EncoderMismatch

if TYPE_CHECKING:
    from photomap_cli.encoder.probes import Probes
    from photomap_cli.encoder.process import EncoderProcess
    from photomap_cli.library.catalog import Catalog
    from photomap_cli.settings import Settings


def spec_of(catalog: Catalog, settings: Settings, asked: str | None) -> str:
    """Return the library's encoder, or the one a new library shall have."""
    made_with = catalog.encoder
    if made_with is None:
        return models.resolve(asked or settings.encoder, settings.device)
    if asked is not None and models.resolve(asked, settings.device) != made_with.spec:
        raise EncoderMismatch(
            f"this library was made with {made_with.spec}, not {asked}",
            hint=f"`photomap index --rebuild --encoder {asked}` encodes every photo anew; --library DIR keeps both",
        )
    return made_with.spec


def process(spec: str, settings: Settings) -> EncoderProcess:
    """Return the encoder process."""
    from photomap_cli.encoder.process import EncoderProcess  # not for a search that needs none

    return EncoderProcess(
        spec,
        device=settings.device,
        precision=settings.precision,
        may_pin=settings.pin_memory == "auto",
    )


def tower(catalog: Catalog, spec: str) -> TowerEncoder:
    """Return the text tower of a library's encoder."""

    def fingerprint() -> str:
        made_with = catalog.encoder
        return made_with.fingerprint if made_with else ""

    def read_probes() -> Probes | None:
        from photomap_cli.session import stored_probes  # not where this computer has checked them already

        return stored_probes.read(catalog.folder)

    return TowerEncoder(spec, fingerprint, read_probes)
