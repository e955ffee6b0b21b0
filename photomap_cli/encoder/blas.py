"""Owns how many threads numpy's matrix products use: one, for a text.

For a few rows memory speed is the limit; on two shared cores, OpenBLAS's waiting threads made a text
two to six times slower.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

_one_at_a_time = threading.RLock()


class _Threads(NamedTuple):
    get: Callable[[], int]
    set: Callable[[int], None]


@contextmanager
def one_thread() -> Iterator[None]:
    """Use one thread for products in the block if numpy brings its own OpenBLAS; else change nothing."""
    threads = _openblas()
    if threads is None:
        yield
        return
    with _one_at_a_time:
        before = threads.get()
        threads.set(1)
        try:
            yield
        finally:
            threads.set(before)


@cache
def _openblas() -> _Threads | None:
    home = Path(np.__file__).parent
    for folder in (home.parent / "numpy.libs", home / ".dylibs"):
        for path in folder.glob("*openblas*"):
            for prefix, suffix in (("scipy_", "64_"), ("", "64_"), ("scipy_", ""), ("", "")):
                with suppress(OSError, AttributeError):
                    library = ctypes.CDLL(str(path))  # numpy has loaded it; this is the same one
                    return _Threads(
                        getattr(library, f"{prefix}openblas_get_num_threads{suffix}"),
                        getattr(library, f"{prefix}openblas_set_num_threads{suffix}"),
                    )
    return None
