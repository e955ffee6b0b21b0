"""Owns the start of encoding: the encoder is opened while the first pictures are already decoded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from photomap_cli.images.preprocess import PixelFit
from photomap_cli.indexing.file_reader import tried
from photomap_cli.indexing.prefetch import Prefetch, begun
from photomap_cli.indexing.read_ahead import ReadAhead

if TYPE_CHECKING:
    import numpy as np

    from photomap_cli.indexing.file_reader import Decoder, Outcome
    from photomap_cli.indexing.plan import Todo
    from photomap_cli.records import EncoderInfo

    Pictures = Prefetch[Todo, list[Outcome]]
    """Files in order, with what came of decoding each."""


_FILES_AHEAD = 4  # of those that are being decoded: a slow disk answers while these are


class ImageEncoder(Protocol):
    """What turns pixels into vectors."""

    info: EncoderInfo

    def encode_images(self, pixels: np.ndarray) -> np.ndarray:
        """Encode pictures, (n, h, w, 3) uint8.  Returns (n, dim) float32, rows of unit length."""


@dataclass(frozen=True, slots=True)
class DecodeAhead:
    """How pictures are decoded ahead of the encoder: by `threads` threads, up to `limit` pictures."""

    pool: Decoder
    threads: int
    limit: int

    def pictures(self, todo: Sequence[Todo], fit: PixelFit, opened: ExitStack) -> Pictures:
        """Begin to decode; `opened` ends that."""
        paths = (each.file.path for each in todo)
        disk = opened.enter_context(closing(ReadAhead(paths, self.threads + _FILES_AHEAD)))

        def decode_one(each: Todo) -> list[Outcome]:
            disk.next_begins()
            return tried(self.pool, each, fit)

        pictures = opened.enter_context(closing(Prefetch(decode_one, todo, threads=self.threads, limit=self.limit)))
        opened.enter_context(self.pool)  # closed before the threads, which would wait for what is being decoded
        return pictures


def start(
    todo: Sequence[Todo],
    open_encoder: Callable[[], ImageEncoder],
    expected_fit: PixelFit | None,
    ahead: DecodeAhead,
    opened: ExitStack,
) -> tuple[ImageEncoder, Pictures]:
    """Open the encoder, and decode meanwhile.

    Args:
        todo: the files to decode.
        open_encoder: takes seconds; called on a thread, which nobody waits for who is interrupted meanwhile.
        expected_fit: what the encoder will probably take; None to decode only once that is known.
        ahead: how to decode.
        opened: ends the decoding, in whatever way this goes.
    """
    opening = begun(open_encoder, "open-encoder")
    pictures = ahead.pictures(todo, expected_fit, opened) if expected_fit else None
    encoder = opening.result()
    fit = PixelFit.of(encoder.info)
    if pictures is None or fit != expected_fit:
        opened.pop_all().close()
        pictures = ahead.pictures(todo, fit, opened)
    return encoder, pictures
