"""Owns where live sessions are found: one socket and one lock per library, in a folder that is this user's alone.

A session holds its lock for as long as it lives, and the system takes the lock away when the process dies, however it
dies: a lock that can be had means that whatever socket lies beside it is stale.
"""

from __future__ import annotations

import hashlib
import os
import socket
import stat
import tempfile
from pathlib import Path

from photomap_cli.directories import APP, runtime_directory
from photomap_cli.errors import LibraryUnusable

PROTOCOL_VERSION = 1
SUPPORTED = hasattr(socket, "AF_UNIX")
_LONGEST_SOCKET_PATH = 100  # sun_path holds 104 bytes on macOS, 108 on Linux
_NAME_LENGTH = len("/0123456789abcdef.sock")


def folder() -> Path:
    """Return the folder of the sockets; the temporary directory stands in where the usual one has too long a name."""
    usual = runtime_directory()
    if len(os.fsencode(usual)) + _NAME_LENGTH <= _LONGEST_SOCKET_PATH:
        return usual
    return Path(tempfile.gettempdir()) / f"{APP}-{os.getuid()}"


def private_folder() -> Path:
    """Return the folder, made if need be, after checking that it is ours, no link, and closed to others.

    Raises:
        LibraryUnusable: somebody else made it, or it is open to others and cannot be closed.
    """
    path = folder()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise LibraryUnusable(f"{path} is not this user's own folder", hint="remove it, or set XDG_RUNTIME_DIR")
        if stat.S_IMODE(found.st_mode) & 0o077:
            path.chmod(0o700)
    except OSError as error:
        raise LibraryUnusable(f"{path}: {error.strerror}", hint="set XDG_RUNTIME_DIR to a folder of yours") from error
    return path


def socket_path(library: Path) -> Path:
    """Return where the session of this library listens, whether or not there is one."""
    name = hashlib.sha256(os.fsencode(os.path.realpath(library))).hexdigest()[:16]
    return folder() / f"{name}.sock"


def sockets() -> list[Path]:
    """Return every socket in the folder, live or stale; none if the folder is not there or not ours."""
    try:
        path = folder()
        if path.lstat().st_uid != os.getuid():
            return []
        return sorted(path.glob("*.sock"))
    except OSError:
        return []
