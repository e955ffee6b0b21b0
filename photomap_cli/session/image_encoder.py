"""Owns adapting a session's encoders to the indexer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from photomap_cli.encoder import models
from photomap_cli.encoder.tower_encoder import MOST_PICTURES
from photomap_cli.errors import EncoderFailed, EncoderMismatch, TowerUnfit

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from photomap_cli.encoder.encoder_route import EncoderRoute
    from photomap_cli.encoder.residency import Residency
    from photomap_cli.images.preprocess import PixelFit
    from photomap_cli.settings import Settings


class ImageEncoder:
    """The indexer's view of the encoder: each batch is one use, so a long run keeps it in place and then releases it.

    Args:
        residency: where the encoder is.
        before_batch: called before each batch of background work, which doesn't count as a query; else None.
    """

    def __init__(self, residency: Residency, before_batch: Callable[[], None] | None = None) -> None:
        self._residency, self._before_batch = residency, before_batch
        residency.load("image", is_query=before_batch is None)
        info = residency.snapshot().info
        assert info is not None
        self.info = info

    def encode_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Encode a batch, (n, height, width, 3) uint8.  Returns (n, dim) float32, rows of unit length."""
        if self._before_batch is not None:
            self._before_batch()
        is_query = self._before_batch is None
        return self._residency.run("image", lambda encoder: encoder.encode_images(pixels), is_query=is_query)[0]


class LightImageEncoder(ImageEncoder):
    """The image tower, which is ready at once; another encoder once that turns out to be unfit.

    Args:
        tower: where it is.
        before_batch: see the base class.
        open_instead: opens the other one.
    """

    def __init__(
        self, tower: Residency, before_batch: Callable[[], None] | None, open_instead: Callable[[], ImageEncoder]
    ) -> None:
        super().__init__(tower, before_batch)
        self._open_instead = open_instead
        self._instead: ImageEncoder | None = None

    def encode_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Encode a batch, as the base class does."""
        if self._instead is None:
            try:
                return super().encode_images(pixels)
            except TowerUnfit:
                self._instead = self._open_instead()
        return self._instead.encode_images(pixels)


def light_image_encoder(
    route: EncoderRoute,
    settings: Settings,
    before_batch: Callable[[], None] | None,
    open_instead: Callable[[], ImageEncoder],
    count: int,
) -> ImageEncoder | None:
    """Return the image tower for the indexer, with the encoder process as its substitute.

    None if the tower can't be used, if there are so many pictures that the encoder process is faster, or if the
    settings ask for another device or precision than the tower's.
    """
    is_as_set = settings.device in {"auto", "cpu"} and settings.precision in {"auto", "float32"}
    if not is_as_set or count > MOST_PICTURES or route.tower is None or route.fault or not route.is_the_towers:
        return None
    try:
        encoder = LightImageEncoder(route.tower, before_batch, open_instead)
    except (EncoderFailed, EncoderMismatch):
        return None  # the encoder process will report what is wrong, if anything
    if count <= encoder.info.few_pictures:
        return encoder
    route.tower.release()
    return None


def expected_fit(spec: str) -> PixelFit | None:
    """Return the pixel format an encoder will probably take; None if unknown before it is loaded."""
    from photomap_cli.images.preprocess import PixelFit

    pictures = models.expected_pictures(spec)
    return PixelFit(*pictures) if pictures else None
