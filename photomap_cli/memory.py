"""Owns how much memory is available to programs.  Light."""

from __future__ import annotations

from pathlib import Path


def available_memory() -> int | None:
    """Return the bytes of RAM available without swapping; None if unknown."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError, IndexError):  # not Linux
        return None
