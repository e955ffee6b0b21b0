"""Owns `.photomapignore` files: patterns in gitignore form for the folder they lie in, and for all below it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import PurePath

from pathspec import GitIgnoreSpec

NAME = ".photomapignore"


@dataclass(frozen=True, slots=True)
class IgnoreFile:
    """One such file: the folder it lies in, its patterns, and those of its lines that are none."""

    folder: str
    patterns: GitIgnoreSpec
    not_patterns: tuple[str, ...] = ()

    def verdict(self, path: str) -> bool | None:
        """Say whether a path below the folder is left out, or None to leave that to others; a folder ends with `/`."""
        inside = path[len(self.folder.rstrip(os.sep)) + 1 :]
        return self.patterns.check_file(inside.replace(os.sep, "/")).include


def read(folder: str) -> IgnoreFile:
    """Read the file in a folder.  Raises OSError."""
    with open(os.path.join(folder, NAME), encoding="utf-8-sig", errors="surrogateescape") as file:  # noqa: PTH118, PTH123
        lines = file.read().splitlines()
    bad = tuple(line for line in lines if not _is_pattern(line))
    return IgnoreFile(folder, GitIgnoreSpec.from_lines(line for line in lines if line not in bad), bad)


def above(root: str) -> tuple[IgnoreFile, ...]:
    """Return the files in the folders above a root, outermost first, but those that leave out the root itself.

    Whoever names a folder wants it.  Files that cannot be read say nothing.
    """
    found = []
    for folder in reversed(PurePath(root).parents):
        try:
            file = read(str(folder))
        except OSError:
            continue
        if not file.verdict(root + os.sep):
            found.append(file)
    return tuple(found)


def _is_pattern(line: str) -> bool:
    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True
