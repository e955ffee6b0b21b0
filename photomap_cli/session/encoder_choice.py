"""Owns choosing a library's encoder: its spec string, its process, and the towers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from photomap_cli.encoder import models
from photomap_cli.encoder.tower_encoder import ImageTowerEncoder, TextTowerEncoder
from photomap_cli.errors import EncoderMismatch
from photomap_cli.library.entities import IMAGE_PROBES_NAME, PROBES_NAME

if TYPE_CHECKING:
    from photomap_cli.encoder.image_probes import ImageProbes
    from photomap_cli.encoder.interface import Encoder, Tower
    from photomap_cli.encoder.probes import Probes
    from photomap_cli.encoder.process import EncoderProcess
    from photomap_cli.library.store import Facts
    from photomap_cli.settings import Settings


def spec_of(catalog: Facts, settings: Settings, named: str | None) -> str:
    """Return the spec of the library's encoder, or of the one for a new library."""
    made_with = catalog.encoder
    if made_with is None:
        return models.resolve(named or settings.encoder, settings.device)
    if named is not None and models.resolve(named, settings.device) != made_with.spec:
        raise EncoderMismatch(
            f"this library was made with {made_with.spec}, not {named}",
            hint=f"`photomap index --rebuild --encoder {named}` encodes every photo again; --library DIR keeps both",
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


def towers(catalog: Facts, spec: str) -> dict[Tower, Encoder]:
    """Return the towers of a library's encoder, which encode words and a few pictures without PyTorch."""

    def fingerprint() -> str:
        if made_with := catalog.encoder:
            return made_with.fingerprint
        from photomap_cli.encoder import tower_verification  # not for a search, which loads it once a tower is opened

        return tower_verification.expected_fingerprint(spec)

    def text_probes() -> Probes | None:
        if not (catalog.folder / PROBES_NAME).exists():
            return None
        from photomap_cli.session import stored_probes  # not where there are none, or they have been checked here

        return stored_probes.read(catalog.folder)

    def image_probes() -> ImageProbes | None:
        if not (catalog.folder / IMAGE_PROBES_NAME).exists():
            return None
        from photomap_cli.session import stored_probes

        return stored_probes.read_image(catalog.folder)

    return {
        "text": TextTowerEncoder(spec, fingerprint, text_probes),
        "image": ImageTowerEncoder(spec, fingerprint, image_probes),
    }
