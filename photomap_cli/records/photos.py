"""Owns the catalogue's values: photos, filters, facets and the library's status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from photomap_cli.records.record import IF_ANY, Record


class FilterKind(StrEnum):
    """What a filter looks at."""

    IN = "in"
    AFTER = "after"
    BEFORE = "before"
    YEAR = "year"
    MONTH = "month"
    EXT = "ext"
    KIND = "kind"
    CAMERA = "camera"
    LENS = "lens"
    NAME = "name"
    ORIENTATION = "orientation"
    SIZE = "size"
    RATING = "rating"
    HAS = "has"
    NEAR = "near"
    ALBUM = "album"


@dataclass(frozen=True, slots=True)
class PhotoFilter:
    """One condition a photo must meet.

    Attributes:
        kind: what the filter looks at.
        value: IN an absolute folder; AFTER / BEFORE a local time `YYYY-MM-DDTHH:MM:SS` (AFTER keeps photos at or after
            it, BEFORE those earlier than it); YEAR, MONTH, RATING a range of whole numbers and SIZE one of sizes, as
            `library.number_ranges` reads them; EXT an extension in lower case without its dot; CAMERA, LENS a part of
            the name, any case; NAME a shell pattern for the file's name, any case; KIND, ORIENTATION, HAS one of the
            words in `library.sql_filters`; NEAR a circle, as `library.geography` reads it; ALBUM the name of
            an album, any case.
        negated: keep the photos that do *not* meet it.
    """

    kind: FilterKind
    value: str
    negated: bool = False


class DateSource(StrEnum):
    """Where a photo's date comes from, the best first; `..._DAY` are dates without a valid time of day."""

    EXIF = "exif"
    EXIF_DAY = "exif-day"
    NAME = "name"
    NAME_DAY = "name-day"
    FILE = "file"
    UNKNOWN = "unknown"

    @property
    def is_day(self) -> bool:
        """Whether there is no time of day."""
        return self in (DateSource.EXIF_DAY, DateSource.NAME_DAY)


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo as the catalogue knows it.

    Attributes:
        row: its row in the vector file; never reused unless the library gets another id.
        path: absolute path.
        size_bytes, mtime_ns: of the file when it was encoded.
        taken_at: when it was taken, from its EXIF or else its name: local time `YYYY-MM-DDTHH:MM:SS`, or None.
        dated_at: `taken_at`, or the file's modification time if there is none, or 1970 if that can't be true either.
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
class PhotoDetails(Record):
    """All that the library knows about a photo; the first fields are those of `Photo`.

    Attributes:
        date_source: where `dated_at` comes from.
        lens: make and model, or None.
        latitude, longitude: degrees, north and east positive; both or neither.
        rating: 1 to 5 stars, -1 for rejected, or None.
        kind: "photo", "raw" or "video".
        extension: the kind of file, as `ext:` takes it.
        seconds: length of a video, or None.
    """

    path: str
    size_bytes: int
    taken_at: str | None
    dated_at: str
    date_source: DateSource
    width: int
    height: int
    camera: str | None
    lens: str | None
    latitude: float | None
    longitude: float | None
    rating: int | None = None
    kind: str = "photo"
    extension: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small picture of a photo: WebP, upright, sRGB; or empty, with the reason in `fault`."""

    webp: bytes = b""
    fault: str = ""


Counted = tuple[tuple[str, int], ...]
"""Values with the number of photos that have them."""


@dataclass(frozen=True, slots=True)
class Facets:
    """The values that filters can have in a library, for completion.

    Attributes:
        cameras: most photos first.
        extensions: most photos first, without dots.
        months: `YYYY-MM`, newest first.
        folders: absolute, including parent folders; most photos first.
        lenses: most photos first.
        places: centres of where photos were taken, as `near:` takes them; most photos first.
        suggestions: by filter, a few values to choose from; those that no photo has are left out.
    """

    cameras: Counted = ()
    extensions: Counted = ()
    months: Counted = ()
    folders: Counted = ()
    lenses: Counted = ()
    places: Counted = ()
    suggestions: Mapping[str, Counted] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LibraryFault(Record):
    """Why a library can't be searched: the code, message and hint of a `PhotomapError`."""

    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class LibraryStatus(Record):
    """The library on disk: where it is, how much is in it, and which encoder made it.

    Attributes:
        unfinished: paths whose last index run didn't finish; in the JSON only if there are any.
        error: why it can't be searched, such as another format; in the JSON only then.
    """

    path: str
    photos: int
    encoder: str | None
    dim: int | None
    bytes: int
    last_indexed_at: str | None
    roots: tuple[str, ...]
    unfinished: tuple[str, ...] = field(default=(), metadata=IF_ANY)
    error: LibraryFault | None = field(default=None, metadata=IF_ANY)
