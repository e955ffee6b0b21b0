"""Owns the batch size on a device, by the memory that an item takes and that is free.  Child process only.

Other programs share the GPU, so the free memory is read before each batch, and only a part of it is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

FREE_MEMORY_DIVISOR = 4
"""A batch uses at most the free memory divided by this."""

FIRST_BATCH = 8
"""Size of the first batch, which is measured.  It includes what every batch needs, so it overestimates an item."""

_UNKNOWN = 1 << 60  # stands for the free memory of a device that doesn't report it


@dataclass(slots=True)
class _Usage:
    """Memory per item, in bytes: measured with the largest batch so far, and inferred from batches that failed."""

    measured: int = 0
    measured_with: int = 0
    inferred: int = 0

    @property
    def per_item(self) -> int:
        return max(self.measured, self.inferred)


class BatchSizer:
    """Batch sizes for each tower.  Only CUDA reports free memory; elsewhere sizes only shrink, after a failure."""

    def __init__(self) -> None:
        self._usages: dict[str, _Usage] = {}

    def next_size(self, tower: str, wanted: int, device: torch.device) -> int:
        """Return how many of the wanted items to encode at once: at least 1."""
        usage = self._usage(tower)
        if wanted < 2:
            return wanted
        if not usage.per_item:
            return min(wanted, FIRST_BATCH) if device.type == "cuda" else wanted
        return max(1, min(wanted, _free_bytes(device) // FREE_MEMORY_DIVISOR // usage.per_item))

    @contextmanager
    def measuring(self, tower: str, count: int, device: torch.device) -> Iterator[None]:
        """Measure the peak of memory while a `with` block encodes `count` items, unless a larger batch was measured."""
        usage = self._usage(tower)
        if device.type != "cuda" or count < 2 or count < usage.measured_with:
            yield
            return
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        yield
        used = torch.cuda.max_memory_allocated(device) - before
        usage.measured, usage.measured_with = -(-used // count), count

    def failed(self, tower: str, count: int, device: torch.device) -> int:
        """Raise the estimate after `count` items ran out of memory; return the size to try next, half of it."""
        usage, half = self._usage(tower), -(-count // 2)
        usage.inferred = max(usage.inferred, _free_bytes(device) // FREE_MEMORY_DIVISOR // half)
        return half

    def forget_failures(self) -> None:
        """Use the measured memory alone again."""
        for usage in self._usages.values():
            usage.inferred = 0

    def _usage(self, tower: str) -> _Usage:
        return self._usages.setdefault(tower, _Usage())


def _free_bytes(device: torch.device) -> int:
    """Return what this process could still allocate: free on the device, or reserved by torch and unused."""
    if device.type != "cuda":
        return _UNKNOWN
    free, _ = torch.cuda.mem_get_info(device)
    return int(free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))
