"""Owns a library's roots: resolved and merged."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath

from photomap_cli import pathnames
from photomap_cli.errors import BadPath
from photomap_cli.library.paths import is_storable, shown


def resolved(roots: Sequence[Path], *, known: Sequence[str]) -> tuple[str, ...]:
    """Return the roots as absolute paths without links, like a process's working directory.

    They are spelled as on disk, except those that the library knows in another spelling.
    """
    resolved = tuple(dict.fromkeys(pathnames.known_as(pathnames.real(str(root)), known) for root in roots))
    for root in resolved:
        if not os.path.exists(root) and root not in known:  # noqa: PTH110
            raise BadPath(f"{shown(root)} does not exist", hint="give a folder or photo that exists")
        if not is_storable(root):
            raise BadPath(f"the name of {shown(root)} is not valid UTF-8", hint="rename it")
    strangers = [root for root in resolved if root not in known and is_stranger(root)]
    if strangers and strangers == [*resolved]:
        raise BadPath(f"{shown(strangers[0])} isn't a folder or a photo", hint="give a folder, or a photo by its name")
    return resolved


def is_stranger(root: str) -> bool:
    """Return whether a root exists but is neither a folder nor a photo, as `photomap index *` can give."""
    from photomap_cli.library.file_types import is_photo_file

    return os.path.exists(root) and not os.path.isdir(root) and not is_photo_file(root)  # noqa: PTH110, PTH112


def covers(root: str, path: str) -> bool:
    """Return whether scanning `root` reaches `path`: it is the same, or below it and not left out on the way."""
    from photomap_cli.indexing.scan import ScanRules  # loads pathspec: 20 ms that no search needs

    outer, inner = PurePath(root), PurePath(path)
    if not inner.is_relative_to(outer):
        return False
    parts = inner.relative_to(outer).parts
    return not any(map(ScanRules().skips, parts, (outer.name, *parts)))


def merged(roots: Iterable[str]) -> tuple[str, ...]:
    """Return the roots that are enough to reach all of them, sorted."""
    every = sorted(set(roots))
    return tuple(root for root in every if not any(other != root and covers(other, root) for other in every))
