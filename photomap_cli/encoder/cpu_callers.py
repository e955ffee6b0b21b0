"""Owns how a batch is spread over the cores of a CPU.  Child process only.

A product of matrices that several threads share ends when the last of them does.  Beside decoders that want the cores
too one of them is late each time, and the others wait; so pictures are shared out instead, to callers of one thread.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import torch

from photomap_cli import processors

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

FEWEST_PICTURES = 4
"""What a caller gets at least: of a ViT-B-32-256 in bfloat16 four take as long each as 32, one alone a third longer."""


class Callers:
    """As many callers as this process may use cores, each on a thread of its own; tests give a number of `cores`."""

    def __init__(self, cores: int | None = None) -> None:
        self._cores = cores or min(torch.get_num_threads(), processors.usable())
        torch.set_num_threads(self._cores)
        self._threads: ThreadPoolExecutor | None = None
        self._shares: tuple[int, int] = (0, 0)  # how many callers there are, and how many threads each has

    def run(self, forward: Callable[[Tensor], NDArray[np.float32]], items: Tensor) -> NDArray[np.float32]:
        """Return what `forward` makes of the items, in their order; few of them are one call of all cores."""
        callers = min(self._cores, len(items) // FEWEST_PICTURES)
        if callers < 2:
            return forward(items)
        pool = self._pool(callers)
        return np.concatenate(list(pool.map(forward, torch.tensor_split(items, callers))))

    def _pool(self, callers: int) -> ThreadPoolExecutor:
        shares = callers, self._cores // callers
        if self._threads is None or shares != self._shares:
            if self._threads is not None:
                self._threads.shutdown()
            self._threads = ThreadPoolExecutor(callers, "encoder", torch.set_num_threads, (shares[1],))
            self._shares = shares
        return self._threads
