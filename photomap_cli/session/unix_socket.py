"""Owns how operating systems differ for sessions: whether they exist, who the user is, who is at the other end.

Linux, macOS and the BSDs: sessions, over AF_UNIX sockets; the kernel says which user the other end runs as.
Windows: Python has no AF_UNIX there, so there are no sessions.  The rest works as with `--local`: every prompt and
`photomap search` has its own encoder, `status` shows no session, `serve` explains why it can't run.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ctypes

HAS_SESSIONS = hasattr(socket, "AF_UNIX")
LONGEST_SOCKET_PATH = 103 if sys.platform != "linux" else 107
"""Bytes in a socket's path: `sun_path` less its final NUL."""
_SOL_LOCAL, _LOCAL_PEERPID = 0, 2  # macOS: <sys/un.h>
_UCRED = struct.Struct("iII")  # pid, uid, gid


def user() -> int:
    """Return this process's effective user, who owns the files it creates."""
    return os.geteuid()


def user_of(connection: socket.socket) -> int | None:
    """Return the user whose process opened the other end; None if the system doesn't tell."""
    if sys.platform == "linux":
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
        return int(_UCRED.unpack(credentials)[1])
    import ctypes

    return _by_getpeereid(connection.fileno(), ctypes.CDLL(None))


def process_of(connection: socket.socket) -> int | None:
    """Return the process id at the listening end; None if the system doesn't tell."""
    if sys.platform == "linux":
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
        return int(_UCRED.unpack(credentials)[0]) or None
    if sys.platform == "darwin":
        return connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERPID)
    return None


def has_hung_up(connection: socket.socket) -> bool:
    """Return whether the other end is closed; never waits, reads nothing.  A half-closed end still counts as open."""
    poll = select.poll()
    poll.register(connection, select.POLLHUP)
    return bool(poll.poll(0))


def _by_getpeereid(fd: int, libc: ctypes.CDLL) -> int | None:
    """Ask the C library of macOS or a BSD; None if it has no getpeereid, or that fails."""
    import ctypes

    uid, gid = ctypes.c_uint32(), ctypes.c_uint32()
    try:
        failed = libc.getpeereid(fd, ctypes.byref(uid), ctypes.byref(gid))
    except AttributeError:
        return None
    return None if failed else uid.value
