"""Owns when a file was changed, as a number that SQLite can hold.  Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os

_LAST = 2**63 - 1  # nanoseconds: 11 April 2262; ext4 knows years up to 2446, and broken clocks reach them


def mtime_ns(info: os.stat_result) -> int:
    """Return the time of a file's last change in nanoseconds; what is beyond 64 bits is taken for their end.

    Everybody who compares a file's time with the catalogue's asks here, so that both are cut alike.
    """
    return max(-_LAST, min(info.st_mtime_ns, _LAST))
