"""Owns recognising folders on network drives, where each look costs a round trip."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

TABLE = "/proc/self/mounts"
_REMOTE = re.compile(r"nfs4?|cifs|smb3?|smbfs|ncpfs|afs|9p|ceph|lustre|fuse\.(?!portal|gvfsd-fuse$).+|davfs|beegfs")
_ESCAPE = re.compile(r"\\([0-7]{3})")


def remote(paths: Iterable[str]) -> frozenset[str]:
    """Return those of these paths that are on a network drive, as far as the system tells."""
    try:
        with open(TABLE, encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123
            mounted = remote_mounts(file)
    except OSError:
        mounted = {}
    return frozenset(path for path in paths if _is_below(path, mounted) or path.startswith("\\\\"))


def remote_mounts(lines: Iterable[str]) -> dict[str, bool]:
    """Return each mount point and whether it is a network drive; the last one mounted at a path counts."""
    parts = (line.split(" ") for line in lines)
    return {_plain(each[1]): bool(_REMOTE.fullmatch(each[2])) for each in parts if len(each) > 2}


def _plain(escaped: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 8)), escaped)


def _is_below(path: str, mounted: dict[str, bool]) -> bool:
    """Return whether a path's innermost file system is a network drive."""
    while path not in mounted and path != os.path.dirname(path):  # noqa: PTH120
        path = os.path.dirname(path)  # noqa: PTH120
    return mounted.get(path, False)
