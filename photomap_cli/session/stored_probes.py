"""Owns the probes that are stored with a library: taken where PyTorch is loaded anyway, read where it is not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from photomap_cli.encoder import tower_trust
from photomap_cli.encoder.image_probes import ImageProbes
from photomap_cli.encoder.probes import Probes
from photomap_cli.errors import PhotomapError, TowerUnfit
from photomap_cli.framing import read_file, write_file
from photomap_cli.library.entities import IMAGE_PROBES_NAME, PROBES_NAME

if TYPE_CHECKING:
    from photomap_cli.encoder.encoder_route import EncoderRoutes
    from photomap_cli.encoder.interface import Encoder, Tower
    from photomap_cli.encoder.residency import Residency

Kind = TypeVar("Kind", Probes, ImageProbes)


def read(library: Path) -> Probes | None:
    """Return the probes that are stored with a library; None where there are none, or they are damaged."""
    return _read(library / PROBES_NAME, Probes)


def read_image(library: Path) -> ImageProbes | None:
    """Return the probe pictures that are stored with the library; None as `read`."""
    return _read(library / IMAGE_PROBES_NAME, ImageProbes)


def _read(path: Path, kind: type[Kind]) -> Kind | None:
    frame = read_file(path)
    return kind.from_frame(*frame) if frame else None


class ProbeTaker:
    """Stores what a session's encoder process, loaded as it is, makes of the probes: once, and nothing hangs on it.

    Args:
        library: its folder.
        residency: of the encoder process.
        routes: whose towers are tried again after that.
        spec: the encoder's spec string.
    """

    def __init__(self, library: Path, residency: Residency, routes: EncoderRoutes, *, spec: str) -> None:
        self._library, self._residency, self._routes, self._spec = library, residency, routes, spec
        self._taken = ""
        self._checking: threading.Thread | None = None

    def take(self) -> None:
        """Store the probes, unless that has been done, and have the text tower checked by them, on a thread.

        The image tower is checked once it is wanted, as that takes a second.
        """
        info = self._residency.snapshot().info
        if info is None or info.fingerprint in ("", self._taken) or not self._routes.text.wants_probes:
            return
        self._taken = info.fingerprint
        with suppress(PhotomapError):
            texts = self._stored(PROBES_NAME, Probes, "text", lambda encoder: encoder.probes())
            if texts and tower_trust.fault(info.fingerprint) is None:
                self._checking = threading.Thread(
                    target=self._check, args=(texts,), name="check-text-tower", daemon=True
                )
                self._checking.start()
            self._stored(IMAGE_PROBES_NAME, ImageProbes, "image", lambda encoder: encoder.image_probes())
        self._routes.start_afresh()

    def _stored(self, name: str, kind: type[Kind], tower: Tower, made: Callable[[Encoder], Kind | None]) -> Kind | None:
        """Return the probes of this name, made now if those that are stored are of other weights, or there are none."""
        path = self._library / name
        kept = _read(path, kind)
        if kept is None or kept.fingerprint != self._taken:
            kept = self._residency.run(tower, made)[0]
            if kept is not None:
                with suppress(OSError):  # a library that cannot be written to does without
                    write_file(path, *kept.to_frame())
        return kept

    def _check(self, probes: Probes) -> None:
        with suppress(TowerUnfit):  # which is remembered
            tower_trust.open_text_tower(probes.fingerprint, self._spec, lambda: probes)
        self._routes.text.start_afresh()

    def close(self) -> None:
        """Wait for a check that is under way: a second at most."""
        if self._checking:
            self._checking.join()
