"""Owns the staging buffer: page-locked RAM through which batches are copied to a CUDA device.  Child process only."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

import torch

from photomap_cli.encoder import flat_buffer, pinned_memory

if TYPE_CHECKING:
    from torch import Tensor

HALF_BYTES = 8 << 20
LEAST_BYTES = 1 << 20
"""A smaller batch is copied directly, so a query never waits for RAM to be page-locked."""


class StagingBuffer:
    """A double buffer in RAM: one half is filled while the other is being copied to the device.

    It is allocated for the first batch that is large enough, has a fixed size, and is freed by `release`.  If RAM can't
    be page-locked, batches are copied directly.

    Args:
        device: where batches are copied to.
        half_bytes: size of each half.
    """

    def __init__(self, device: torch.device, half_bytes: int = HALF_BYTES) -> None:
        self._device, self._half_bytes = device, half_bytes
        self._buffer: Tensor | None = None
        self._halves: list[_Half] = []
        self._was_refused = False

    @property
    def nbytes(self) -> int:
        """Bytes of page-locked RAM that it holds."""
        return 0 if self._buffer is None else self._buffer.nbytes

    def to_device(self, items: Tensor) -> Tensor:
        """Return a copy of a batch on the device, in order with the current stream: it may still be under way."""
        if items.nbytes < LEAST_BYTES or not self._is_ready():
            return items.to(self._device)
        copy = torch.empty_like(items, device=self._device, memory_format=torch.contiguous_format)
        source, target = items.contiguous().view(-1).view(torch.uint8), copy.view(-1).view(torch.uint8)
        pieces = [slice(at, at + self._half_bytes) for at in range(0, len(source), self._half_bytes)]
        for piece, half in zip(pieces, cycle(self._halves), strict=False):
            half.send(source[piece], target[piece])
        return copy

    def release(self) -> None:
        """Wait for the copies under way, and free the RAM."""
        self._was_refused = False
        if self._buffer is None:
            return
        for half in self._halves:
            half.wait()
        if pinned_memory.unpin(self._buffer.data_ptr()):  # otherwise the driver may still use these pages
            self._buffer, self._halves = None, []

    def _is_ready(self) -> bool:
        """Return whether there is a buffer; allocate one unless that was refused since the last release."""
        if self._buffer is None and not self._was_refused:
            self._allocate()
        return self._buffer is not None

    def _allocate(self) -> None:
        try:
            buffer = flat_buffer.own_mapping(2 * self._half_bytes)
            is_pinned = pinned_memory.pin(buffer.data_ptr(), buffer.nbytes)
        except (OSError, ValueError):  # out of memory
            is_pinned = False
        self._was_refused = not is_pinned
        if is_pinned:
            self._buffer, self._halves = buffer, [_Half(part) for part in buffer.view(2, -1)]


class _Half:
    """Half of the buffer, and an event that tells when the device has read it."""

    def __init__(self, buffer: Tensor) -> None:
        self._buffer, self._copied = buffer, torch.cuda.Event()  # type: ignore[no-untyped-call]

    def send(self, piece: Tensor, place: Tensor) -> None:
        """Copy a piece into this half, and start copying it from there to its place on the device."""
        self.wait()
        part = self._buffer[: len(piece)]
        part.copy_(piece)
        place.copy_(part, non_blocking=True)
        self._copied.record()

    def wait(self) -> None:
        """Wait until the last copy to the device has ended, if there was one."""
        self._copied.synchronize()
