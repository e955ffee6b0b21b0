"""Owns the probes that are stored with a library: taken where PyTorch is loaded anyway, read where it is not."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from photomap_cli.encoder import tower_trust
from photomap_cli.encoder.image_probes import ImageProbes
from photomap_cli.encoder.probes import Probes
from photomap_cli.errors import PhotomapError, TowerUnfit
from photomap_cli.framing import read_file, write_file
from photomap_cli.library.entities import IMAGE_PROBES_NAME, PROBES_NAME

if TYPE_CHECKING:
    from photomap_cli.encoder.encoder_route import EncoderRoutes
    from photomap_cli.encoder.residency import Residency


def read(library: Path) -> Probes | None:
    """Return the probes that are stored with a library; None where there are none, or they are damaged."""
    frame = read_file(library / PROBES_NAME)
    return Probes.from_frame(*frame) if frame else None


def read_image(library: Path) -> ImageProbes | None:
    """Return the probe pictures that are stored with the library; None as `read`."""
    frame = read_file(library / IMAGE_PROBES_NAME)
    return ImageProbes.from_frame(*frame) if frame else None


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
            self._take_texts(info.fingerprint)
            self._take_pictures(info.fingerprint)
        self._routes.start_afresh()

    def _take_texts(self, fingerprint: str) -> None:
        kept = read(self._library)
        if kept is None or kept.fingerprint != fingerprint:
            kept = self._residency.run("text", lambda encoder: encoder.probes())[0]
            if kept is None:
                return
            with suppress(OSError):  # a library that cannot be written to does without
                write_file(self._library / PROBES_NAME, *kept.to_frame())
        if tower_trust.fault(fingerprint) is None:
            self._checking = threading.Thread(target=self._check, args=(kept,), name="check-text-tower", daemon=True)
            self._checking.start()

    def _check(self, probes: Probes) -> None:
        with suppress(TowerUnfit):  # which is remembered
            tower_trust.open_text_tower(probes.fingerprint, self._spec, lambda: probes)
        self._routes.text.start_afresh()

    def close(self) -> None:
        """Wait for a check that is under way: a second at most."""
        if self._checking:
            self._checking.join()

    def _take_pictures(self, fingerprint: str) -> None:
        kept = read_image(self._library)
        if kept is None or kept.fingerprint != fingerprint:
            made = self._residency.run("image", lambda encoder: encoder.image_probes())[0]
            if made is not None:
                with suppress(OSError):
                    write_file(self._library / IMAGE_PROBES_NAME, *made.to_frame())
