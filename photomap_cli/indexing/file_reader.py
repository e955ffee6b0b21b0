"""Owns reading a file in an index run: by the decoders, and if that fails, the RAW file beside it.  Counts nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from photomap_cli.errors import BadImage
from photomap_cli.images.decode import Decoded
from photomap_cli.images.preprocess import PixelFit

if TYPE_CHECKING:
    from photomap_cli.indexing.plan import Todo

    Outcome = tuple[Todo, Decoded | str]
    """A file with its picture, or the reason why there is none."""

PROBE = PixelFit((8, 8))
"""The pixel format used while no encoder is open, to see whether one is needed at all."""


class Decoder(Protocol):
    """Turns files into pixels; several threads use it at once."""

    def __enter__(self) -> object:
        """Do nothing."""

    def __exit__(self, *_exc: object) -> None:
        """End all its processes; safe to call twice."""

    def start(self, count: int, /) -> None:
        """Prepare for this many threads."""

    def decode(self, path: Path, fit: PixelFit, /) -> Decoded:
        """Read a picture file.  Raises BadImage, whose message is only the reason, and NoProcess."""


def decode_with_fallback(decoder: Decoder, todo: Todo, fit: PixelFit) -> list[Outcome]:
    """Decode a file, else the RAW file beside it, and return each outcome.  Any thread may call it."""
    outcome, instead = _decoded(decoder, todo, fit), todo.instead
    if isinstance(outcome, Decoded) or instead is None:
        return [(todo, outcome)]
    told = f"{outcome}; {os.path.basename(instead.file.path)} is taken instead"  # noqa: PTH119 - paths are text here
    if instead.is_suspect:
        return [(todo, told)]
    raw = _decoded(decoder, instead, fit)
    return [(todo, told if isinstance(raw, Decoded) else outcome), (instead, raw)]


def _decoded(decoder: Decoder, todo: Todo, fit: PixelFit) -> Decoded | str:
    try:
        return decoder.decode(Path(todo.file.path), fit)
    except BadImage as error:
        return error.message
