"""Owns estimating the speed of an index run: it decodes and encodes a sample of photos, and stores nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from photomap_cli.errors import BadImage
from photomap_cli.images.decode_pool import DecodePool
from photomap_cli.images.preprocess import PixelFit
from photomap_cli.indexing.index_options import JOBS
from photomap_cli.indexing.prefetch import Prefetch

if TYPE_CHECKING:
    from photomap_cli.indexing.encoder_start import ImageEncoder


def photos_per_second(
    sample: Sequence[Path],
    open_encoder: Callable[[], ImageEncoder],
    *,
    max_megapixels: float | None,
    clock: Callable[[], float] = time.monotonic,
) -> float:
    """Return how many of these photos are decoded and encoded per second with the encoder loaded; 0 if none can be."""
    with DecodePool(max_megapixels=max_megapixels) as pool:
        pool.start(min(JOBS, len(sample)))  # they start while the encoder loads
        encoder = open_encoder()
        fit = PixelFit.of(encoder.info)

        def pixels_of(path: Path) -> np.ndarray | None:
            try:
                return pool.decode(path, fit).pixels
            except BadImage:
                return None

        began = clock()
        with closing(Prefetch(pixels_of, sample, threads=JOBS, limit=len(sample))) as decoded:
            pictures = [pixels for _, pixels in decoded if pixels is not None]
        if not pictures:
            return 0.0
        encoder.encode_images(np.stack(pictures))
        return len(sample) / (clock() - began)
