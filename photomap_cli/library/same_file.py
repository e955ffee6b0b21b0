"""Owns which file a photo's path leads to, and whether that is there as it was indexed.  Changes nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from photomap_cli.library.content import digest_at
from photomap_cli.library.entries import FoundFile

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from photomap_cli.library.catalog import Catalog
    from photomap_cli.library.entries import SeenFile
    from photomap_cli.records import Photo


def as_indexed(catalog: Catalog, photos: Iterable[Photo]) -> dict[int, os.stat_result]:
    """Return what the system says of the files of those photos that are there with the bytes they had, by row.

    Only a file that was touched since, and has its old size and time, is read for it.
    """
    wanted = list(photos)
    seen = catalog.files_of([photo.row for photo in wanted])
    there: dict[int, os.stat_result] = {}
    for photo in wanted:
        try:
            info = os.stat(photo.path)  # noqa: PTH116 - a Path each would double the time
        except (OSError, ValueError):
            continue
        if photo.row in seen and _is_unchanged(catalog, seen[photo.row], FoundFile.of(photo.path, info)):
            there[photo.row] = info
    return there


def _is_unchanged(catalog: Catalog, before: SeenFile, now: FoundFile) -> bool:
    if before.has_changed(now) or not before.was_touched(now):
        return not before.has_changed(now)
    digest = digest_at(now.path)
    return digest is not None and before.row in catalog.photos_like(now.size_bytes, digest)


def file_id(path: str, info: os.stat_result) -> Hashable:
    """Return what every path to one file has in common, and no path to another one, as long as both are there."""
    return (info.st_dev, info.st_ino) if info.st_ino else os.path.realpath(path)
