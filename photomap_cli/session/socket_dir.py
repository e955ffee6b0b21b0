"""Owns where live sessions are found: one socket and one lock per library, in a folder private to this user.

A session holds its lock as long as it lives, and the system releases the lock when the process dies, however it
dies: a free lock means that the socket beside it is stale.  Process ids decide nothing, so one
that is reused confuses nobody.

The folder is opened without following a link and checked by what was opened: owner, and 0700.  From then on nobody else
can put anything into it; what was in it before is used only if it is this user's own socket or plain file.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from photomap_cli import files
from photomap_cli.directories import APP, library_key, runtime_directory
from photomap_cli.errors import LibraryUnusable
from photomap_cli.library.file_lock import FileLock
from photomap_cli.session import unix_socket

PROTOCOL_VERSION = 1
_NAME_LENGTH = len("/0123456789abcdef.sock")
_HINT = "remove it, or set XDG_RUNTIME_DIR to a folder of yours"


def folder() -> Path:
    """Return the folder of the sockets; a temporary directory if the usual one's name is too long."""
    return next(path for path in _places() if len(os.fsencode(path)) + _NAME_LENGTH <= unix_socket.LONGEST_SOCKET_PATH)


def private_folder() -> Path:
    """Return the folder, created if necessary, after checking that it is ours, not a link, and closed to others.

    Raises:
        LibraryUnusable: someone else owns it or could replace it, or it is open to others and can't be closed.
    """
    path = folder()
    try:
        files.make_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)
        _require_private(path)
    except OSError as error:  # opening it as a link fails too
        raise LibraryUnusable(f"{path} is not this user's own folder: {error.strerror}", hint=_HINT) from error
    return path


def socket_path(library: Path) -> Path:
    """Return the socket path of this library's session, whether or not there is one."""
    return folder() / f"{library_key(library)}.sock"


def lock_path(library: Path) -> Path:
    """Return the lock for this library's session.

    Raises:
        LibraryUnusable: something else is at its path.
    """
    path = socket_path(library).with_suffix(".lock")
    if os.path.lexists(path) and not _is_own(path.lstat(), stat.S_ISREG):
        raise LibraryUnusable(f"{path} is not this user's own file", hint=_HINT)
    return path


def holder(socket: Path) -> int | None:
    """Return the process id of the session whose socket this is or was, if it can be read."""
    try:
        return FileLock(socket.with_suffix(".lock")).holder()
    except OSError:
        return None


def sockets() -> list[Path]:
    """Return all our sockets in the folder, live or stale; none if the folder is missing or not ours."""
    path = folder()
    try:
        if not _is_own(path.lstat(), stat.S_ISDIR):
            return []
        return sorted(one for one in path.glob("*.sock") if _is_own(one.lstat(), stat.S_ISSOCK))
    except OSError:
        return []


def _places() -> Iterator[Path]:
    """Yield where the folder may be, best first; asking for the temporary directory writes a file into it."""
    own = f"{APP}-{unix_socket.user()}"
    yield runtime_directory()
    yield Path(tempfile.gettempdir()) / own
    yield Path("/tmp") / own


def _require_private(path: Path) -> None:
    """Check the folder by its descriptor, closing it to others if it is open.  Raises LibraryUnusable, OSError."""
    above = path.parent.stat()
    if above.st_mode & stat.S_IWOTH and not above.st_mode & stat.S_ISVTX:
        raise LibraryUnusable(f"anyone could replace {path}: everyone may write to {path.parent}", hint=_HINT)
    opened = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        found = os.fstat(opened)
        if not _is_own(found, stat.S_ISDIR):
            raise LibraryUnusable(f"{path} is not this user's own folder", hint=_HINT)
        if stat.S_IMODE(found.st_mode) & 0o077:
            os.fchmod(opened, 0o700)
    finally:
        os.close(opened)


def _is_own(found: os.stat_result, is_kind: Callable[[int], bool]) -> bool:
    """Return whether this is of the given kind, belongs to this user, and isn't a hard link to a file elsewhere."""
    is_single = is_kind is stat.S_ISDIR or found.st_nlink == 1
    return is_kind(found.st_mode) and found.st_uid == unix_socket.user() and is_single
