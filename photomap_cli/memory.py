"""Owns how much memory is available to programs, and to this one.  Light."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def available_memory() -> int | None:
    """Return the bytes of RAM available without swapping; None if unknown."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError, IndexError):  # not Linux
        return None


def require_address_space(needed: int) -> None:
    """Raise MemoryError unless this process may still reserve so many bytes of address space (`ulimit -v`).

    With less, OpenBLAS (in numpy and faiss) kills the process, by a signal or with exit status 1.
    """
    left = _address_space_left()
    if left is not None and left < needed:
        raise MemoryError(f"the limit on this process is {(needed - left) >> 10:,} kB too low")


def _address_space_left() -> int | None:
    with suppress(ImportError, OSError, ValueError):  # not Linux
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY:
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            return max(0, limit - pages * resource.getpagesize())
    return None
