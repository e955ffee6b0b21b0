"""Owns telling photos that were deleted from photos on a disk that is not there now.  Removes nothing."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

from photomap_cli.library.scan import is_bare
from photomap_cli.records import IndexFailure

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

MANY = 1000
"""So many photos at once do not go from a folder that stays behind empty: a disk is mounted there, or was."""


def absent(root: str, photos: int) -> IndexFailure:
    """Say that a root is not there, nor are its photos."""
    return IndexFailure(root, f"not there; its {_kept(photos)}" if photos else "not there")


def empty_folders(gone: Iterable[str], roots: Collection[str]) -> list[IndexFailure]:
    """Return the folders that look like the place of a missing disk, given the paths of the photos that are gone.

    Such a folder is a link that leads nowhere; or it is there and holds nothing visible, and is a root or had many
    photos.
    """
    counts = Counter[str]()
    for folder, photos in Counter(map(os.path.dirname, gone)).items():
        counts[_standing(folder)] += photos
    kept = []
    for folder, photos in counts.items():
        if os.path.islink(folder) and not os.path.isdir(folder):  # noqa: PTH112, PTH114
            kept.append(IndexFailure(folder, f"a link that leads nowhere; its {_kept(photos)}"))
        elif (folder in roots or photos >= MANY) and is_bare(folder):
            kept.append(IndexFailure(folder, f"the folder is empty; its {_kept(photos)}"))
    return kept


def _kept(photos: int) -> str:
    them, were = ("them", "s were") if photos != 1 else ("it", " was")
    return f"{photos:,} photo{were} kept, as a disk may be missing (--prune removes {them})"


def _standing(folder: str) -> str:
    """Return a folder, or the innermost one around it, that is there or is a link to one that is not."""
    # Paths are text here.
    while not (os.path.isdir(folder) or os.path.islink(folder)) and folder != os.path.dirname(folder):  # noqa: PTH112, PTH114, PTH120
        folder = os.path.dirname(folder)  # noqa: PTH120
    return folder
