"""Has a test that runs as root obey what files and folders allow, as everybody else has to."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_VERSION_3 = 0x20080522
_OVERRIDE, _READ_SEARCH = 1 << 1, 1 << 2  # of Linux's capabilities: write anywhere, read anything


@contextmanager
def obeyed() -> Iterator[None]:
    """Give up root's right to read and write everything, for this thread and those it starts, for a while."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        yield
        return
    if sys.platform != "linux":
        pytest.skip("root may read and write everything; only Linux lets it give that up")
    libc = ctypes.CDLL(None, use_errno=True)
    header, rights = (ctypes.c_uint32 * 2)(_VERSION_3, 0), (ctypes.c_uint32 * 6)()
    if libc.capget(header, rights):
        pytest.skip("root's rights cannot be read")
    effective = rights[0]
    rights[0] = effective & ~(_OVERRIDE | _READ_SEARCH)
    if libc.capset(header, rights):
        pytest.skip("root's rights cannot be given up")
    try:
        yield
    finally:
        rights[0] = effective
        libc.capset(header, rights)
