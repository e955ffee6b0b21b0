"""Owns the probes stored with a library: taken once PyTorch is loaded anyway, and read when it isn't."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from photomap_cli.encoder import tower_verification
from photomap_cli.encoder.image_probes import ImageProbes
from photomap_cli.encoder.probes import Probes
from photomap_cli.errors import EncoderMismatch, PhotomapError, TowerUnfit
from photomap_cli.framing import read_file, write_file
from photomap_cli.library.entities import IMAGE_PROBES_NAME, PROBES_NAME

if TYPE_CHECKING:
    from photomap_cli.encoder.encoder_route import EncoderRoutes
    from photomap_cli.encoder.interface import Encoder, Tower
    from photomap_cli.encoder.residency import Residency
    from photomap_cli.library.query_cache import QueryCache
    from photomap_cli.library.store import Facts

Kind = TypeVar("Kind", Probes, ImageProbes)


def read(library: Path) -> Probes | None:
    """Return the probes stored with a library; None if there are none or they are damaged."""
    return _read(library / PROBES_NAME, Probes)


def read_image(library: Path) -> ImageProbes | None:
    """Return the probe pictures stored with a library; None as `read`."""
    return _read(library / IMAGE_PROBES_NAME, ImageProbes)


def _read(path: Path, kind: type[Kind]) -> Kind | None:
    frame = read_file(path)
    return kind.from_frame(*frame) if frame else None


class ProbeTaker:
    """Stores the probes' vectors, once a session's encoder process is loaded; failure does no harm.

    If the image tower has already encoded photos of the library, before PyTorch could be compared with it, its vectors
    are compared now.

    Args:
        catalog: the library's content.
        residency: of the encoder process.
        routes: their towers are tried again afterwards.
        past: the vectors of past queries.
        spec: the encoder's spec string.
    """

    def __init__(
        self, catalog: Facts, residency: Residency, routes: EncoderRoutes, past: QueryCache, *, spec: str
    ) -> None:
        self._catalog, self._residency, self._routes, self._spec = catalog, residency, routes, spec
        self._past = past
        self._taken = ""
        self._checking: threading.Thread | None = None

    def take(self) -> None:
        """Store the probes if they aren't yet, and check the text tower against them, on a thread.

        The image tower is checked when it is first needed, as that takes a second; or now, if it has been used.  Raises
        EncoderMismatch if it has encoded photos differently from PyTorch.
        """
        info = self._residency.snapshot().info
        if info is None or info.fingerprint in ("", self._taken) or not self._routes.text.wants_probes:
            return
        self._taken = info.fingerprint
        with suppress(PhotomapError):
            texts = self._stored(PROBES_NAME, Probes)
            if texts is None and (texts := self._made("text", lambda encoder: encoder.probes())):
                self._store(PROBES_NAME, texts)
            if texts:
                self._check_texts(texts)
        if self._stored(IMAGE_PROBES_NAME, ImageProbes) is None:
            pictures = None
            with suppress(PhotomapError):
                pictures = self._made("image", lambda encoder: encoder.image_probes())
            if pictures:
                self._require_own_photos(pictures)
                self._store(IMAGE_PROBES_NAME, pictures)
        self._routes.start_afresh()

    def _stored(self, name: str, kind: type[Kind]) -> Kind | None:
        """Return the probes of this name, if they are of these weights."""
        kept = _read(self._catalog.folder / name, kind)
        return kept if kept and kept.fingerprint == self._taken else None

    def _made(self, tower: Tower, made: Callable[[Encoder], Kind | None]) -> Kind | None:
        return self._residency.run(tower, made)[0]

    def _store(self, name: str, probes: Kind) -> None:
        with suppress(OSError):  # the library is read-only
            write_file(self._catalog.folder / name, *probes.to_frame())

    def _check_texts(self, probes: Probes) -> None:
        if tower_verification.is_proven(probes.fingerprint):
            return
        if tower_verification.fault(probes.fingerprint) is None:
            self._checking = threading.Thread(target=self._agrees, args=(probes,), name="check-text-tower", daemon=True)
            self._checking.start()
        elif not self._agrees(probes):  # the image tower has been used
            self._past.clear()

    def _agrees(self, probes: Probes) -> bool:
        """Compare the text tower; if it is wrong, that is recorded, and the tower is released."""
        tower = self._routes.text.tower
        try:
            tower_verification.open_text_tower(probes.fingerprint, self._spec, lambda: probes)
        except TowerUnfit:
            if tower:
                tower.release()
            return False
        finally:
            self._routes.text.start_afresh()
        return True

    def _require_own_photos(self, probes: ImageProbes) -> None:
        """Raise EncoderMismatch if the image tower has encoded photos of the library differently from PyTorch."""
        made_with = self._catalog.encoder
        is_promised = tower_verification.expected_fingerprint(self._spec) == probes.fingerprint
        if not (self._catalog.photo_count and made_with and made_with.precision == "float32" and is_promised):
            return
        try:
            tower_verification.open_image_tower(probes.fingerprint, self._spec, lambda: None)  # as when it encoded them
            tower_verification.open_image_tower(probes.fingerprint, self._spec, lambda: probes)
        except TowerUnfit as error:
            raise EncoderMismatch(
                f"the library's photos were encoded without PyTorch, and wrongly: {error.message}",
                hint="`photomap index --rebuild` encodes all photos again",
            ) from error

    def close(self) -> None:
        """Wait for a running check, a second at most."""
        if self._checking:
            self._checking.join()
