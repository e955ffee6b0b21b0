"""Owns how large a picture may be, and how much memory one process may take for it; opens nothing."""

from __future__ import annotations

import os
import sys

from photomap_cli.memory import available_memory

BYTES_PER_PIXEL = 12
"""What decoding takes at its worst: the picture as stored, as RGBA, and as RGB, at once."""

LEAST_MEGAPIXELS, MOST_MEGAPIXELS = 64.0, 1024.0

HEADROOM_BYTES = 1 << 30
"""Address space that a decode process takes beside its pictures: the interpreter, libraries, threads' stacks."""


def default_max_megapixels() -> float:
    """Return the largest picture, in millions of pixels, for which half of the available memory is enough."""
    available = available_memory()
    megapixels = (_installed_bytes() / 2 if available is None else available) / 2 / BYTES_PER_PIXEL / 1e6
    return min(max(megapixels, LEAST_MEGAPIXELS), MOST_MEGAPIXELS)


def limit_memory(megapixels: float) -> None:
    """Let this process have what a picture of this size needs at its worst, and no more.  On Linux alone.

    The size by the header is looked at before; this is for headers that lie, and for what is packed beside the pixels.
    """
    if sys.platform != "linux":  # Windows has no such limit, and macOS counts what every process maps
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_AS)
    wanted = HEADROOM_BYTES + int(megapixels * 1e6) * BYTES_PER_PIXEL
    resource.setrlimit(resource.RLIMIT_AS, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))


def no_core_dumps() -> None:
    """Keep a crash of this process from writing its memory to the disk."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _installed_bytes() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return 8 << 30
