"""Owns the limits on a picture's size and a process's memory; opens nothing."""

from __future__ import annotations

import os
import sys

from photomap_cli.memory import available_memory

BYTES_PER_PIXEL = 12
"""Bytes per pixel in the worst case: the picture as stored, as RGBA and as RGB at once."""

LEAST_MEGAPIXELS, MOST_MEGAPIXELS = 64.0, 1024.0

HEADROOM_BYTES = 1 << 30
"""Address space of a decode process besides pictures: the interpreter, libraries, thread stacks."""


def default_max_megapixels() -> float:
    """Return the largest picture, in millions of pixels, for which half of the available memory is enough."""
    available = available_memory()
    megapixels = (_installed_bytes() / 2 if available is None else available) / 2 / BYTES_PER_PIXEL / 1e6
    return min(max(megapixels, LEAST_MEGAPIXELS), MOST_MEGAPIXELS)


def limit_memory(megapixels: float) -> None:
    """Limit this process to what a picture of this size needs in the worst case.  Linux only.

    The header's size was checked before; this is for headers that lie, and for data packed besides the pixels.
    """
    if sys.platform != "linux":  # Windows has no such limit, and macOS counts what every process maps
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_AS)
    wanted = HEADROOM_BYTES + int(megapixels * 1e6) * BYTES_PER_PIXEL
    resource.setrlimit(resource.RLIMIT_AS, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))


def no_core_dumps() -> None:
    """Keep this process from writing a core dump when it crashes."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _installed_bytes() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return 8 << 30
