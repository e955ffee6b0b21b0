"""Owns which file a photo's path leads to, and whether that is there as it was indexed.  Changes nothing."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING

from photomap_cli.library.entities import FoundFile
from photomap_cli.library.file_identity import digest_at
from photomap_cli.library.paths import is_elsewhere

if TYPE_CHECKING:
    from photomap_cli.library.entities import SeenFile
    from photomap_cli.library.store import Facts
    from photomap_cli.records import Photo


def as_indexed(catalog: Facts, photos: Iterable[Photo]) -> dict[int, os.stat_result]:
    """Return what the system says of the files of those photos that are there with the bytes they had, by row.

    Only a file that was touched since, and has its old size and time, is read for it.
    """
    wanted = list(photos)
    seen = catalog.files_of([photo.row for photo in wanted])
    there: dict[int, os.stat_result] = {}
    for photo in wanted:
        if is_elsewhere(photo.path):
            continue
        try:
            info = os.stat(photo.path)  # noqa: PTH116 - a Path each would double the time
        except (OSError, ValueError):
            continue
        if photo.row in seen and _is_unchanged(catalog, seen[photo.row], FoundFile.of(photo.path, info)):
            there[photo.row] = info
    return there


def _is_unchanged(catalog: Facts, before: SeenFile, now: FoundFile) -> bool:
    if before.has_changed(now) or not before.was_touched(now):
        return not before.has_changed(now)
    digest = digest_at(now.path)
    return digest is not None and catalog.contents.photo(now.size_bytes, digest, before.row) is not None


def file_id(path: str, info: os.stat_result) -> Hashable:
    """Return what every path to one file has in common, and no path to another one, as long as both are there."""
    return (info.st_dev, info.st_ino) if info.st_ino else os.path.realpath(path)


def photos_of_file(catalog: Facts, path: str, info: os.stat_result) -> list[Photo]:
    """Return the photos that are the very file at a path, whatever theirs are, and have its size and time."""
    now, found = FoundFile.of(path, info), []
    for photo in catalog.photos(catalog.rows_like(now)):
        if is_elsewhere(photo.path):
            continue
        try:
            is_same = file_id(photo.path, os.stat(photo.path)) == file_id(path, info)  # noqa: PTH116
        except (OSError, ValueError):
            continue
        found += [photo] if is_same else []
    return found


class RealFiles:
    """Tells files from further paths to them: links, hard links, linked folders, roots that overlap.

    `left_out` are the rows of photos whose files are not there as they were indexed: nothing is known of those now.
    """

    def __init__(self, catalog: Facts) -> None:
        self._catalog = catalog
        self._ids: dict[int, Hashable | None] = {}
        self._linked: set[Hashable] = set()

    @property
    def left_out(self) -> set[int]:
        """The rows of those photos, of all that were asked for."""
        return {row for row, known in self._ids.items() if known is None}

    def one_of_each(self, photos: Sequence[Photo]) -> list[Photo]:
        """Return a photo for each file that is there as it was indexed, at the path that is the file itself.

        A link is none, as what happens to it does not happen to the file.
        """
        self._look_at(photos)
        ways: dict[Hashable, list[Photo]] = defaultdict(list)
        for photo in photos:
            if (known := self._ids[photo.row]) is not None:
                ways[known].append(photo)
        chosen = []
        for known, paths in ways.items():
            own = [photo for photo in paths if not os.path.islink(photo.path)]  # noqa: PTH114
            if len(own) < len(paths):
                self._linked.add(known)
            chosen += own if len(own) == 1 else sorted(own, key=_directness)[:1]
        return chosen

    def is_linked_to(self, photo: Photo) -> bool:
        """Whether one of the links that were asked for leads to a photo's file."""
        return self._ids[photo.row] in self._linked

    def _look_at(self, photos: Sequence[Photo]) -> None:
        new = [photo for photo in photos if photo.row not in self._ids]
        there = as_indexed(self._catalog, new)
        for photo in new:
            info = there.get(photo.row)
            self._ids[photo.row] = file_id(photo.path, info) if info else None


def _directness(photo: Photo) -> tuple[bool, int, str]:
    """Sort a path that goes through no link to the front, then the shortest."""
    return os.path.realpath(photo.path) != photo.path, len(photo.path), photo.path
