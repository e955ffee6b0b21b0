"""Owns renaming a file to a free name in one step, so that no other file is overwritten."""

# Paths are text here, as the library has them.
# ruff: noqa: PTH104, PTH108

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Callable
from functools import cache

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_RENAME_EXCL = 4  # macOS's name for it
_UNKNOWN_CALL = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP})
_NO_LINKS = frozenset({errno.EPERM, errno.EMLINK, *_UNKNOWN_CALL})


def rename(source: str, target: str) -> None:
    """Rename a file on its file system.  Raises FileExistsError if the name is taken by anything; OSError.

    On a file system with neither such a rename nor hard links, the name is checked first: a file that takes it at
    that very moment is lost.
    """
    code = _call()(os.fsencode(source), os.fsencode(target))
    if not code:
        return
    if code not in _UNKNOWN_CALL:
        raise OSError(code, os.strerror(code), source, None, target)
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _rename_after_a_look(source, target)
    else:
        os.unlink(source)


def _rename_after_a_look(source: str, target: str) -> None:
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
    os.rename(source, target)


@cache
def _call() -> Callable[[bytes, bytes], int]:
    """Return the system's rename that replaces nothing; it returns an errno, 0 for success."""
    try:
        if sys.platform == "darwin":
            renamex = ctypes.CDLL(None, use_errno=True).renamex_np
            return lambda source, target: _errno_of(renamex(source, target, _RENAME_EXCL))
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):  # another system, or a C library without it
        return lambda _source, _target: errno.ENOSYS
    return lambda source, target: _errno_of(renameat2(_AT_FDCWD, source, _AT_FDCWD, target, _RENAME_NOREPLACE))


def _errno_of(status: int) -> int:
    return ctypes.get_errno() if status else 0
