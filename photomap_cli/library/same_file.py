"""Owns which file a photo's path leads to, and whether it is unchanged since it was indexed.  Changes nothing."""

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
    """Return the stat results of photos' files that still have the same bytes, by row.

    Only a file that was touched but has its old size and time is read for this.
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
    """Return an identity that all paths to the same file share, as long as it exists."""
    return (info.st_dev, info.st_ino) if info.st_ino else os.path.realpath(path)


def photos_of_file(catalog: Facts, path: str, info: os.stat_result) -> list[Photo]:
    """Return the photos whose paths lead to the same file as a path, with its size and time."""
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
    """Tells files from other paths to them: links, hard links, linked folders, overlapping roots.

    `left_out` are the rows of photos whose files have changed since they were indexed, or are gone.
    """

    def __init__(self, catalog: Facts) -> None:
        self._catalog = catalog
        self._ids: dict[int, Hashable | None] = {}
        self._linked: set[Hashable] = set()

    @property
    def left_out(self) -> set[int]:
        """The rows of those photos, among all that were asked for."""
        return {row for row, known in self._ids.items() if known is None}

    def one_of_each(self, photos: Sequence[Photo]) -> list[Photo]:
        """Return a photo for each unchanged file, at the path that is the file itself.

        Links don't count, as what happens to a link doesn't happen to the file.
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
        """Return whether one of the links that were asked for leads to a photo's file."""
        return self._ids[photo.row] in self._linked

    def _look_at(self, photos: Sequence[Photo]) -> None:
        new = [photo for photo in photos if photo.row not in self._ids]
        there = as_indexed(self._catalog, new)
        for photo in new:
            info = there.get(photo.row)
            self._ids[photo.row] = file_id(photo.path, info) if info else None


def _directness(photo: Photo) -> tuple[bool, int, str]:
    """Sort key: paths without links first, then the shortest."""
    return os.path.realpath(photo.path) != photo.path, len(photo.path), photo.path
