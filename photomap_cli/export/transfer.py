"""Owns bringing a file to a free name: copied, linked, cloned or moved; completely or not at all.

Every way raises FileExistsError if the name is taken, another OSError if it fails, and then leaves the
original alone.
"""

# Paths are text here, as the library has them.
# ruff: noqa: PTH101, PTH108, PTH114, PTH115, PTH116, PTH118, PTH120, PTH211

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from photomap_cli import files, no_replace

if TYPE_CHECKING:
    from io import BufferedReader

    Checkpoint = Callable[[], None]

CHUNK_BYTES = 4 << 20
DRAFT_PREFIX, DRAFT_SUFFIX = ".photomap-", ".part"
_FICLONE = 0x40049409  # _IOW(0x94, 9, int)


class Changed(OSError):
    """The file was written to while it was read."""

    def __init__(self, path: str) -> None:
        super().__init__(errno.EAGAIN, "it was changed meanwhile", path)


def copy(source: str, target: str, checkpoint: Checkpoint) -> None:
    """Copy a file with its times and mode."""
    with files.reading(source) as original, draft(target) as (number, name):
        _write(original, number, checkpoint)
        _finish(source, number, name)
        no_replace.rename(name, target)


def reflink(source: str, target: str, checkpoint: Checkpoint) -> bool:
    """Clone a file, sharing its blocks until one of the two changes; copy it and return False if that fails."""
    with files.reading(source) as original, draft(target) as (number, name):
        is_shared = clone(original.fileno(), number)
        if not is_shared:
            _write(original, number, checkpoint)
        _finish(source, number, name)
        no_replace.rename(name, target)
    return is_shared


def link(source: str, target: str) -> None:
    """Make a symbolic link to a photo's absolute path."""
    os.symlink(source, target)


def hard_link(source: str, target: str) -> None:
    """Make a hard link to a file, or to what a link leads to."""
    os.link(os.path.realpath(source), target)


def move(source: str, target: str, checkpoint: Checkpoint) -> None:
    """Move a file; to another file system, copy it, verify that the copy is complete and on disk, and remove it."""
    if os.path.islink(source):
        _move_link(source, target)
        return
    try:
        no_replace.rename(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _move_across(source, target, checkpoint)


def _move_link(source: str, target: str) -> None:
    """Move a link; a relative link becomes absolute."""
    folder = os.path.realpath(os.path.dirname(source))
    os.symlink(os.path.join(folder, os.readlink(source)), target)
    _remove(source, target)


def _move_across(source: str, target: str, checkpoint: Checkpoint) -> None:
    with files.reading(source) as original:
        before = state(original)
        with draft(target) as (number, name):
            written = _write(original, number, checkpoint)
            _finish(source, number, name)
            if _digest(number, checkpoint) != written:
                raise OSError(errno.EIO, "the copy is not as the original", source)
            no_replace.rename(name, target)
        files.sync_folder(os.path.dirname(target))
        is_same = os.path.samestat(os.fstat(original.fileno()), os.lstat(source))
        if not is_same or state(original) != before:
            os.unlink(target)
            raise Changed(source)
    _remove(source, target)


def _remove(source: str, target: str) -> None:
    """Remove the original of a file that is now at `target`; if that fails, remove the new one."""
    try:
        os.unlink(source)
    except OSError:
        os.unlink(target)
        raise


@contextmanager
def draft(target: str) -> Iterator[tuple[int, str]]:
    """Yield a new file beside `target`, as a descriptor and a path; it is removed unless renamed."""
    number, name = tempfile.mkstemp(DRAFT_SUFFIX, DRAFT_PREFIX, os.path.dirname(target))
    try:
        lock(number)
        yield number, name
    finally:
        os.close(number)
        with suppress(FileNotFoundError):
            os.unlink(name)


def lock(number: int) -> bool:
    """Lock a draft as long as it is open; returns whether nobody else holds it."""
    try:
        import fcntl
    except ImportError:  # Windows doesn't remove open files
        return True
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: only its age tells
        return True
    return True


def _write(original: BufferedReader, number: int, checkpoint: Checkpoint) -> bytes:
    """Copy a file into a draft; return the digest of its bytes.  Raises Changed if it is written to meanwhile."""
    before, digest = state(original), hashlib.sha256()
    while chunk := original.read(CHUNK_BYTES):
        checkpoint()
        digest.update(chunk)
        write_all(number, chunk)
    if state(original) != before:
        raise Changed(str(original.name))
    return digest.digest()


def write_all(number: int, data: bytes) -> None:
    """Write all bytes."""
    left = memoryview(data)
    while left:
        left = left[os.write(number, left) :]


def _digest(number: int, checkpoint: Checkpoint) -> bytes:
    digest = hashlib.sha256()
    os.lseek(number, 0, os.SEEK_SET)
    while chunk := os.read(number, CHUNK_BYTES):
        checkpoint()
        digest.update(chunk)
    return digest.digest()


def _finish(source: str, number: int, name: str) -> None:
    """Flush a draft to disk, with the original's times and mode as far as the file system keeps them."""
    with suppress(OSError):
        shutil.copystat(source, name)
    with suppress(OSError):
        os.chmod(name, stat.S_IMODE(os.stat(source).st_mode) & 0o777)
    os.fsync(number)


def state(file: BufferedReader) -> tuple[int, int]:
    """Return what changes when an open file is written to."""
    info = os.fstat(file.fileno())
    return info.st_size, info.st_mtime_ns


def clone(source: int, target: int) -> bool:
    """Have a descriptor's file share the blocks of another one; return whether the file system did that."""
    try:
        import fcntl

        fcntl.ioctl(target, _FICLONE, source)
    except (ImportError, OSError):
        return False
    return True
