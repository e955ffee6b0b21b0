"""Owns what the catalogue tells of photos and of itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FilterKind(StrEnum):
    """What a filter looks at."""

    IN = "in"
    AFTER = "after"
    BEFORE = "before"
    EXT = "ext"
    CAMERA = "camera"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class PhotoFilter:
    """One condition a photo must meet.

    Attributes:
        kind: what is looked at.
        value: IN an absolute folder; AFTER / BEFORE a local time `YYYY-MM-DDTHH:MM:SS` (AFTER keeps photos at or after
            it, BEFORE those earlier than it); EXT an extension in lower case without its dot; CAMERA a part of the
            camera's name, any case; NAME a shell pattern for the file's name, any case.
        negated: keep the photos that do *not* meet it.
    """

    kind: FilterKind
    value: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo as the catalogue knows it.

    Attributes:
        row: its row in the vector file; never used again for another photo.
        path: absolute path.
        size_bytes, mtime_ns: of the file when it was encoded.
        taken_at: EXIF DateTimeOriginal as local time `YYYY-MM-DDTHH:MM:SS`, or None.
        dated_at: `taken_at`, or the file's modification time where there is none.
        width, height: pixels, upright (after EXIF orientation).
        camera: make and model, or None.
    """

    row: int
    path: str
    size_bytes: int
    mtime_ns: int
    taken_at: str | None
    dated_at: str
    width: int
    height: int
    camera: str | None


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """What a photo looks like in small: WebP, upright, sRGB; or nothing and, as `fault`, why."""

    webp: bytes = b""
    fault: str = ""


Counted = tuple[tuple[str, int], ...]
"""Values with the number of photos that have them."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What filters can name in a library, for completion.

    Attributes:
        cameras: most photos first.
        extensions: most photos first, without dots.
        months: `YYYY-MM`, newest first.
        folders: absolute, those above others included; most photos first.
    """

    cameras: Counted = ()
    extensions: Counted = ()
    months: Counted = ()
    folders: Counted = ()


@dataclass(frozen=True, slots=True)
class LibraryStatus:
    """The library on disk: where it is, how much is in it, and with which encoder it was made."""

    path: str
    photos: int
    encoder: str | None
    dim: int | None
    bytes: int
    last_indexed_at: str | None
    roots: tuple[str, ...]
