"""Owns where a search looks: which folder, and how the library writes a path.  Knows no vectors."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from photomap_cli.errors import BadPath
from photomap_cli.records import FilterKind, PhotoFilter

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from photomap_cli.library.catalog import Catalog

WHOLE_LIBRARY = "*"


class Scope:
    """What the library covers of the disk, for the paths that a query and its request name."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def rows(self, filters: Sequence[PhotoFilter], *, cwd: str, folder: str | None) -> NDArray[np.int64] | None:
        """Return the rows of the photos that meet all filters within the scope, sorted; None for every photo.

        `cwd` and `folder` are those of a `SearchRequest`.  Raises BadPath where the folder is none.
        """
        within = tuple(
            replace(one, value=self.located(one.value)) if one.kind is FilterKind.IN else one
            for one in (*filters, *self._scope(filters, cwd, folder))
        )
        return self._catalog.rows(within) if within else None

    def located(self, path: str) -> str:
        """Return a path as the library has it: roots are known by their real path, what is below them as found."""
        return path if self._is_inside(path) else os.path.realpath(path)

    def _is_inside(self, path: str) -> bool:
        return any(Path(path).is_relative_to(root) for root in self._catalog.roots())

    def _scope(self, filters: Sequence[PhotoFilter], cwd: str, folder: str | None) -> tuple[PhotoFilter, ...]:
        """Return the filter for where to look: the folder asked for, else the current one inside an indexed folder."""
        if folder == WHOLE_LIBRARY:
            return ()
        if folder is not None:
            if not Path(folder).is_dir():
                raise BadPath(f"{folder} is no folder", hint="give a folder of the library, or * for all of it")
            return (PhotoFilter(FilterKind.IN, folder),)
        said = any(one.kind is FilterKind.IN and not one.negated for one in filters)
        inside = self._is_inside(self.located(cwd))
        return (PhotoFilter(FilterKind.IN, cwd),) if inside and not said else ()
