"""Owns when a file was changed, and which file it is, as numbers that SQLite can hold.  Pure."""

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


def ctime_ns(info: os.stat_result) -> int:
    """Return when the system last changed anything of a file, cut as `mtime_ns`: nobody can put that time back.

    Some file systems have no such time of their own and show the one of the last change.
    """
    return max(-_LAST, min(info.st_ctime_ns, _LAST))


def inode(info: os.stat_result) -> int:
    """Return a file's number in its file system, as 64 bits with a sign; not every file system keeps it."""
    return (info.st_ino + 2**63) % 2**64 - 2**63
