"""Owns which names are equal, and how the disk spells a typed path.  Light; opens no files.

A letter such as é has two forms in Unicode: composed, as keyboards send it, and decomposed, as some disks keep it.
People see no difference, and neither does macOS; Linux can have a folder of each.  So a name that exists is itself,
and only one that doesn't is matched to another of the same letters.  Case counts, except if the file system
says that both are one file; this is checked per folder, as a memory card differs from the disk it is mounted in.
"""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from enum import Enum
from pathlib import PurePath
from typing import Protocol

_KINDS = (
    ("jpg", "jpeg", "jpe", "jfif", "mpo"),
    ("tif", "tiff"),
    ("heic", "heif", "hif", "heics", "heifs"),
    ("jp2", "j2k", "j2c", "jpc", "jpf", "jpx"),
    ("png", "apng"),
    ("avif", "avifs"),
    ("bmp", "dib"),
    ("pnm", "ppm", "pgm", "pbm", "pfm"),
)
"""Extensions of the same kind of file, the usual one first."""


class Disk(Protocol):
    """Questions to the disk, with absolute paths; links aren't resolved."""

    def exists(self, path: str) -> bool:
        """Return whether there is anything at a path."""

    def is_same(self, one: str, other: str) -> bool:
        """Return whether both paths exist and are the same file."""

    def names(self, folder: str) -> Collection[str]:
        """Return the names in a folder; empty if it can't be read."""


class FileSystem:
    """The disk of this computer."""

    def exists(self, path: str) -> bool:
        """Return whether there is anything at a path."""
        return os.path.lexists(path)

    def is_same(self, one: str, other: str) -> bool:
        """Return whether both paths exist and are the same file."""
        try:
            return os.path.samestat(os.lstat(one), os.lstat(other))
        except (OSError, ValueError):
            return False

    def names(self, folder: str) -> Collection[str]:
        """Return the names in a folder; empty if it can't be read."""
        try:
            return os.listdir(folder)  # noqa: PTH208 - paths are text here
        except (OSError, ValueError):
            return ()


DISK = FileSystem()


class Form(Enum):
    """How to compare a folder's names with a pattern: exactly, by letters, or ignoring case too."""

    EXACT = "exact"
    COMPOSED = "composed"
    FOLDED = "folded"

    def of(self, text: str) -> str:
        """Return a name, path or pattern in this form."""
        match self:
            case Form.EXACT:
                return text
            case Form.COMPOSED:
                return composed(text)
            case Form.FOLDED:
                return key(text)


def composed(text: str) -> str:
    """Return text in the form in which equal letters are equal."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def key(text: str) -> str:
    """Return the form for comparing names regardless of case."""
    return composed(text).lower()


def form_in(folder: str, names: Collection[str], disk: Disk = DISK) -> Form:
    """Return how to compare the names in a folder: ignoring case if its file system does."""
    name = next((each for each in names if each.swapcase() != each), "")
    other = name.swapcase()
    folds = name and other not in names and disk.is_same(os.path.join(folder, name), os.path.join(folder, other))  # noqa: PTH118
    return Form.FOLDED if folds else Form.COMPOSED


def twins(names: Iterable[str]) -> frozenset[str]:
    """Return the names of a folder that differ only in their Unicode form, so that only bytes tell them apart."""
    letters = [name for name in names if not name.isascii()]
    counts = Counter(map(composed, letters))
    return frozenset(name for name in letters if counts[composed(name)] > 1)


def on_disk(path: str, disk: Disk = DISK) -> str:
    """Return an absolute path as the disk spells it: each name as it is if it exists, else one of the same letters.

    Parts that don't exist in any form stay unchanged, and so do links.
    """
    found, *names = PurePath(path).parts or (path,)
    for at, name in enumerate(names):
        spelled = _spelled(found, name, disk)
        if spelled is None:
            return os.path.join(found, *names[at:])  # noqa: PTH118 - paths are text here
        found = os.path.join(found, spelled)  # noqa: PTH118
    return found


def real(path: str, disk: Disk = DISK) -> str:
    """Return an absolute path as the disk spells it, without links."""
    return on_disk(os.path.realpath(on_disk(path, disk)), disk)


def known_as(path: str, known: Iterable[str], disk: Disk = DISK) -> str:
    """Return which of several known paths this one is; itself if none.

    A path of the same letters is the same if both are one file, or if this one doesn't exist.
    """
    others = [each for each in known if key(each) == key(path)]
    if path in others:
        return path
    if disk.exists(path):
        return next((each for each in others if disk.is_same(path, each)), path)
    return next((each for each in others if composed(each) == composed(path)), path)


def within(path: str, files: Iterable[str]) -> str:
    """Return how files' paths spell this one, which is one of them or a folder of theirs; itself if none does."""
    wanted, length = composed(path), len(PurePath(path).parts)
    for file in files:
        if composed(file).startswith(wanted):
            spelled = str(PurePath(*PurePath(file).parts[:length]))
            if composed(spelled) == wanted:
                return spelled
    return path


def extensions_like(extension: str) -> tuple[str, ...]:
    """Return the extensions, without dots, of the same kind of file, the usual one first."""
    return next((kind for kind in _KINDS if extension in kind), (extension,))


def _spelled(folder: str, name: str, disk: Disk) -> str | None:
    """Return how a folder spells a name; None if it has none of the same letters."""
    path = os.path.join(folder, name)  # noqa: PTH118
    if disk.exists(path):
        folds = any(disk.is_same(path, os.path.join(folder, other)) for other in _variants(name))  # noqa: PTH118
        return _entry(folder, name, disk) if folds else name
    if name.isascii():
        return None
    alike = [each for each in disk.names(folder) if composed(each) == composed(name)]
    return min(alike, key=lambda each: (each != composed(name), each), default=None)


def _entry(folder: str, name: str, disk: Disk) -> str:
    """Return the folder entry that a name refers to, if there are several spellings."""
    names = disk.names(folder)
    path = os.path.join(folder, name)  # noqa: PTH118
    alike = (each for each in names if key(each) == key(name) and disk.is_same(path, os.path.join(folder, each)))  # noqa: PTH118
    return name if name in names else next(alike, name)


def _variants(name: str) -> Iterator[str]:
    forms = (name.swapcase(), *(unicodedata.normalize(form, name) for form in ("NFC", "NFD") if not name.isascii()))
    return (each for each in dict.fromkeys(forms) if each != name)
