"""Owns completing paths from folder entries.  Reads names only, never a picture."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from photomap_cli.pathnames import extensions_like, key, on_disk

_IMAGES = ("jpg", "png", "webp", "heic", "avif", "tif", "gif", "bmp")
IMAGE_SUFFIXES = frozenset(f".{extension}" for image in _IMAGES for extension in extensions_like(image))
MAX_ENTRIES = 2000  # entries of a folder: a longer menu helps nobody, and a network folder may be slow


def folders(typed: str, cwd: Path) -> Iterator[tuple[str, str]]:
    """Yield (replacement for `typed`, text to show) for folders that complete `typed`."""
    return _entries(typed, cwd, lambda entry: entry.is_dir())


def files_to_write(typed: str, cwd: Path, endings: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield the same for folders, and for a file name that was begun with each possible ending."""
    yield from folders(typed, cwd)
    name = typed.rpartition("/")[2]
    stem, dot, begun = name.rpartition(".") if "." in name else (name, "", "")
    for ending in endings if stem else ():
        if ending.startswith(dot + begun):
            path = typed.removesuffix(dot + begun) + ending
            yield _quoted(path, "", '"') if _needs_quotes(path) else path, stem + ending


def images(typed: str, cwd: Path) -> Iterator[tuple[str, str]]:
    """Yield the same for folders and picture files; a path with spaces becomes `@"..."`."""
    return _entries(typed, cwd, _is_image_or_folder, quote='@"', mark="@" if typed.startswith("@") else "")


def _is_image_or_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir() or Path(entry.name).suffix.lower() in IMAGE_SUFFIXES


def _entries(
    typed: str, cwd: Path, wanted: Callable[[os.DirEntry[str]], bool], *, quote: str = '"', mark: str = ""
) -> Iterator[tuple[str, str]]:
    plain = typed.removeprefix("@").removeprefix('"')
    head, slash, begun = plain.rpartition("/")
    folder = cwd / os.path.expanduser(head + slash)  # noqa: PTH111  Path's raises for a user there isn't
    if not os.path.isdir(folder):  # noqa: PTH112  asked at each key, so with as few questions to the disk as can be
        folder = Path(on_disk(os.path.normpath(folder)))
    for entry in _sorted(folder):
        if _matches(entry.name, begun) and wanted(entry):
            ending = "/" if entry.is_dir() else ""
            path = head + slash + entry.name
            yield _quoted(path, ending, quote) if _needs_quotes(path) else mark + path + ending, entry.name + ending


def _sorted(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(islice(entries, MAX_ENTRIES), key=lambda entry: key(entry.name))
    except OSError:
        return []


def _matches(name: str, begun: str) -> bool:
    """Hidden names only if a dot was typed; names that can't be typed never."""
    hidden = name.startswith(".") and not begun.startswith(".")
    return key(name).startswith(key(begun)) and not hidden and name.isprintable() and '"' not in name


def _needs_quotes(path: str) -> bool:
    return " " in path or path.startswith("'")


def _quoted(path: str, ending: str, quote: str) -> str:
    """Quote a path with spaces; a folder's quote stays open, so that you can type on inside it."""
    return f"{quote}{path}{ending}" + ("" if ending else '"')
