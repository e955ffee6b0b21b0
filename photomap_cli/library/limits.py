"""Owns how large a picture may be; measures memory, opens nothing."""

from __future__ import annotations

import os
from pathlib import Path

BYTES_PER_PIXEL = 12
"""What decoding takes at its worst: the picture as stored, as RGBA, and as RGB, at once."""

LEAST_MEGAPIXELS, MOST_MEGAPIXELS = 64.0, 1024.0


def default_max_megapixels() -> float:
    """Return the largest picture, in millions of pixels, for which half of the available memory is enough."""
    megapixels = _available_bytes() / 2 / BYTES_PER_PIXEL / 1e6
    return min(max(megapixels, LEAST_MEGAPIXELS), MOST_MEGAPIXELS)


def _available_bytes() -> int:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):  # not Linux
        return _installed_bytes() // 2


def _installed_bytes() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return 8 << 30
