"""Owns opening, creating and replacing photomap's own files: plain files, through no link, private to their owner.

Nothing here waits for the other end of a pipe, or writes to where someone else's link leads.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from io import BufferedReader

PRIVATE = 0o600
_ALWAYS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOCTTY", 0)
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_PIECE_BYTES = 128 << 10  # Linux's default read-ahead window
_NO_READER = frozenset({errno.ENXIO, errno.ENODEV})

NO_ROOM = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})
"""The system's errors for a file that can't grow."""


class NotPlain(FileNotFoundError):
    """The name isn't a plain file but a pipe, a device, a socket, a folder, or a link that isn't followed.

    A subclass of FileNotFoundError: callers that can do without the file treat it as missing.
    """

    def __init__(self, path: Path | str) -> None:
        super().__init__(errno.ENOENT, "not a regular file", str(path))


def descriptor(path: Path | str, flags: int, *, through_link: bool = False) -> int:
    """Open a plain file, like `os.open`; a new one is private to its owner.  Raises NotPlain, OSError."""
    try:
        opened = os.open(path, flags | _ALWAYS | _NO_WAIT | (0 if through_link else _NO_LINK), PRIVATE)
    except OSError as error:
        if error.errno in _NO_READER or (error.errno in (errno.ELOOP, errno.EISDIR) and os.path.lexists(path)):
            raise NotPlain(path) from error
        raise
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise NotPlain(path)
    return opened


def reading(path: Path | str) -> BufferedReader:
    """Open a plain file for reading, even through a link.  Raises NotPlain, OSError."""
    return os.fdopen(descriptor(path, os.O_RDONLY, through_link=True), "rb")


def will_need(descriptor: int, length: int) -> None:
    """Ask the system to start reading an open file that will be read soon (posix_fadvise); does nothing elsewhere.

    Linux cuts a request to its read-ahead window, so there is one for each window.  For 3.7 MB on a disk with a latency
    of 5 ms, the last byte arrives after 9 ms instead of 102.
    """
    if hasattr(os, "posix_fadvise"):
        with suppress(OSError):  # some file systems don't support it
            for at in range(0, length, _PIECE_BYTES):
                os.posix_fadvise(descriptor, at, _PIECE_BYTES, os.POSIX_FADV_WILLNEED)


def state(path: Path | None) -> tuple[int, ...] | None:
    """Return what changes when the file is replaced or written to; None if there is none."""
    try:
        info = path.stat() if path else None
    except OSError:
        return None
    return (info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns) if info else None


def open_for_update(path: Path) -> IO[bytes]:
    """Open an existing plain file for reading and writing.  Raises NotPlain, OSError."""
    return os.fdopen(descriptor(path, os.O_RDWR), "r+b")


def open_new(path: Path) -> IO[bytes]:
    """Open a new file under photomap's own name; an existing one is deleted, but not what a link leads to."""
    path.unlink(missing_ok=True)
    return os.fdopen(descriptor(path, os.O_RDWR | os.O_CREAT | os.O_EXCL), "w+b")


def make(path: Path) -> None:
    """Create an empty private file if there is none.  Raises NotPlain if something else has the name; OSError."""
    try:
        os.close(descriptor(path, os.O_RDWR | os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        if not is_plain(path):
            raise NotPlain(path) from None


def is_plain(path: Path) -> bool:
    """Return whether there is a plain file, or a link to one.  Raises OSError if that can't be checked."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def is_other(path: Path) -> bool:
    """Return whether the name is taken by something other than a plain file; links are followed."""
    return os.path.lexists(path) and not is_plain(path)


def make_folder(path: Path) -> None:
    """Create a folder and its missing parents, private to their owner.  Raises OSError."""
    if not path.is_dir():
        if path.parent != path:
            make_folder(path.parent)
        try:
            path.mkdir(mode=0o700, exist_ok=True)
        except FileExistsError as error:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path)) from error


def move_into_place(draft: Path, path: Path) -> None:
    """Replace a file by a draft in one step, keeping the file's permissions.  Raises OSError."""
    with suppress(OSError):
        there = path.lstat()
        if stat.S_ISREG(there.st_mode):
            draft.chmod(stat.S_IMODE(there.st_mode))
    draft.replace(path)


@contextmanager
def replacing(path: Path, *, private: bool = True) -> Iterator[IO[bytes]]:
    """Yield a file to write that replaces the existing one after the block, complete and flushed to disk.

    Until then it has a random name beside it.  Owner and mode of an existing file stay; a new one is private
    if `private`, else as the user's umask has it.  Raises OSError.
    """
    number, name = tempfile.mkstemp(prefix=".photomap-", suffix=".new", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(number, "w+b") as file:
            yield file
            file.flush()
            _take_after(file.fileno(), path, private=private)
            os.fsync(file.fileno())
        draft.replace(path)
        sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def _take_after(opened: int, path: Path, *, private: bool) -> None:
    """Give a new file the owner and mode of the one it replaces."""
    if not hasattr(os, "fchmod"):  # Windows
        return
    try:
        there = path.lstat()
    except FileNotFoundError:
        os.fchmod(opened, PRIVATE if private else 0o666 & ~umask())
        return
    if stat.S_ISREG(there.st_mode):
        own = os.fstat(opened)
        if (own.st_uid, own.st_gid) != (there.st_uid, there.st_gid):
            with suppress(OSError):  # only root may change a file's owner
                os.fchown(opened, there.st_uid, there.st_gid)
        os.fchmod(opened, stat.S_IMODE(there.st_mode))


def umask() -> int:
    """Return the user's umask."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def sync_folder(folder: Path | str) -> None:
    """Wait until a folder's entries are on disk, if the system supports that."""
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
