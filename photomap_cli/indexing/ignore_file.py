"""Owns `.photomapignore` files: gitignore patterns for their folder and everything below it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath

from pathspec import GitIgnoreSpec

from photomap_cli import files
from photomap_cli.pathnames import Form

NAME = ".photomapignore"


@dataclass(frozen=True, slots=True)
class IgnoreFile:
    """A `.photomapignore` file: its folder, its patterns, and its invalid lines."""

    folder: str
    patterns: tuple[str, ...]
    not_patterns: tuple[str, ...] = ()

    def verdict(self, path: str, form: Form = Form.COMPOSED) -> bool | None:
        """Return whether a path below the folder is left out; None if unsaid.  A folder ends with `/`."""
        inside = path[len(self.folder.rstrip(os.sep)) + 1 :]
        return compiled(self.patterns, form).check_file(form.of(inside).replace(os.sep, "/")).include


@lru_cache(maxsize=1000)
def compiled(patterns: tuple[str, ...], form: Form) -> GitIgnoreSpec:
    """Return patterns compiled for paths in a form.  Raises ValueError for an invalid one."""
    try:
        return GitIgnoreSpec.from_lines(map(form.of, patterns))
    except re.error as error:  # such as `[z-a]`
        raise ValueError(f"invalid pattern: {error}") from error


def read(folder: str) -> IgnoreFile:
    """Read the file in a folder.  Raises OSError."""
    with files.reading(Path(folder, NAME)) as file:
        lines = file.read().decode("utf-8-sig", errors="surrogateescape").splitlines()
    bad = tuple(line for line in lines if not _is_pattern(line))
    return IgnoreFile(folder, tuple(line for line in lines if line not in bad), bad)


def above(root: str) -> tuple[IgnoreFile, ...]:
    """Return the files in the folders above a root, outermost first, except those that leave out the root itself.

    A folder that was named is wanted.  Files that can't be read are ignored.
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
        compiled((line,), Form.COMPOSED)
    except ValueError:
        return False
    return True
