"""Owns dividing files among several index runs.  Looks at no disk and no library."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection
from hashlib import blake2b
from typing import NamedTuple, Self

from photomap_cli import pathnames
from photomap_cli.errors import UsageError
from photomap_cli.library.file_types import photo_stem

_WRITTEN = re.compile("([0-9]{1,6})/([0-9]{1,6})")


def everything(_path: str) -> bool:
    """Return True: without parts every file is taken."""
    return True


class Part(NamedTuple):
    """The K-th of N parts, counted from 1."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `2/4`.  Raises UsageError."""
        found = _WRITTEN.fullmatch(text)
        part = cls(*map(int, found.groups())) if found else cls(0, 0)
        if not 1 <= part.number <= part.of:
            hint = "--part 2/4 takes the second of four parts, --part 1/4 to 4/4 are all of them"
            raise UsageError(f"--part takes K/N with K from 1 to N, not {text!r:.40}", hint=hint)
        return part

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def below(self, roots: Collection[str]) -> Callable[[str], bool]:
        """Return a function that tells whether a file at or below one of these paths is in this part.

        It depends on the path relative to the outermost of them, without the extension: wherever a machine has the
        photos, the parts are the same, and a RAW file is in the same part as the picture beside it.
        """
        starts = [root.rstrip(os.sep) + os.sep for root in sorted(roots, key=len)]

        def holds(path: str) -> bool:
            start = next((start for start in starts if path.startswith(start)), "")
            inside = path[len(start) :] if start else path.rpartition(os.sep)[2]
            digest = blake2b(_name(inside).encode("utf-8", "surrogateescape"), digest_size=8).digest()
            return int.from_bytes(digest, "big") % self.of == self.number - 1

        return holds


def _name(inside: str) -> str:
    """Return a relative path in the same form on every system: one case, one Unicode form, no extension."""
    folder, slash, name = inside.replace(os.sep, "/").rpartition("/")
    return pathnames.key(folder + slash + (photo_stem(name) if "." in name else name))
