"""Owns the values of filters that Tab offers: read in the background, cached, and searched.  Opens no library."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from photomap_cli.pathnames import extensions_like, key
from photomap_cli.records import Facets
from photomap_cli.search.filter_values import MONTHS
from photomap_cli.views.formatting import photos
from photomap_cli.views.output import printable

if TYPE_CHECKING:
    from photomap_cli.records import Counted

EXTENSIONS = ("jpg", "png", "heic", "webp", "tif", "gif", "bmp", "avif")
"""Offered until the library has been read."""

RELATIVE = ("today", "yesterday", "7d", "1m", "1y")
"""Relative dates that are offered too."""

MOST_OFFERED = 40


class FacetCache:
    """The library's facets; calling it never waits.

    Args:
        read: reads them; may be slow.
        photos: returns the number of photos; a changed number starts a new reading.
    """

    def __init__(self, read: Callable[[], Facets], photos: Callable[[], int | None]) -> None:
        self._read, self._photos = read, photos
        self._reading = threading.Lock()
        self._known = Facets()
        self._photos_then: int | None = None
        self._below: dict[str, int] = {}

    def __call__(self) -> Facets:
        """Return what is known, and start reading again if the library has changed."""
        now = self._photos()
        if now is not None and now != self._photos_then and self._reading.acquire(blocking=False):
            self._photos_then = now
            threading.Thread(target=self._refresh, name="photomap-words", daemon=True).start()
        return self._known

    def photos_below(self, folder: str) -> int | None:
        """Return how many photos are below an absolute folder, as the library writes it; None if unknown.

        Cheap enough for every repaint: compares the number of photos; a changed library is read in the background.
        """
        self()
        return self._below.get(folder)

    def _refresh(self) -> None:
        try:
            with suppress(Exception):  # the query reports a library that can't be read
                self._known = self._read()
                self._below = dict(self._known.folders)
        finally:
            self._reading.release()


def values(name: str, typed: str, known: Facets) -> Iterator[tuple[str, str]]:
    """Yield (value, description) for a filter whose value was begun."""
    typed = key(typed.removeprefix('"'))
    match name:
        case "camera" | "lens":
            names = known.cameras if name == "camera" else known.lenses
            yield from _counted(names, lambda each: typed in key(each))
        case "ext":
            extensions = known.extensions or tuple((extension, 0) for extension in EXTENSIONS)
            written = ((_begun(extension, typed), count) for extension, count in extensions)
            yield from _counted(written, bool)
        case "after" | "before":
            dates = known.months if len(typed) >= len("2023") else _years(known.months)
            yield from _counted(dates, lambda date: date.startswith(typed))
            yield from ((word, "") for word in RELATIVE if typed and word.startswith(typed))
        case "year":
            yield from _counted(_years(known.months), lambda year: year.startswith(typed))
        case "month":
            yield from _months(known.months, typed)
        case "near":
            yield from _counted(known.places, lambda place: place.startswith(typed))
        case _:
            yield from _counted(known.suggestions.get(name, ()), lambda value: value.startswith(typed))


def folders(typed: str, known: Facets) -> Iterator[tuple[str, str]]:
    """Yield the same for folders of the library whose own name has a word that starts with `typed`."""
    begun = " " + key(typed.removeprefix('"'))
    if begun != " " and "/" not in begun:
        yield from _counted(known.folders, lambda folder: begun in f" {key(folder.rpartition('/')[2])}")


def _begun(extension: str, typed: str) -> str:
    """Return the extension, or another for the same format, that starts as typed; empty if there is none."""
    return next((each for each in (extension, *extensions_like(extension)) if each.startswith(typed)), "")


def _years(months: Counted) -> Counted:
    counts: dict[str, int] = {}
    for month, count in months:
        counts[month[:4]] = counts.get(month[:4], 0) + count
    return tuple(counts.items())


def _months(months: Counted, typed: str) -> Iterator[tuple[str, str]]:
    """Yield the months (of any year) with photos, in calendar order, by number or by the name begun."""
    counts: dict[int, int] = {}
    for month, count in months:
        number = int(month[5:7]) if month[5:7].isdecimal() else 0
        counts[number] = counts.get(number, 0) + count
    for number, name in enumerate(MONTHS, 1):
        written = str(number) if str(number).startswith(typed) else name
        if number in counts and written.startswith(typed):
            yield written, f"{name.capitalize()}, {photos(counts[number])}"


def _counted(counted: Iterable[tuple[str, int]], is_wanted: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
    """Yield the wanted values that can be typed, at most MOST_OFFERED."""
    typable = ((value, count) for value, count in counted if is_wanted(value) and _is_typable(value))
    for value, count in islice(typable, MOST_OFFERED):
        yield f'"{value}"' if " " in value else value, photos(count) if count else ""


def _is_typable(value: str) -> bool:
    return '"' not in value and printable(value) == value
