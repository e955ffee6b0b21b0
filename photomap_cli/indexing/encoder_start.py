"""Owns starting to encode: the encoder opens while the first pictures are being decoded.

No encoder opens for files that can't be read.  Of fewer files than a batch one must have been read first; with more it
opens at once, as PyTorch takes two seconds to start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from photomap_cli.images.decode import Decoded
from photomap_cli.images.preprocess import PixelFit
from photomap_cli.indexing.file_reader import PROBE, decode_with_fallback
from photomap_cli.indexing.prefetch import Prefetch, start_thread
from photomap_cli.indexing.read_ahead import ReadAhead
from photomap_cli.memory import require_address_space

if TYPE_CHECKING:
    import numpy as np

    from photomap_cli.indexing.file_reader import Decoder, Outcome
    from photomap_cli.indexing.plan import Todo
    from photomap_cli.records import EncoderInfo

    Pictures = Prefetch[Todo, list[Outcome]]
    """Files in order, each with the outcome of decoding it."""


_ADDRESS_SPACE = 700 << 20  # what faiss, threads and the weights of a small encoder take
_FILES_AHEAD = 4  # as a multiple of those being decoded: a slow disk answers meanwhile


class ImageEncoder(Protocol):
    """What turns pixels into vectors."""

    info: EncoderInfo

    def encode_images(self, pixels: np.ndarray) -> np.ndarray:
        """Encode pictures, (n, h, w, 3) uint8.  Returns (n, dim) float32, rows of unit length."""


@dataclass(frozen=True, slots=True)
class DecodeAhead:
    """How to decode ahead of the encoder: with `threads` threads, up to `limit` pictures."""

    pool: Decoder
    threads: int
    limit: int

    def pictures(self, todo: Sequence[Todo], fit: PixelFit, opened: ExitStack) -> Pictures:
        """Start decoding; closing `opened` ends it."""
        paths = (each.file.path for each in todo)
        disk = opened.enter_context(closing(ReadAhead(paths, self.threads + _FILES_AHEAD)))

        def decode_one(each: Todo) -> list[Outcome]:
            disk.next_begins()
            return decode_with_fallback(self.pool, each, fit)

        pictures = opened.enter_context(closing(Prefetch(decode_one, todo, threads=self.threads, limit=self.limit)))
        opened.enter_context(self.pool)  # closed before the threads, which would otherwise wait for running decodes
        return pictures


def start(
    todo: Sequence[Todo],
    open_encoder: Callable[[], ImageEncoder],
    expected_fit: PixelFit | None,
    ahead: DecodeAhead,
    opened: ExitStack,
    on_unreadable: Callable[[Todo, str], None],
    *,
    batch_size: int,
) -> tuple[ImageEncoder, Pictures] | None:
    """Open the encoder, decoding meanwhile; return it with the pictures, or None if no file can be read.

    Args:
        todo: the files to decode.
        open_encoder: takes seconds; called on a thread that isn't waited for after an interrupt.
        expected_fit: the encoder's probable pixel format; None to decode only once it is known.
        ahead: how to decode.
        opened: ends the decoding in any case.
        on_unreadable: called with the files before the first that can be read, and why they can't.
        batch_size: for so many files the encoder opens before one is read.

    Raises:
        MemoryError: the limit on this process is too low for numpy's and faiss's libraries.
    """
    require_address_space(_ADDRESS_SPACE)
    opening = start_thread(open_encoder, "open-encoder") if len(todo) >= batch_size else None
    first_ahead = ahead if expected_fit else replace(ahead, threads=1, limit=1)
    pictures = first_ahead.pictures(todo, expected_fit or PROBE, opened)
    first = _first_readable(pictures, on_unreadable)
    if first is None:
        return None
    encoder = (opening or start_thread(open_encoder, "open-encoder")).result()
    fit = PixelFit.of(encoder.info)
    if fit == expected_fit:
        pictures.put_back(*first)
        return encoder, pictures
    pictures.close()  # the decode processes stay
    return encoder, ahead.pictures(todo[todo.index(first[0]) :], fit, opened)


def _first_readable(
    pictures: Pictures, on_unreadable: Callable[[Todo, str], None]
) -> tuple[Todo, list[Outcome]] | None:
    for each, outcomes in pictures:
        if any(isinstance(outcome, Decoded) for _, outcome in outcomes):
            return each, outcomes
        for one, outcome in outcomes:
            on_unreadable(one, str(outcome))
    return None
