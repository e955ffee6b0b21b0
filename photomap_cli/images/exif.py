"""Owns a photo's facts from EXIF and XMP: when, where and with what it was taken, and its rating.  Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING

from photomap_cli.images import xmp
from photomap_cli.library.timestamps import latest, timestamp

if TYPE_CHECKING:
    from photomap_cli.library.timestamps import Timestamp

MAKE, MODEL, ORIENTATION, CHANGED = 0x010F, 0x0110, 0x0112, 0x0132
DETAILS, PLACE = 0x8769, 0x8825
"""The tags that point to the second table, with times and lens, and to the GPS table."""
TAKEN, DIGITIZED, LENS_MAKE, LENS_MODEL = 0x9003, 0x9004, 0xA433, 0xA434
RATING, RATING_PERCENT = 0x4746, 0x4749
LATITUDE_SIDE, LATITUDE, LONGITUDE_SIDE, LONGITUDE = 1, 2, 3, 4

_LONGEST_NAME = 100
_PART = r"( ?\d|\d\d)"  # some cameras write 9: 5: 1
_DATE = re.compile(rf"(\d{{4}})[:\-/. ]{_PART}[:\-/. ]{_PART}(?!\d)", re.ASCII)
_TIME = re.compile(rf"[ Tt]+(\d\d?)([:.\-]){_PART}(?:\2{_PART})?(?!\d)(?:\.\d*)?(?: ?([AP])M)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class ExifTables:
    """A file's EXIF tables (main, details, GPS) and its XMP packet; empty if missing."""

    main: Mapping[int, object] = field(default_factory=dict)
    details: Mapping[int, object] = field(default_factory=dict)
    place: Mapping[int, object] = field(default_factory=dict)
    xmp: str = field(default="", kw_only=True)


@dataclass(frozen=True, slots=True)
class PhotoFacts:
    """What a photo's file says about it.

    Attributes:
        width, height: pixels, upright.
        orientation: how to turn the stored pixels, 1 to 8 as in EXIF.
        taken_at: on the camera's clock, `YYYY-MM-DDTHH:MM:SS`, or None.
        is_day: the time in `taken_at` isn't valid; only the day is known.
        camera, lens: make and model, or None.
        latitude, longitude: degrees, north and east positive; both or neither.
        damage: what is wrong with the file, and how much of it can be seen; None if it is intact.
        extension: the usual extension of its format; empty if its name has it.
        rating: 1 to 5 stars, or -1 for rejected; None for no rating, which may be written as 0.
        kind: "photo", "raw" or "video".
        seconds: length of a video, if known.
    """

    width: int
    height: int
    orientation: int = 1
    taken_at: str | None = None
    camera: str | None = None
    lens: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    is_day: bool = False
    damage: str | None = None
    extension: str = ""
    rating: int | None = None
    kind: str = "photo"
    seconds: float | None = None


def facts(size: tuple[int, int], tables: ExifTables, *, orientation: int) -> PhotoFacts:
    """Return the facts of a photo with this stored (width, height) and orientation."""
    width, height = size[::-1] if orientation >= 5 else size
    taken = taken_at(tables.main, tables.details)
    latitude, longitude = position(tables.place) or position(_place_in_xmp(tables.xmp)) or (None, None)
    return PhotoFacts(
        width,
        height,
        orientation,
        taken.text if taken else None,
        camera(tables.main),
        lens(tables.details) or _shown_name(_name(xmp.lens(tables.xmp))),
        latitude,
        longitude,
        bool(taken and taken.is_day),
        rating=rating(tables.main, tables.xmp),
    )


def taken_at(main: Mapping[int, object], details: Mapping[int, object]) -> Timestamp | None:
    """Return when a photo was taken, on the camera's clock, or None; only the day if the time is damaged.

    A time that can't be true counts as none.  The time of the last change only counts in a file that names its camera;
    elsewhere an editor wrote it.
    """
    changed = main.get(CHANGED) if camera(main) else None
    times = (_time(value) for value in (details.get(TAKEN), details.get(DIGITIZED), changed))
    return next((time for time in times if time and time.text <= latest()), None)


