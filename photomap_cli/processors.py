"""Owns how many cores this program may keep busy: its share may be less than there are.  Light."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from math import ceil
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")


@cache
def usable() -> int:
    """Return how many cores this process may use, 1 at least: by its affinity and by its container's share of time."""
    return max(1, min(_allowed(), *quotas(Path("/proc/self/cgroup"), _GROUPS)))


def _allowed() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # not Linux
        return os.cpu_count() or 1


def quotas(own: Path, groups: Path) -> Iterator[int]:
    """Yield how many cores' time each control group around a process may have, rounded up; a large number for none.

    Args:
        own: the file that lists these groups, such as /proc/self/cgroup.
        groups: where they are mounted.
    """
    yield 1 << 20
    with suppress(OSError, ValueError):
        for line in own.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers and "cpu" not in controllers.split(","):
                continue
            group = groups / ("cpu" if controllers else "") / path.lstrip("/")
            for folder in (group, *group.parents):
                if folder == groups.parent:
                    break
                with suppress(OSError, ValueError, IndexError, ZeroDivisionError):
                    yield _quota(folder)


def _quota(group: Path) -> int:
    """Return a group's limit in cores.  Raises ValueError if it has none, OSError if it can't be read."""
    if (limit := group / "cpu.max").exists():
        share, period = map(int, limit.read_text().split()[:2])  # "max" is no limit
    else:
        share, period = (int((group / f"cpu.cfs_{name}_us").read_text()) for name in ("quota", "period"))
    if share <= 0:
        raise ValueError("no limit")
    return ceil(share / period)
