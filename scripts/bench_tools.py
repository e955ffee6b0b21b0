"""Tools for the benchmarks of the library: separate processes, timing, memory, the page cache."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from photomap_cli.vectors.store import VectorStore


def fresh(function: Callable[..., dict[str, Any]], *given: Any) -> dict[str, Any]:
    """Call a function in a new process, and return its result."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(function, *given).result()


@contextmanager
def opened(folder: Path) -> Iterator[VectorStore]:
    """Open the vector store of the library in a folder."""
    from photomap_cli.library.catalog import Catalog  # not in a process with torch, which must not load faiss too
    from photomap_cli.vectors.store import VectorStore

    with Catalog.open(folder / "library") as catalog, VectorStore(catalog.folder, catalog) as store:
        yield store


def forget(file: Path) -> bool:
    """Ask the system to drop a file from its page cache; return whether that is possible here."""
    if not hasattr(os, "posix_fadvise"):
        return False
    with file.open("rb") as content:
        os.fdatasync(content.fileno())
        os.posix_fadvise(content.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return True


def timed(work: Callable[[], object]) -> float:
    """Return the milliseconds of one call."""
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)


def percentiles(name: str, taken: list[float]) -> dict[str, float]:
    """Return the median and the 95th percentile, as `NAME, p50` and `NAME, p95`."""
    return {f"{name}, p50": statistics.median(taken), f"{name}, p95": float(np.percentile(taken, 95))}


def memory(what: str) -> float:
    """Return a line of this process's /proc status in MB; NaN on other systems than Linux."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return float("nan")
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(what)), float("nan"))