def camera(main: Mapping[int, object]) -> str | None:
    """Return make and model, with the make only once: `Canon EOS 40D`, `SONY HDR-HC3`; None if there is neither.

    >>> camera({MAKE: "NIKON CORPORATION", MODEL: "NIKON D70"})
    'NIKON D70'
    """
    return _make_and_model(main.get(MAKE), main.get(MODEL))


def lens(details: Mapping[int, object]) -> str | None:
    """Return the lens's make and model, like `camera`; the dashes of adapters without contacts count as none."""
    return _shown_name(_make_and_model(details.get(LENS_MAKE), details.get(LENS_MODEL)))


def position(place: Mapping[int, object]) -> tuple[float, float] | None:
    """Return latitude and longitude in degrees, north and east positive; None if either is missing or impossible.

    Exactly 0, 0 is written by receivers without a fix.
    """
    latitude = _degrees(place.get(LATITUDE), place.get(LATITUDE_SIDE), most=90)
    longitude = _degrees(place.get(LONGITUDE), place.get(LONGITUDE_SIDE), most=180)
    if latitude is None or longitude is None or latitude == longitude == 0:
        return None
    return latitude, longitude


def rating(main: Mapping[int, object], packet: str = "") -> int | None:
    """Return 1 to 5 stars, -1 for a rejected photo, else None.  XMP takes precedence, as editors write there."""
    percent = main.get(RATING_PERCENT)
    found = (xmp.rating(packet), main.get(RATING), xmp.stars_of(percent) if isinstance(percent, int) else None)
    stars = next((each for each in found if isinstance(each, int | float)), 0)
    return int(stars) if stars == -1 or 1 <= stars <= 5 else None


def orientation(main: Mapping[int, object]) -> int:
    """Return how to turn the stored pixels, 1 to 8; 1 is not at all."""
    value = main.get(ORIENTATION)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _place_in_xmp(packet: str) -> Mapping[int, object]:
    """Return the place in an XMP packet in the form of EXIF's GPS table."""
    if (found := xmp.position(packet)) is None:
        return {}
    (north, north_side), (east, east_side) = found
    return {LATITUDE: north, LATITUDE_SIDE: north_side, LONGITUDE: east, LONGITUDE_SIDE: east_side}


def _shown_name(name: str | None) -> str | None:
    return name if name and any(char.isalnum() for char in name) else None


def _make_and_model(make_tag: object, model_tag: object) -> str | None:
    make, model = _name(make_tag), _name(model_tag)
    if not make or not model:
        return make or model or None
    has_make = model.split()[0].lower() in make.lower().split()
    return model if has_make else f"{make} {model}"


def _degrees(parts: object, side: object, *, most: float) -> float | None:
    """Return degrees, minutes and seconds as degrees, rounded to 7 decimals, about a centimetre."""
    try:
        degrees, minutes, seconds = (float(part) for part in (*parts, 0.0, 0.0)[:3])  # type: ignore[misc]
    except (TypeError, ValueError, ArithmeticError):
        return None
    value = degrees + minutes / 60 + seconds / 3600
    if not isfinite(value) or abs(value) > most:
        return None
    is_negative = isinstance(side, str) and side.strip("\0 ").upper() in {"S", "W"}
    return round(-value if is_negative else value, 7)


def _time(value: object) -> Timestamp | None:
    text = value.strip() if isinstance(value, str) else ""
    date = _DATE.match(text)
    if not date:
        return None
    time = _TIME.match(text, date.end())
    return timestamp(date.groups(), (time[1], time[3], time[4]), time[5]) if time else timestamp(date.groups())


def _name(value: object) -> str:
    """Return a name as one line of printable text; anything after a NUL is padding."""
    text = value.split("\0")[0] if isinstance(value, str) else ""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:_LONGEST_NAME]
