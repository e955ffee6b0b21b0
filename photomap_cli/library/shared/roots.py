"""Owns translating between this machine's paths and a shared library's stored paths, `ROOT:relative/path`.

Each machine's settings say where its roots are.  A stored path is spelled as on the disk, with `/` on every system.
One whose root this machine doesn't have is shown as it is stored.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from photomap_cli import directories, pathnames
from photomap_cli.errors import BadPath
from photomap_cli.library.paths import shown
from photomap_cli.setting_parsers import ROOT_NAME

_STORED = re.compile(rf"({ROOT_NAME}):/*(.*?)/*", re.ASCII | re.DOTALL)


class Span(NamedTuple):
    """The stored paths from `first` up to, but not including, `end`."""

    first: str
    end: str


class Roots:
    """This machine's roots, by name.  Immutable."""

    def __init__(self, folders: Mapping[str, str], *, sep: str = os.sep) -> None:
        self._sep = sep
        self._folders = {name: folder.rstrip(sep) + sep for name, folder in folders.items()}
        self._longest_first = sorted(self._folders.items(), key=lambda each: (-len(each[1]), each[0]))

    @classmethod
    def of_settings(cls, folders: Mapping[str, str]) -> Roots:
        """Return the roots named in the settings, as absolute paths without symbolic links, spelled as on the disk."""
        return cls({name: pathnames.real(str(directories.absolute(Path(each)))) for name, each in folders.items()})

    @property
    def folders(self) -> tuple[str, ...]:
        """Their absolute paths."""
        return tuple(folder.rstrip(self._sep) or self._sep for folder in self._folders.values())

    def stored(self, path: str) -> str:
        """Return the stored path for one of this machine's.  Raises BadPath if it is below none of its roots."""
        found = self._stored(path)
        if found is None:
            raise BadPath(
                f"{shown(path)} is below none of the shared library's roots on this computer",
                hint=f'name its folder under [roots] in {directories.config_file()}: NAME = "{shown(path)}"',
            )
        return found

    def stored_if_any(self, path: str) -> str | None:
        """Return the stored path for a path as `here` returns it; None if it is below no root.

        That is one of this machine's, or a stored one: `archive:2014`, `archive:/2014`.
        """
        match = _STORED.fullmatch(path)
        return f"{match[1]}:{match[2]}" if match else self._stored(path)

    def here(self, stored: str) -> str:
        """Return this machine's path for a stored one; the stored one if this machine doesn't have its root."""
        match = _STORED.fullmatch(stored)
        folder = self._folders.get(match[1]) if match else None
        if match is None or folder is None:
            return stored
        path = folder + match[2].replace("/", self._sep)
        return path if match[2] or path.count(self._sep) == 1 else path.rstrip(self._sep)

    def below(self, folder: str) -> list[Span]:
        """Return the spans of stored paths strictly below a folder; empty if there can be none.

        A folder above several roots has one span for each.
        """
        stored = self.stored_if_any(folder)
        start = self.here(stored or folder).rstrip(self._sep) + self._sep
        inner = {f"{name}:" for name, root in self._folders.items() if root.startswith(start)}
        return [_below(each) for each in sorted(inner | ({stored} if stored else set()))]

    def _stored(self, path: str) -> str | None:
        start = path.rstrip(self._sep) + self._sep
        for name, folder in self._longest_first:
            if start.startswith(folder):
                return f"{name}:{path[len(folder) :].rstrip(self._sep).replace(self._sep, '/')}"
        return None


def _below(stored: str) -> Span:
    """Return the span of paths strictly below a stored one: in code point order `0` follows `/`, and `;` follows `:`.

    Below a root's own `archive:` is everything with that prefix.
    """
    if stored.endswith(":"):
        return Span(stored, f"{stored[:-1]};")
    folder = stored.rstrip("/")
    return Span(f"{folder}/", f"{folder}0")
