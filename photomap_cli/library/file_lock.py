"""Owns file locks between processes, and being a library's only writer.  Knows nothing of what is written."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from photomap_cli import files
from photomap_cli.errors import LibraryBusy, LibraryUnusable

INDEX_LOCK_NAME = "index.lock"

_PID_BYTES = 20
_TAKEN = frozenset({errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK})


class FileLock:
    """An exclusive lock on a file, between processes and between instances in one process.

    The operating system releases it when its holder dies, however it dies, and a waiting process has it 1 ms later
    (the package filelock polls every 50 ms, and takes 16 times as long for a free lock); the file itself stays.
    Raises OSError if the file can't be created or opened for writing.  An instance belongs to one thread at a time.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    def acquire(self) -> None:
        """Wait for the lock."""
        while not self._acquired(wait=True):
            pass  # only on Windows: there a wait ends after ten seconds

    def try_acquire(self) -> bool:
        """Take the lock if it is free, and return whether that worked; writes this process's id into the file."""
        if not self._acquired(wait=False):
            return False
        assert self._fd is not None
        os.lseek(self._fd, 0, os.SEEK_SET)
        os.write(self._fd, str(os.getpid()).ljust(_PID_BYTES).encode())
        return True

    def holder(self) -> int | None:
        """Return the id of the process that took the lock last, if it can be read."""
        try:
            with files.reading(self.path) as file:
                return int(file.read(_PID_BYTES))
        except (OSError, ValueError):
            return None

    def release(self) -> None:
        """Release the lock; does nothing if it isn't held."""
        if self._fd is not None:
            fd, self._fd = self._fd, None
            os.close(fd)

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.release()

    def _acquired(self, *, wait: bool) -> bool:
        assert self._fd is None, f"{self.path} is locked by this very object"
        fd = files.descriptor(self.path, os.O_RDWR | os.O_CREAT)
        try:
            _lock(fd, wait=wait)
        except BaseException as error:
            os.close(fd)
            if isinstance(error, OSError) and error.errno in _TAKEN:
                return False
            raise
        self._fd = fd
        return True


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Be the only process that writes to the library in `folder`.  Raises LibraryBusy while another is."""
    lock = FileLock(folder / INDEX_LOCK_NAME)
    try:
        is_ours = lock.try_acquire()
    except OSError as error:
        raise unwritable(folder, error) from error
    if not is_ours:
        raise _busy(lock.holder(), folder)
    try:
        yield
    finally:
        lock.release()


def unwritable(folder: Path, error: OSError) -> LibraryUnusable:
    """Return the error for a library that can't be written to, with a hint."""
    if isinstance(error, files.NotPlain):
        hint = "move it away, or choose another with --library"
        return LibraryUnusable(f"{error.filename} is not a regular file", hint=hint)
    if error.errno in files.NO_ROOM:
        return LibraryUnusable(f"the disk is full: nothing can be written to {folder}", hint="free some space")
    return LibraryUnusable(
        f"the library {folder} cannot be written: {error.strerror or error}",
        hint="check the folder's permissions, or choose another with --library",
    )


def _busy(pid: int | None, folder: Path) -> LibraryBusy:
    from photomap_cli import subprocesses  # this module is used to find a session's socket, which must be fast

    hint = "wait until it's done, or stop it"
    if pid is not None and subprocesses.is_stopped(pid):
        hint = f"it is suspended: fg continues it, `kill {pid}; kill -CONT {pid}` ends it"
    return LibraryBusy(f"process {pid or 'unknown'} is indexing into {folder}", hint=hint)


if sys.platform == "win32":
    import msvcrt

    _BEYOND_THE_PID = 1 << 30  # other processes couldn't read a locked byte

    def _lock(fd: int, *, wait: bool) -> None:
        os.lseek(fd, _BEYOND_THE_PID, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(fd: int, *, wait: bool) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
