"""Owns which files under a root are photos to look at; opens none of them, and remembers nothing."""

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pathspec import GitIgnoreSpec

from photomap_cli.errors import UsageError
from photomap_cli.records import IndexFailure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

EXTENSIONS = frozenset(
    "avif bmp gif heic heif hif j2k jfif jp2 jpe jpeg jpg jpx pbm pgm png pnm ppm tif tiff webp".split()  # noqa: SIM905
)
"""Files with these extensions, in any case, are taken for photos."""

JUNK = frozenset(
    {
        "#recycle",
        "$recycle.bin",
        "@eadir",
        "__macosx",
        "__pycache__",
        "lost+found",
        "node_modules",
        "system volume information",
        "thumbs.db",
        ".git",
        ".hg",
        ".svn",
        ".thumbnails",
    }
)
"""Names, in any case, of what is nobody's photo: caches, bins, thumbnails.  Skipped even with `hidden`."""

JUNK_STARTS = ("._", ".trash", "synofile_thumb")

_LEADS_NOWHERE = frozenset({errno.ENOENT, errno.ELOOP, errno.ENOTDIR})  # dangling links, and files gone meanwhile


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A photo file as it is now: absolute path, size and time of its last change."""

    path: str
    size_bytes: int
    mtime_ns: int


Found = FoundFile | IndexFailure


@dataclass(frozen=True, slots=True)
class ScanRules:
    """What to leave out: patterns in gitignore form, relative to each root; hidden files and folders, unless `hidden`.

    Raises UsageError for a pattern that is none.
    """

    exclude: tuple[str, ...] = ()
    hidden: bool = False

    def __post_init__(self) -> None:
        self.excluded()

    def excluded(self) -> GitIgnoreSpec:
        """Return the patterns, compiled."""
        try:
            return GitIgnoreSpec.from_lines(self.exclude)
        except ValueError as error:
            raise UsageError(f"--exclude: {error}", hint="patterns are written as in a .gitignore") from error

    def skips(self, name: str) -> bool:
        """Whether a file or folder of this name is left out wherever it is."""
        return _is_junk(name) or (name.startswith(".") and not self.hidden)


def scan(roots: Sequence[str], rules: ScanRules) -> Iterator[Found]:
    """Yield the photo files at or below absolute paths, each once, and the folders and files that cannot be read.

    A folder that can be reached in several ways is read once; a way without symbolic links is preferred.
    """
    walk = _Walk(roots, rules)
    for root in sorted(roots):  # a folder before what is in it
        yield from walk.root(root)
    yield from walk.links()


def is_bare(root: str) -> bool:
    """Whether a root is a folder that holds nothing visible, as a disk's place does while it is not mounted."""
    try:
        with os.scandir(root) as entries:
            return all(ScanRules().skips(entry.name) for entry in entries)
    except OSError:  # a file, or a folder that `scan` reports
        return False


class _Walk:
    """One scan over several roots: what was seen already, and which links are still to be followed."""

    def __init__(self, roots: Sequence[str], rules: ScanRules) -> None:
        self._rules = rules
        self._excluded = rules.excluded() if rules.exclude else None
        self._roots = frozenset(roots)
        self._roots_seen: set[str] = set()
        self._folders_seen: set[tuple[int, int]] = set()
        self._links: deque[tuple[str, str]] = deque()

    def root(self, root: str) -> Iterator[Found]:
        """Yield what is at or below one root, except behind links."""
        try:
            info = os.stat(root)  # noqa: PTH116 - paths are text here: a Path each would double the scan's time
        except OSError as error:
            yield _failure(root, error)
            return
        if stat.S_ISDIR(info.st_mode):
            yield from self._below(root, root)
        elif root not in self._roots_seen:
            is_photo = stat.S_ISREG(info.st_mode) and _has_photo_name(root)
            yield _file(root, info) if is_photo else IndexFailure(root, "not a photo file")

    def links(self) -> Iterator[Found]:
        """Yield what is behind the links, and behind those found there."""
        while self._links:
            yield from self._below(*self._links.popleft())

    def _below(self, start: str, root: str) -> Iterator[Found]:
        waiting = deque([start])
        while waiting:
            folder = waiting.popleft()
            try:
                entries = self._entries(folder)
            except OSError as error:
                yield _failure(folder, error)
                continue
            for entry in entries:
                yield from self._entry(entry, root, waiting)

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        """Return what is in a folder, by name; nothing if it was read before."""
        info = os.stat(folder)  # noqa: PTH116
        if (info.st_dev, info.st_ino) in self._folders_seen:
            return []
        self._folders_seen.add((info.st_dev, info.st_ino))
        with os.scandir(folder) as entries:
            return sorted((each for each in entries if not self._rules.skips(each.name)), key=lambda each: each.name)

    def _entry(self, entry: os.DirEntry[str], root: str, waiting: deque[str]) -> Iterator[Found]:
        """Yield the photo file, if the entry is one; put a folder among those to be read."""
        try:
            if entry.is_dir(follow_symlinks=False):
                if not self._is_excluded(entry.path + os.sep, root):
                    waiting.append(entry.path)
            elif _has_photo_name(entry.name) or entry.is_symlink():
                yield from self._file_or_link(entry, entry.stat(), root)
        except OSError as error:
            if error.errno not in _LEADS_NOWHERE:
                yield _failure(entry.path, error)

    def _file_or_link(self, entry: os.DirEntry[str], info: os.stat_result, root: str) -> Iterator[Found]:
        if stat.S_ISDIR(info.st_mode) and not self._is_excluded(entry.path + os.sep, root):
            self._links.append((entry.path, root))
        is_photo = stat.S_ISREG(info.st_mode) and _has_photo_name(entry.name)
        if is_photo and not self._is_excluded(entry.path, root):
            if entry.path in self._roots:
                self._roots_seen.add(entry.path)
            yield _file(entry.path, info)

    def _is_excluded(self, path: str, root: str) -> bool:
        if self._excluded is None:
            return False
        inside = path[len(root.rstrip(os.sep)) + 1 :]
        return self._excluded.match_file(inside.replace(os.sep, "/"))


def _has_photo_name(name: str) -> bool:
    stem, _, extension = name.rpartition(".")
    return bool(stem) and extension.lower() in EXTENSIONS


def _is_junk(name: str) -> bool:
    lowered = name.lower()
    return lowered in JUNK or lowered.startswith(JUNK_STARTS)


def _file(path: str, info: os.stat_result) -> FoundFile:
    return FoundFile(path, info.st_size, info.st_mtime_ns)


def _failure(path: str, error: OSError) -> IndexFailure:
    return IndexFailure(path, (error.strerror or str(error)).lower())
