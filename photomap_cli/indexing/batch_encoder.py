"""Owns grouping decoded pictures into batches and encoding them: how large a batch is, and whose vector is whose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, chain
from typing import TYPE_CHECKING

import numpy as np

from photomap_cli.errors import EncoderFailed
from photomap_cli.images.decode import Decoded

if TYPE_CHECKING:
    from photomap_cli.indexing.encoder_start import ImageEncoder, Pictures
    from photomap_cli.indexing.plan import Todo

COMMIT_SECONDS = 2.0
"""The most work an interruption may lose, in seconds: batches shrink until one takes no longer."""

LARGER_ON_GPU = 4
"""How many times as large batches become on a GPU that decoders are ahead of."""


class BatchEncoder:
    """Encodes pictures in batches, which adapt to the speed of the encoder.

    Args:
        size: pictures of a batch.
        clock: in seconds.
    """

    def __init__(self, size: int, clock: Callable[[], float]) -> None:
        self._size = self._largest = size
        self._clock = clock
        self._most_in_time = 1 << 30  # pictures that are encoded within COMMIT_SECONDS

    def enlarge(self) -> int:
        """Allow larger batches, as a GPU encodes; return their size."""
        self._largest = LARGER_ON_GPU * self._size
        return self._largest

    def of(self, decoded: Pictures, on_failure: Callable[[Todo, str], None]) -> Iterator[list[tuple[Todo, Decoded]]]:
        """Group pictures until there are enough or two seconds have passed; empty if all of them failed.

        A GPU gets more than enough if they are decoded already: then it is what the run waits for.
        `on_failure` is called with each file that couldn't be decoded, and the reason.
        """
        batch: list[tuple[Todo, Decoded]] = []
        since, waiting = self._clock(), 0
        for todo, outcome in chain.from_iterable(outcomes for _, outcomes in decoded):
            waiting += 1
            if isinstance(outcome, Decoded):
                batch.append((todo, outcome))
            else:
                on_failure(todo, outcome)
            enough = self._largest if decoded.is_ready else self._size
            if len(batch) >= min(enough, self._most_in_time) or self._clock() - since >= COMMIT_SECONDS:
                yield batch
                batch, since, waiting = [], self._clock(), 0
        if waiting:
            yield batch

    def encode(self, encoder: ImageEncoder, pictures: Sequence[Decoded]) -> dict[bytes, np.ndarray]:
        """Return each picture's vector and those of its sides by digest, (1 or 3, dim); note how many take two seconds.

        Raises EncoderFailed if the encoder returns an array of another shape.
        """
        if not pictures:
            return {}
        began = self._clock()
        views = [view for decoded in pictures for view in decoded.views]
        pieces = (views[at : at + self._largest] for at in range(0, len(views), self._largest))  # panoramas have three
        vectors = np.concatenate([encoder.encode_images(np.stack(piece)) for piece in pieces])
        if vectors.shape != (len(views), encoder.info.dim):
            raise EncoderFailed(f"the encoder answered {len(views)} pictures with an array of {vectors.shape}")
        seconds_each = (self._clock() - began) / len(pictures)
        if seconds_each > 0:
            self._most_in_time = max(1, int(COMMIT_SECONDS / seconds_each))
        ends = accumulate(len(decoded.views) for decoded in pictures)
        return {each.digest: vectors[end - len(each.views) : end] for each, end in zip(pictures, ends, strict=True)}
