"""Owns listing the files under a root, and recognising photos by their names.  Remembers nothing."""

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from collections.abc import Callable, Container, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from photomap_cli import pathnames
from photomap_cli.errors import UsageError
from photomap_cli.images import raw
from photomap_cli.indexing import ignore_file
from photomap_cli.indexing.managed_folders import is_junk, is_library
from photomap_cli.indexing.stat_ahead import stat_ahead
from photomap_cli.library.entities import FoundFile
from photomap_cli.library.file_types import (
    ending,
    has_photo_name,
    is_photo_file,
    is_unclear,
    is_video_name,
    is_video_of,
    photo_stem,
)
from photomap_cli.library.optional_decoders import may_be_read
from photomap_cli.pathnames import Form
from photomap_cli.records import IndexFailure

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

    from photomap_cli.indexing.ignore_file import IgnoreFile
    from photomap_cli.pathnames import Disk

_GONE = frozenset({errno.ENOENT, errno.ELOOP, errno.ENOTDIR})  # broken links, and files gone meanwhile


class UnclearFile(NamedTuple):
    """A file whose name doesn't tell whether it is a photo."""

    file: FoundFile


class OtherFile(NamedTuple):
    """The path of a file that isn't a photo, and its kind if its extension doesn't tell."""

    path: str
    kind: str = ""


OF_LIVE_PHOTO = "of Live Photos"
"""Appended to the extension of a Live Photo's video."""

Scanned = FoundFile | UnclearFile | OtherFile | IndexFailure


@dataclass(frozen=True, slots=True)
class ScanRules:
    """What to leave out: patterns in gitignore form, relative to each root; hidden files and folders, unless `hidden`.

    For a root below one of `bases`, patterns are relative to that.  Raises UsageError for an invalid pattern.
    """

    exclude: tuple[str, ...] = ()
    hidden: bool = False
    bases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.excluded()

    def excluded(self, form: Form = Form.COMPOSED) -> GitIgnoreSpec:
        """Return the patterns, compiled for paths in a form."""
        try:
            return ignore_file.compiled(self.exclude, form)
        except ValueError as error:
            raise UsageError(f"--exclude: {error}", hint="write patterns as in .gitignore") from error

    def base(self, root: str) -> str:
        """Return the folder that patterns are relative to below a root."""
        bases = [each for each in self.bases if root == each or root.startswith(each.rstrip(os.sep) + os.sep)]
        return max(bases, key=len, default=root)

    def skips(self, name: str, parent: str = "") -> bool:
        """Return whether a file or folder of this name is left out anywhere, or in a folder called `parent`."""
        return is_junk(name, parent) or (name.startswith(".") and not self.hidden)


def scan(
    roots: Sequence[str], rules: ScanRules, disk: Disk = pathnames.DISK, *, seen: Container[str] = ()
) -> Iterator[Scanned]:
    """Yield the files at or below absolute paths, each once, and folders and files that can't be read.

    A folder that can be reached in several ways is read once; paths without symbolic links are preferred.
    Files without a decoder here only count as photos if they are among the library's, `seen`.
    """
    walk = _Walk(roots, rules, disk, seen)
    for root in sorted(roots):  # a folder before its content
        yield from walk.root(root)
    yield from walk.links()


def folders(roots: Sequence[str], rules: ScanRules, disk: Disk = pathnames.DISK) -> list[str]:
    """Return the folders that `scan` reads at or below these, without looking at their files."""
    read: list[str] = []
    walk = _Walk(roots, rules, disk, on_folder=read.append)
    for root in sorted(roots):
        deque(walk.root(root), maxlen=0)
    deque(walk.links(), maxlen=0)
    return read


def is_bare(root: str) -> bool:
    """Return whether a root is a folder without visible content, like the mount point of an unmounted disk."""
    try:
        with os.scandir(root) as entries:
            return all(ScanRules().skips(entry.name) for entry in entries)
    except OSError:  # a file, or a folder that `scan` reports
        return False


class _Place(NamedTuple):
    """Where a folder or file was found: below which root, and which ignore files apply, outermost first.

    `form` is how to compare its path with patterns.
    """

    root: str
    ignores: tuple[IgnoreFile, ...]
    form: Form = Form.COMPOSED


