"""Owns paths as text: comparing them with roots, and whether they can be stored and shown.  Lists no folders."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import PurePath

ELSEWHERE = "its root isn't on this computer"
"""Why nobody can look at a photo of a shared library's that `is_elsewhere`."""

_NOT_UTF8 = re.compile("[\ud800-\udfff]")  # Python's stand-ins for bytes that aren't text


def inside(roots: Iterable[str], folders: Iterable[str]) -> set[str]:
    """Return the roots that are below one of the folders."""
    starts = tuple(folder.rstrip(os.sep) + os.sep for folder in folders)
    return {root for root in roots if root.startswith(starts)}


def part(folder: str, roots: Iterable[str]) -> str:
    """Return the folder if it is only a part of what the roots cover; empty if it is all of it, or elsewhere."""
    inner, outer = PurePath(folder), tuple(roots)
    is_all = all(PurePath(root).is_relative_to(inner) for root in outer)
    return folder if any(map(inner.is_relative_to, outer)) and not is_all else ""


def is_storable(path: str) -> bool:
    """Return whether a path is UTF-8: file systems take any bytes, the catalogue and JSON only text."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_elsewhere(path: str) -> bool:
    """Whether a photo is below a root of a shared library that this computer has no folder for.

    Its path begins with the root's name, and is never one to open: the folder one is in may have one of that name.
    """
    return not os.path.isabs(path)  # noqa: PTH117 - paths are text here


def shown(path: str) -> str:
    """Return a path as text that can be printed and sent: bytes that aren't UTF-8 become replacement characters."""
    return _NOT_UTF8.sub("\N{REPLACEMENT CHARACTER}", path)
