"""Owns describing why a photo wasn't exported, and which errors end an export."""

# Paths are text here, as the library has them.
# ruff: noqa: PTH116

from __future__ import annotations

import errno
import os
import stat

from photomap_cli.library.paths import ELSEWHERE, is_elsewhere

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
"""Errors that every following photo would meet too."""

_REASONS = {
    errno.ENOENT: "it is not there any more",
    errno.EXDEV: "it is on another disk, and a hard link cannot lead there",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota of the disk is used up",
}


class Cancelled(Exception):
    """The user has cancelled."""


def reason(error: Exception) -> str:
    """Return the reason, without the path."""
    number = getattr(error, "errno", None)
    told = _REASONS.get(number or 0) or getattr(error, "strerror", None) or str(error)
    return told if not told[:2].istitle() else told[0].lower() + told[1:]


def require_photo(path: str) -> None:
    """Raise OSError unless a plain file, or a link to one, is at a photo's path."""
    if is_elsewhere(path):
        raise OSError(errno.EINVAL, ELSEWHERE, path)
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file", path)