class _Walk:
    """A scan over several roots: what was already seen, and which links are still to be followed."""

    def __init__(
        self,
        roots: Sequence[str],
        rules: ScanRules,
        disk: Disk,
        seen: Container[str] = (),
        *,
        on_folder: Callable[[str], None] | None = None,
    ) -> None:
        self._rules, self._disk, self._seen, self._on_folder = rules, disk, seen, on_folder
        self._roots = frozenset(roots)
        self._roots_seen: set[str] = set()
        self._folders_seen: set[tuple[int, int]] = set()
        self._links: deque[tuple[str, _Place]] = deque()

    def root(self, root: str) -> Iterator[Scanned]:
        """Yield what is at or below one root, except behind links."""
        try:
            info = os.stat(root)  # noqa: PTH116 - paths are text here: a Path each would double the scan's time
        except OSError as error:
            yield _failure(root, error)
            return
        if stat.S_ISDIR(info.st_mode):
            yield from self._below(root, _Place(self._rules.base(root), ignore_file.above(root)))
        elif root not in self._roots_seen:
            is_photo = stat.S_ISREG(info.st_mode) and is_photo_file(root)
            yield FoundFile.of(root, info) if is_photo else IndexFailure(root, "not a photo file")

    def links(self) -> Iterator[Scanned]:
        """Yield what is behind the links, and behind those found there."""
        while self._links:
            yield from self._below(*self._links.popleft())

    def _below(self, start: str, place: _Place) -> Iterator[Scanned]:
        waiting = deque([(start, place)])
        while waiting:
            folder, place = waiting.popleft()
            try:
                entries, has_ignores = self._entries(folder)
            except OSError as error:
                yield _failure(folder, error)
                continue
            if self._on_folder is not None:
                self._on_folder(folder)
                entries = [entry for entry in entries if _may_be_folder(entry)]
            if has_ignores:
                place = yield from self._place_with_ignores(folder, place)
            places = self._places(folder, [entry.name for entry in entries], place)
            ahead = stat_ahead(entries, _may_be_photo) if self._on_folder is None else entries
            found = (each for entry in ahead for each in self._entry(entry, places(entry.name), waiting))
            yield from _one_of_each(self._with_a_decoder(_without_parts(list(found))))

    def _places(self, folder: str, names: list[str], place: _Place) -> Callable[[str], _Place]:
        """Return a function from a folder's entries to their places; patterns match by letters, twins by bytes."""
        if place.form is Form.EXACT:
            return lambda _: place
        usual = place._replace(form=pathnames.form_in(folder, names, self._disk))
        alike, exact = pathnames.twins(names), place._replace(form=Form.EXACT)
        return lambda name: exact if name in alike else usual

    def _entries(self, folder: str) -> tuple[list[os.DirEntry[str]], bool]:
        """Return a folder's entries by name, and whether it has an ignore file; empty if it was read before."""
        info = os.stat(folder)  # noqa: PTH116
        if (info.st_dev, info.st_ino) in self._folders_seen:
            return [], False
        self._folders_seen.add((info.st_dev, info.st_ino))
        has_ignores, kept, name = False, [], os.path.basename(folder)  # noqa: PTH119
        library = name if is_library(name) else ""
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name == ignore_file.NAME:
                    has_ignores = True
                elif not self._rules.skips(entry.name, library):
                    kept.append(entry)
        return sorted(kept, key=lambda each: each.name), has_ignores

    def _place_with_ignores(self, folder: str, place: _Place) -> Generator[Scanned, None, _Place]:
        """Return a folder's place with its own ignore file; yield errors in that file."""
        try:
            file = ignore_file.read(folder)
        except OSError as error:
            yield _failure(os.path.join(folder, ignore_file.NAME), error)  # noqa: PTH118
            return place
        for line in file.not_patterns:
            yield IndexFailure(os.path.join(folder, ignore_file.NAME), f"not a pattern: {line.strip()}")  # noqa: PTH118
        return place._replace(ignores=(*place.ignores, file))

    def _entry(self, entry: os.DirEntry[str], place: _Place, waiting: deque[tuple[str, _Place]]) -> Iterator[Scanned]:
        """Yield the entry if it is a file; queue it if it is a folder."""
        try:
            if entry.is_dir(follow_symlinks=False):
                if not self._is_left_out(entry.path + os.sep, place):
                    waiting.append((entry.path, place))
            elif _may_be_photo(entry.name) or entry.is_symlink():
                yield from self._file_or_link(entry, entry.stat(), place)
            elif entry.is_file() and not self._is_left_out(entry.path, place):
                yield OtherFile(entry.path)
        except OSError as error:
            if error.errno not in _GONE:
                yield _failure(entry.path, error)
            elif entry.is_symlink() and has_photo_name(entry.name) and not self._is_left_out(entry.path, place):
                yield IndexFailure(entry.path, "a broken link")

    def _file_or_link(self, entry: os.DirEntry[str], info: os.stat_result, place: _Place) -> Iterator[Scanned]:
        if stat.S_ISDIR(info.st_mode):
            if not self._is_left_out(entry.path + os.sep, place):
                self._links.append((entry.path, place))
        elif not self._is_left_out(entry.path, place):
            if entry.path in self._roots:
                self._roots_seen.add(entry.path)
            if stat.S_ISREG(info.st_mode):
                yield _file(entry, info)
            elif has_photo_name(entry.name):
                yield IndexFailure(entry.path, "a pipe or device, not a file")

    def _with_a_decoder(self, found: Iterable[Scanned]) -> Iterator[Scanned]:
        """Yield a folder's items; a file without a decoder here isn't a photo, unless it was one before."""
        for each in found:
            if not isinstance(each, FoundFile) or may_be_read(each.path) or each.path in self._seen:
                yield each
            else:
                yield OtherFile(each.path)

    def _is_left_out(self, path: str, place: _Place) -> bool:
        """Return whether the command line leaves it out, or else the innermost ignore file that says anything."""
        if not self._rules.exclude and not place.ignores:
            return False
        if self._rules.exclude:
            inside = place.form.of(path[len(place.root.rstrip(os.sep)) + 1 :])
            if self._rules.excluded(place.form).match_file(inside.replace(os.sep, "/")):
                return True
        verdicts = (file.verdict(path, place.form) for file in reversed(place.ignores))
        return next((verdict for verdict in verdicts if verdict is not None), False)


