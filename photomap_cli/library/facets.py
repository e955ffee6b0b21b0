"""Owns reading the values that filters can have in a library, with their counts.  Light: imports no numpy."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from photomap_cli.library import database
from photomap_cli.library.sql_filters import KINDS, SHAPES, TRAITS, where
from photomap_cli.library.stats import read_roots
from photomap_cli.pathnames import extensions_like
from photomap_cli.records import Facets, FilterKind, PhotoFilter

if TYPE_CHECKING:
    import sqlite3

    from photomap_cli.records import Counted

MOST_CAMERAS = 200
MOST_FOLDERS = 5_000
"""The most folders kept, those with most photos first."""

MOST_PLACES = 40

SUGGESTED = {
    FilterKind.KIND: tuple(KINDS),
    FilterKind.ORIENTATION: tuple(SHAPES),
    FilterKind.HAS: tuple(TRAITS),
    FilterKind.RATING: ("5", ">=4", ">=3", ">=2", ">=1", "0", "-1"),
    FilterKind.SIZE: (">=40mp", ">=20mp", ">=12mp", ">=8mp", ">=2mp", "<2mp", ">=10mb", "<500kb"),
}
"""Values of filters to offer if some photo has them."""

_CAMERAS = "SELECT camera, count(*) FROM photos WHERE camera NOT NULL GROUP BY camera ORDER BY 2 DESC, 1 LIMIT ?"
_LENSES = _CAMERAS.replace("camera", "lens")
# The centre of the photos in each cell of a grid of a tenth of a degree, 11 km from south to north.
_PLACES = """SELECT printf('%.2f,%.2f,10km', avg(latitude), avg(longitude)), count(*) AS photos FROM photos
    WHERE latitude NOT NULL GROUP BY round(latitude, 1), round(longitude, 1) ORDER BY photos DESC, 1 LIMIT ?"""
_EXTENSIONS = "SELECT ext, count(*) FROM photos GROUP BY ext ORDER BY 2 DESC, 1"
_MONTHS = "SELECT substr(dated_at, 1, 7) AS month, count(*) FROM photos GROUP BY month ORDER BY month DESC"
# Removing the trailing characters other than separators from a path leaves its folder.
_FOLDERS = "SELECT rtrim(path, replace(path, ?, '')) AS folder, count(*) FROM photos GROUP BY folder"


def read(folder: Path) -> Facets:
    """Read the facets of the library in `folder`.

    Raises:
        EmptyLibrary, LibraryBusy, LibraryUnusable: as `database.connect`.
    """
    with closing(database.connect(folder, create=False)) as opened:
        return facets_of(opened)


def facets_of(opened: database.Database) -> Facets:
    """Read the facets of an open library: 0.6 s for 200,000 photos, nearly all of it inside SQLite."""
    with opened.reading() as connection:
        with_photos = connection.execute(_FOLDERS, (os.sep,)).fetchall()
        return Facets(
            cameras=tuple(connection.execute(_CAMERAS, (MOST_CAMERAS,))),
            extensions=kinds(connection.execute(_EXTENSIONS)),
            months=tuple(connection.execute(_MONTHS)),
            folders=with_those_above(with_photos, read_roots(connection)),
            lenses=tuple(connection.execute(_LENSES, (MOST_CAMERAS,))),
            places=tuple(connection.execute(_PLACES, (MOST_PLACES,))),
            suggestions=_suggestions(connection),
        )


def _suggestions(connection: sqlite3.Connection) -> dict[str, Counted]:
    """Return how many photos each suggested value finds, in one pass over all photos."""
    clauses = [where([PhotoFilter(kind, value)]) for kind, values in SUGGESTED.items() for value in values]
    sums = ", ".join(f"total({sql})" for sql, _ in clauses)
    found = connection.execute(f"SELECT {sums} FROM photos", [value for _, values in clauses for value in values])
    counts = iter(found.fetchone())
    counted = {kind.value: [(value, int(next(counts))) for value in values] for kind, values in SUGGESTED.items()}
    return {name: tuple(each for each in values if each[1]) for name, values in counted.items()}


def kinds(extensions: Iterable[tuple[str, int]]) -> Counted:
    """Return each kind of file once, under its most frequent extension; most photos first."""
    kinds: dict[tuple[str, ...], tuple[str, int]] = {}
    for extension, count in extensions:
        name, before = kinds.get(extensions_like(extension), (extension, 0))
        kinds[extensions_like(extension)] = name, before + count
    return tuple(sorted(kinds.values(), key=lambda each: -each[1]))


def with_those_above(folders: list[tuple[str, int]], roots: Sequence[str]) -> Counted:
    """Return the folders and their parents, up to the roots, each with its number of photos at or below it."""
    counts: Counter[str] = Counter()
    outside = {"", *(root.rpartition(os.sep)[0] for root in roots)}
    for path, count in folders:
        above = path.rstrip(os.sep)
        while above not in outside:
            counts[above] += count
            above = above.rpartition(os.sep)[0]
    return tuple(counts.most_common(MOST_FOLDERS))
