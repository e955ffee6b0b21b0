"""Owns the names below photos: short, with folders where files have the same name.  Pure."""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from photomap_cli.views.captions import shortened
from photomap_cli.views.output import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from photomap_cli.records import Hit


_LEAST_NAME = 8
"""Cells kept for a name beside a score; the date is dropped before the name is cut."""


class Names:
    """The names of a list's photos, worked out once per list."""

    def __init__(self) -> None:
        self._hits: Sequence[Hit] = ()
        self._names: dict[str, str] = {}

    def of(self, hits: Sequence[Hit]) -> dict[str, str]:
        """Return the name of each path of these photos."""
        if hits is not self._hits:
            self._hits, self._names = hits, told_apart(hit.path for hit in hits)
        return self._names


def told_apart(paths: Iterable[str]) -> dict[str, str]:
    """Return each path's file name, with as many folders in front as set it apart from the others.

    Example:
        `/a/x/1.jpg`, `/a/y/1.jpg` and `/a/2.jpg` are called `x/1.jpg`, `y/1.jpg` and `2.jpg`.
    """
    groups: dict[str, list[str]] = {}
    for path in dict.fromkeys(paths):
        groups.setdefault(os.path.basename(path), []).append(path)  # noqa: PTH119  a tenth of PurePath's time
    names: dict[str, str] = {}
    for name, alike in groups.items():
        names.update({alike[0]: name} if len(alike) == 1 else _with_folders(alike))
    return names


def _with_folders(paths: list[str]) -> dict[str, str]:
    parts = {path: PurePath(path).parts for path in paths}
    for depth in range(2, max(map(len, parts.values())) + 1):
        names = {path: "/".join(part.strip("/") for part in parts[path][-depth:]) for path in paths}
        if len(set(names.values())) == len(paths):
            return names
    return {path: path for path in paths}


def caption(hit: Hit, name: str, columns: int, *, is_marked: bool) -> str:
    """Return the line below a photo, exactly `columns` cells wide."""
    mark = "● " if is_marked else ""
    shots = f" ×{1 + len(hit.collapsed)}" if hit.collapsed else ""
    told = (
        f"{hit.rank} {_score(hit.score)} "
        if hit.score is not None
        else f"{printable(hit.taken_at or '')[:10]} ".lstrip()
    )
    name, room = printable(name), columns - len(mark) - len(shots)
    if room - len(told) < min(cell_len(name), _LEAST_NAME if hit.score is not None else columns):
        told = ""  # the name matters more
    return fitted(f"{mark}{told}{shortened(name, max(1, room - len(told)))}{shots}", columns)


def _score(score: float) -> str:
    return f"{score:.3f}".replace("0.", ".", 1)


def fitted(text: str, columns: int) -> str:
    """Return a text that is exactly `columns` cells wide: cut at its end, or padded with blanks."""
    return set_cell_size(text, max(0, columns))
