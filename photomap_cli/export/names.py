"""Owns the names of exported photos: free names, and those of files that go along.  Writes nothing."""

# Paths are text here, as the library has them.
# ruff: noqa: PTH113, PTH119, PTH120, PTH121, PTH122, PTH202, PTH208

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import count, islice

from photomap_cli.library.file_types import RAW_EXTENSIONS, VIDEO_EXTENSIONS, ending, is_video_of, photo_stem

SIDECAR_SUFFIXES = (".xmp", ".XMP")
_LONGEST_NAME_BYTES = 255
_PIXEL_RAW = ".RAW-02.ORIGINAL"


def numbered(name: str, *, first: int = 1, most_bytes: int = _LONGEST_NAME_BYTES) -> Iterator[tuple[int, str]]:
    """Yield numbers from `first` on, with the name for each: `a.jpg`, `a (2).jpg`, `a (3).jpg`.

    A name that is too long with its number loses letters of its stem.
    """
    stem, suffix = os.path.splitext(name)
    room = most_bytes - len(SIDECAR_SUFFIXES[0])  # so that a sidecar's name fits too
    for number in count(first):
        if number == 1:
            yield number, name
            continue
        ending = f" ({number}){suffix}"
        yield number, _cut(stem, room - len(os.fsencode(ending))) + ending


def _cut(stem: str, most_bytes: int) -> str:
    """Return as much of a stem as fits, in whole letters."""
    while len(os.fsencode(stem)) > most_bytes and len(stem) > 1:
        stem = stem[:-1]
    return stem


def longest_name(folder: str) -> int:
    """Return the most bytes of a name in a folder."""
    try:
        return os.pathconf(folder, "PC_NAME_MAX")
    except (AttributeError, OSError, ValueError):  # Windows
        return _LONGEST_NAME_BYTES


def sidecars(source: str) -> list[str]:
    """Return a photo's sidecars: `a.jpg.xmp` and `a.xmp` beside `a.jpg`."""
    stem = os.path.splitext(source)[0]
    names = dict.fromkeys(base + suffix for base in (source, stem) for suffix in SIDECAR_SUFFIXES)
    there = [each for each in names if each != source and os.path.isfile(each)]
    return [each for at, each in enumerate(there) if not any(os.path.samefile(each, one) for one in there[:at])]


def parts_beside(source: str) -> list[str]:
    """Return what belongs to a picture: its RAW file with its sidecars, and the video of a Live Photo."""
    if ending(source) in RAW_EXTENSIONS | VIDEO_EXTENSIONS:
        return []
    return [*_raw_beside(source), *_video_beside(source)]


def _raw_beside(source: str) -> list[str]:
    stems = dict.fromkeys((os.path.splitext(source)[0], photo_stem(source) + _PIXEL_RAW))
    written = [each for kind in sorted(RAW_EXTENSIONS) for each in (kind, kind.upper())]
    names = (f"{stem}.{each}" for stem in stems for each in written)
    raw = next((name for name in names if os.path.isfile(name)), None)
    return [raw, *(raw + suffix for suffix in SIDECAR_SUFFIXES if os.path.isfile(raw + suffix))] if raw else []


def _video_beside(source: str) -> list[str]:
    stem = os.path.splitext(source)[0]
    videos = (f"{stem}.{each}" for kind in ("mov", "mp4") for each in (kind, kind.upper()))
    there = (each for each in videos if os.path.isfile(each) and is_video_of(source, each, os.path.getsize(each)))
    return [*islice(there, 1)]


def beside(companion: str, source: str, target: str) -> str:
    """Return where a companion file belongs when its photo is at `target`."""
    if companion.startswith(source + "."):
        return target + companion[len(source) :]
    own = os.path.splitext(source)[0]
    if companion.startswith(own + "."):
        return os.path.splitext(target)[0] + companion[len(own) :]
    return photo_stem(target) + companion[len(photo_stem(source)) :]


def has_company(sidecar: str, source: str, along: Iterable[str]) -> bool:
    """Return whether a sidecar may also belong to another file, which doesn't go along."""
    stem, ending = os.path.splitext(sidecar)
    if sidecar.startswith(source + ".") or ending not in SIDECAR_SUFFIXES:
        return False
    own = {os.path.basename(each) for each in (sidecar, source, *along)}
    try:
        names = os.listdir(os.path.dirname(source))
    except OSError:
        return True
    start = os.path.basename(stem) + "."
    return any(name.startswith(start) and name not in own and not name.lower().endswith(".xmp") for name in names)


class Names:
    """Free names in a folder, for one export.

    The last number of each name is remembered, so that a thousand photos of one name don't take a million checks.
    """

    def __init__(self, folder: str) -> None:
        self._most_bytes, self._last = longest_name(folder), dict[str, int]()

    def free(self, name: str) -> Iterator[str]:
        """Yield the names for a file of this name; ask for the next one if a name is taken."""
        for number, written in numbered(name, first=self._last.get(name, 1), most_bytes=self._most_bytes):
            self._last[name] = number
            yield written
