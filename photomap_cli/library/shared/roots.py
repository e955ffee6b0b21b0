"""Owns whose path is which: paths of this machine, and `ROOT:relative/path` as a shared library keeps them.

Each machine says in its settings where the roots are; only this module translates.  A path is kept as the disk spells
it, with `/` on every system.  One below a root that is not here is shown as it is kept.
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
    """The stored paths from `first` on and before `end`."""

    first: str
    end: str


class Roots:
    """The roots that this machine has, by name.  A value."""

    def __init__(self, folders: Mapping[str, str], *, sep: str = os.sep) -> None:
        self._sep = sep
        self._folders = {name: folder.rstrip(sep) + sep for name, folder in folders.items()}
        self._longest_first = sorted(self._folders.items(), key=lambda each: (-len(each[1]), each[0]))

    @classmethod
    def of_settings(cls, folders: Mapping[str, str]) -> Roots:
        """Return the roots as the settings name them: absolute, spelled as the disk does, without links."""
        return cls({name: pathnames.real(str(directories.absolute(Path(each)))) for name, each in folders.items()})

    @property
    def folders(self) -> tuple[str, ...]:
        """Where they are."""
        return tuple(folder.rstrip(self._sep) or self._sep for folder in self._folders.values())

    def stored(self, path: str) -> str:
        """Return how the library keeps a path of this machine.  Raises BadPath where no root here covers it."""
        found = self._stored(path)
        if found is None:
            raise BadPath(
                f"{shown(path)} is below none of the shared library's roots on this computer",
                hint=f'name its folder under [roots] in {directories.config_file()}: NAME = "{shown(path)}"',
            )
        return found

    def stored_if_any(self, path: str) -> str | None:
        """Return how the library keeps a path; None where it can have no such.

        It is one of this machine, or of a root by its name, as `here` shows them: `archive:2014`, `archive:/2014`.
        """
        match = _STORED.fullmatch(path)
        return f"{match[1]}:{match[2]}" if match else self._stored(path)

    def here(self, stored: str) -> str:
        """Return a kept path as this machine's; as it is kept where its root is not here."""
        match = _STORED.fullmatch(stored)
        folder = self._folders.get(match[1]) if match else None
        if match is None or folder is None:
            return stored
        path = folder + match[2].replace("/", self._sep)
        return path if match[2] or path.count(self._sep) == 1 else path.rstrip(self._sep)

    def is_here(self, stored: str) -> bool:
        """Whether the root of a kept path is one of this machine's."""
        match = _STORED.fullmatch(stored)
        return match is not None and match[1] in self._folders

    def below(self, folder: str) -> list[Span]:
        """Return where the photos strictly below a folder are kept; nothing where there can be none.

        A folder above several roots has the photos of them all.
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
    """Return the paths strictly below a kept one, by the order of their letters: `0` follows `/`, and `;` follows `:`.

    A root's own `archive:` has everything that begins so below it.
    """
    if stored.endswith(":"):
        return Span(stored, f"{stored[:-1]};")
    folder = stored.rstrip("/")
    return Span(f"{folder}/", f"{folder}0")
