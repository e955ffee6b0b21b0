"""Owns telling deleted photos from photos on a disk that isn't mounted.  Removes nothing."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from photomap_cli.indexing.scan import is_bare
from photomap_cli.records import IndexFailure

if TYPE_CHECKING:
    from photomap_cli.library.store import Writes

MANY = 1000
"""Photos above this number don't vanish at once from a folder that stays behind empty, unless a disk is unmounted."""


def absent(root: str, photos: int) -> IndexFailure:
    """Report a missing root with its photos."""
    return IndexFailure(root, f"not there; its {_kept(photos)}" if photos else "not there")


def vanished(gone: Iterable[str], roots: Iterable[str]) -> list[IndexFailure]:
    """Return the roots that disappeared while they were being scanned, with some of their photos."""
    paths, away = list(gone), [root for root in sorted(roots) if not os.path.lexists(root)]
    counts = {root: sum(_holds(root, path) for path in paths) for root in away}
    return [absent(root, photos) for root, photos in counts.items() if photos]


def empty_folders(gone: Iterable[str], roots: Collection[str], *, others: Iterable[str] = ()) -> list[IndexFailure]:
    """Return the folders that look like the mount point of a missing disk, given the paths of the gone photos.

    `others` are photos that weren't looked for; in such a folder they are gone too.

    Such a folder is a broken link; or it exists without visible content, and is a root or had many
    photos.
    """
    counts = Counter[str]()
    for folder, photos in Counter(map(os.path.dirname, gone)).items():
        counts[_standing(folder)] += photos
    for folder, photos in Counter(map(os.path.dirname, others)).items() if counts else ():
        if (standing := _standing(folder)) in counts:
            counts[standing] += photos
    kept = (_out_of_sight(folder, photos, roots) for folder, photos in counts.items())
    return [each for each in kept if each]


def unreadable_folders(gone: Iterable[str]) -> Iterator[IndexFailure]:
    """Yield the folders that can't be read, given the paths of the photos that seem to be gone."""
    for folder in sorted({*map(os.path.dirname, gone)}):
        try:
            os.scandir(folder).close()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            yield IndexFailure(folder, (error.strerror or str(error)).lower())


class DeletionCheck:
    """Tells whether a missing photo is really gone or just out of reach; used by all parts of a run.

    Args:
        catalog: knows the roots that the run doesn't scan, and how many photos are below a folder.
        looked_through: roots that the run has scanned.
        gone: the paths of the photos that are gone there; the others were kept.
    """

    def __init__(self, catalog: Writes, looked_through: Collection[str], gone: Collection[str]) -> None:
        self._looked_through, self._gone = tuple(looked_through), gone
        self._roots, self._count = catalog.roots(), cache(catalog.count_below)
        self._kept: dict[str, IndexFailure] = {}

    @property
    def kept(self) -> list[IndexFailure]:
        """The folders that weren't scanned, whose photos were asked for and are out of reach."""
        return [self._kept[folder] for folder in sorted(self._kept)]

    def is_gone(self, path: str) -> bool:
        """Return whether the file at a path is really gone; a photo that isn't gone hasn't moved.

        A path that is not absolute is of a root that another computer has, and nothing is known of it here.
        """
        if not os.path.isabs(path) or not _is_not_there(path):  # noqa: PTH117 - paths are text here
            return False
        if any(_holds(root, path) for root in self._looked_through):
            return path in self._gone
        found = self._hiding(path)
        if found:
            self._kept[found.path] = found
        return found is None

    def _hiding(self, path: str) -> IndexFailure | None:
        """Return the unscanned folder that is on a missing disk with a path's file."""
        for root in self._roots:
            if _holds(root, path) and not os.path.lexists(root):
                return absent(root, self._count(root))
        folder = _standing(os.path.dirname(path))  # noqa: PTH120 - paths are text here
        return _out_of_sight(folder, self._count(folder), self._roots)


def _out_of_sight(folder: str, photos: int, roots: Collection[str]) -> IndexFailure | None:
    """Report a folder if it looks like the mount point of a missing disk; `photos` were below it."""
    if os.path.islink(folder) and not os.path.isdir(folder):  # noqa: PTH112, PTH114
        return IndexFailure(folder, f"a broken link; its {_kept(photos)}")
    if (folder in roots or photos >= MANY) and is_bare(folder):
        return IndexFailure(folder, f"the folder is empty; its {_kept(photos)}")
    return None


def _is_not_there(path: str) -> bool:
    """Return whether there is nothing at a path; a path that can't be checked, as below a locked folder, may exist."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        pass
    return False


def _holds(root: str, path: str) -> bool:
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)


def _kept(photos: int) -> str:
    them, were = ("them", "s were") if photos != 1 else ("it", " was")
    return f"{photos:,} photo{were} kept in case a disk isn't mounted (--prune removes {them})"


def _standing(folder: str) -> str:
    """Return a folder, or the innermost one around it, that exists or is a broken link."""
    # Paths are text here.
    while not (os.path.isdir(folder) or os.path.islink(folder)) and folder != os.path.dirname(folder):  # noqa: PTH112, PTH114, PTH120
        folder = os.path.dirname(folder)  # noqa: PTH120
    return folder
