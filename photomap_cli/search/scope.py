"""Owns a search's scope: which folder, and how the library writes its path.  Knows no vectors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from photomap_cli import pathnames
from photomap_cli.errors import BadPath
from photomap_cli.records import FilterKind, PhotoFilter
from photomap_cli.search import query_format
from photomap_cli.search.filter_values import WHOLE_LIBRARY

if TYPE_CHECKING:
    from photomap_cli.library.store import Facts
    from photomap_cli.records import SearchRequest


class Scope:
    """Resolves the paths in a query and its request against what the library covers."""

    def __init__(self, catalog: Facts) -> None:
        self._catalog = catalog

    def within(self, filters: Sequence[PhotoFilter], *, cwd: str, folder: str | None) -> tuple[PhotoFilter, ...]:
        """Return the filters including the scope, with paths as the library writes them; empty for all photos.

        `cwd` and `folder` are those of a `SearchRequest`.  Raises BadPath if the folder doesn't exist.
        """
        below = self.below(filters, cwd=cwd, folder=folder)
        scope = (PhotoFilter(FilterKind.IN, below),) if below else ()
        return tuple(self._looked_up(one) for one in (*filters, *scope) if not _is_everywhere(one))

    def _looked_up(self, one: PhotoFilter) -> PhotoFilter:
        """Return a filter with a folder as the library writes it."""
        return replace(one, value=self.located(one.value)) if one.kind is FilterKind.IN else one

    def located(self, path: str) -> str:
        """Return a path as the library has it: as written, else as the disk spells it, else without links.

        Roots are stored by their real path, and what is below them as found.
        """
        if self._catalog.has_photos(path):
            return path
        spelled, real = pathnames.on_disk(path), pathnames.real(path)
        for each in (spelled, real):
            if self._catalog.has_photos(each):
                return each
        if not path.isascii() and not os.path.lexists(spelled):  # on a disk that isn't there now
            spelled = self._catalog.spelled(path)
        return spelled if self._is_inside(spelled) else real

    def _is_inside(self, path: str) -> bool:
        return any(Path(path).is_relative_to(root) for root in self._catalog.roots())

    def below(self, filters: Sequence[PhotoFilter], *, cwd: str, folder: str | None) -> str | None:
        """Return the folder to search below: the requested one, else the current one if it is inside an indexed folder.

        None for the whole library, and if the filters name a folder.  Raises BadPath if the folder doesn't exist.
        """
        if folder == WHOLE_LIBRARY or any(map(_is_everywhere, filters)):
            return None
        if folder is not None:
            if not self._catalog.has_photos(self.located(folder)):  # also on a disk that isn't there now
                require_folder(folder)
            return folder
        said = any(one.kind is FilterKind.IN and not one.negated for one in filters)
        return cwd if not said and self._is_inside(self.located(cwd)) else None

    def elsewhere(self, filters: Sequence[PhotoFilter], *, cwd: str, folder: str | None, doing: str) -> str:
        """Return a notice if the whole library is searched because the current folder isn't part of it.

        Empty if a folder was named, or the whole library is below the current one.  `doing` is a verb.
        """
        is_named = folder is not None or any(one.kind is FilterKind.IN and not one.negated for one in filters)
        if is_named or self._is_inside(self.located(cwd)) or self._holds_all(cwd):
            return ""
        count = self._catalog.photo_count
        photos = f"{count:,} photo{'' if count == 1 else 's'}"
        return f"{_from_home(cwd)} is not indexed; {doing} the whole library ({photos})"

    def why_nothing(self, filters: Sequence[PhotoFilter], request: SearchRequest, count: int) -> tuple[str, ...]:
        """Return why nothing was found: no photo meets the filters, or not all photos were searched.

        `count` is the number of photos within the filters and the scope.
        """
        below = self.below(filters, cwd=request.cwd, folder=request.folder)
        place = f" below {below}" if below and not self._holds_all(below) else ""
        if count and not place:
            return ()
        wanted = " ".join(query_format.condition(one) for one in filters)
        none = f"no photo{place} matches {wanted}" if filters else f"the library has no photo{place}"
        said = f"only photos{place} were searched" if count else none
        return (f"{said}; in:* searches the whole library" if place else said,)

    def _holds_all(self, folder: str) -> bool:
        return all(Path(root).is_relative_to(self.located(folder)) for root in self._catalog.roots())


def require_folder(path: str) -> None:
    """Raise BadPath if the folder to search below doesn't exist."""
    if not os.path.isdir(pathnames.on_disk(path)):  # noqa: PTH112  Path fails at a name that is too long
        raise BadPath(f"{path} isn't a folder", hint="give a folder of the library, or * for all of it")


def _from_home(path: str) -> str:
    """Return a path with `~` for the home folder."""
    home = os.path.expanduser("~")  # noqa: PTH111  Path.home fails where there is none
    if home == path:
        return "~"
    below = home.rstrip(os.sep) + os.sep
    return f"~{os.sep}{path.removeprefix(below)}" if path.startswith(below) and below != os.sep else path


def _is_everywhere(one: PhotoFilter) -> bool:
    return one.kind is FilterKind.IN and one.value == WHOLE_LIBRARY and not one.negated