def _may_be_photo(name: str) -> bool:
    return has_photo_name(name) or is_unclear(name)


def _may_be_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether it is a folder or a link to one; for a file this doesn't access the disk."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _without_parts(every: list[Scanned]) -> list[Scanned]:
    """Return a folder's items, with a Live Photo's video not as a photo of its own."""
    files = [each for each in every if isinstance(each, FoundFile)]
    videos = {each.path for each in files if is_video_name(each.path)}
    stills: dict[str, list[str]] = {}
    for each in files if videos else ():
        if each.path not in videos:
            stills.setdefault(_stem(each.path), []).append(each.path)

    def told(each: Scanned) -> Scanned:
        if not isinstance(each, FoundFile) or each.path not in videos:
            return each
        beside = stills.get(_stem(each.path), ())
        is_part = any(is_video_of(still, each.path, each.size_bytes) for still in beside)
        return OtherFile(each.path, f"{ending(each.path)} {OF_LIVE_PHOTO}") if is_part else each

    return list(map(told, every)) if stills else every


def _one_of_each(found: Iterable[Scanned]) -> Iterator[Scanned]:
    """Yield a folder's items, with a RAW file beside a picture of the same name only as a part of that."""
    every = list(found)
    raws = {_stem(each.path): each for each in every if isinstance(each, FoundFile) and raw.is_raw(each.path)}
    if not raws:
        yield from every
        return
    stems = {each.path: _stem(each.path) for each in every if isinstance(each, FoundFile)}
    pictures = {stem for path, stem in stems.items() if not raw.is_raw(path) and not is_video_name(path)}
    for each in every:
        if not isinstance(each, FoundFile) or stems[each.path] not in pictures or is_video_name(each.path):
            yield each
        elif not raw.is_raw(each.path):
            yield replace(each, raw=raws.pop(stems[each.path], None))


def _stem(path: str) -> str:
    return pathnames.key(photo_stem(path))


def _file(entry: os.DirEntry[str], info: os.stat_result) -> Scanned:
    if has_photo_name(entry.name):
        return FoundFile.of(entry.path, info)
    return UnclearFile(FoundFile.of(entry.path, info)) if is_unclear(entry.name) else OtherFile(entry.path)


def _failure(path: str, error: OSError) -> IndexFailure:
    return IndexFailure(path, (error.strerror or str(error)).lower())
