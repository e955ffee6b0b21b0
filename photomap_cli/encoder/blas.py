"""Owns what is known of the OpenBLAS that numpy brings, and how many threads its products use: one, for a text.

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

_WITH_SMALL_PRODUCTS = frozenset({b"SkylakeX", b"Cooperlake", b"SapphireRapids"})  # Zen 4 and 5 are among them

_one_at_a_time = threading.RLock()


class _OpenBlas(NamedTuple):
    get_threads: Callable[[], int]
    set_threads: Callable[[int], None]
    core: bytes  # the family of processors whose code it uses


@contextmanager
def one_thread() -> Iterator[None]:
    """Use one thread for products in the block if numpy brings its own OpenBLAS; else change nothing."""
    library = _openblas()
    if library is None:
        yield
        return
    with _one_at_a_time:
        before = library.get_threads()
        library.set_threads(1)
        try:
            yield
        finally:
            library.set_threads(before)


def has_small_products() -> bool:
    """Whether small products are computed without copying the matrices first."""
    library = _openblas()
    return library is not None and library.core in _WITH_SMALL_PRODUCTS


@cache
def _openblas() -> _OpenBlas | None:
    home = Path(np.__file__).parent
    for folder in (home.parent / "numpy.libs", home / ".dylibs"):
        for path in folder.glob("*openblas*"):
            for prefix, suffix in (("scipy_", "64_"), ("", "64_"), ("scipy_", ""), ("", "")):
                with suppress(OSError, AttributeError):
                    library = ctypes.CDLL(str(path))  # numpy has loaded it; this is the same one
                    core = getattr(library, f"{prefix}openblas_get_corename{suffix}")
                    core.restype = ctypes.c_char_p
                    return _OpenBlas(
                        getattr(library, f"{prefix}openblas_get_num_threads{suffix}"),
                        getattr(library, f"{prefix}openblas_set_num_threads{suffix}"),
                        core(),
                    )
    return None
