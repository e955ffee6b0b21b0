"""Owns which kinds of files need optional packages, and whether they are installed.  Imports none."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from typing import NamedTuple

from photomap_cli.library.file_types import VIDEO_EXTENSIONS


class _Extra(NamedTuple):
    """What an extra reads, in words; its package; the extensions of such files."""

    what: str
    package: str
    endings: frozenset[str]


_EXTRAS = {
    "video": _Extra("videos", "av", VIDEO_EXTENSIONS),
    "jxl": _Extra("JPEG XL", "pillow_jxl", frozenset({"jxl"})),
}
_BY_ENDING = {ending: extra for extra, known in _EXTRAS.items() for ending in known.endings}


def extra_of(path: str) -> str:
    """Return the extra that reads files of this name or path; empty for files read without one."""
    stem, _, ending = path.rpartition(".")
    return _BY_ENDING.get(ending.lower(), "") if stem else ""


@cache
def is_installed(extra: str) -> bool:
    """Return whether an extra's package is installed."""
    return find_spec(_EXTRAS[extra].package) is not None


def may_be_read(path: str) -> bool:
    """Return whether files of this name or path can be read here."""
    extra = extra_of(path)
    return not extra or is_installed(extra)


def how_to_read(extra: str) -> str:
    """Return how to read an extra's files: `pip install "photomap-cli[video]" reads videos`."""
    return f'pip install "photomap-cli[{extra}]" reads {_EXTRAS[extra].what}'


def ways_to_read(endings: Iterable[str]) -> list[str]:
    """Return how to read files of these extensions, if that needs missing packages; "video" means any video."""
    known = {**_BY_ENDING, "video": "video"}
    wanted = dict.fromkeys(known[each] for each in endings if each in known)
    return [how_to_read(extra) for extra in wanted if not is_installed(extra)]
