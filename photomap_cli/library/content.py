"""Owns telling files by what is in them: the digest of a file's bytes.  Decodes nothing."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import BufferedIOBase

DIGEST_BYTES = 16
"""Of SHA-256, which the CPU does itself: 1.8 GB/s where BLAKE2b does 0.9.  Half of it tells 10^12 files apart."""

_CHUNK_BYTES = 4 << 20  # 2 ms
_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def digest(file: BufferedIOBase) -> bytes:
    """Return the digest of an open file from where it stands to its end."""
    return hashlib.file_digest(file, "sha256").digest()[:DIGEST_BYTES]


def digest_at(path: str, checkpoint: Callable[[], None] | None = None) -> bytes | None:
    """Return the digest of the file at a path; None where it cannot be read.  Any thread may; waits for no pipe.

    `checkpoint` is called now and then; what it raises ends the reading.
    """
    try:
        with open(os.open(path, _OPEN_FLAGS), "rb") as file:  # noqa: PTH123 - of a descriptor
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            return digest(file) if checkpoint is None else _digest_in_chunks(file, checkpoint)
    except OSError:
        return None


def _digest_in_chunks(file: BufferedIOBase, checkpoint: Callable[[], None]) -> bytes:
    found = hashlib.sha256()
    while chunk := file.read(_CHUNK_BYTES):
        checkpoint()
        found.update(chunk)
    return found.digest()[:DIGEST_BYTES]
