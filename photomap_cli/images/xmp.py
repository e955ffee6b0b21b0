"""Owns what photomap reads in XMP, where editors keep stars: rating, lens, place.  Pure: takes a packet, opens nothing.

The few values are looked for as text: packets are cut short, and hold parts that no XML reader takes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

TAG = 700
"""Where a TIFF, and a RAW file that is one inside, has its packet."""

_MOST_BYTES = 1 << 20
_KEYS = ("xmp", "XML:com.adobe.xmp")


def _pattern(name: str, value: str) -> re.Pattern[str]:
    """Return what finds a property, written as an attribute or as an element."""
    return re.compile(rf"\b{name}\s*(?:=\s*[\"']|>)\s*({value})", re.ASCII)


_RATING = _pattern("(?:xmp|xap):Rating", r"-?\d{1,3}(?:\.\d+)?")
_PERCENT = _pattern("MicrosoftPhoto:Rating", r"\d{1,3}")
_LENS = _pattern("(?:exifEX:LensModel|aux:Lens)", r"[^\"'<>]{1,200}")
_LATITUDE = _pattern("exif:GPSLatitude", r"[\d,.]{1,30}[NS]")
_LONGITUDE = _pattern("exif:GPSLongitude", r"[\d,.]{1,30}[EW]")


def packet(info: Mapping[Any, object], main: Mapping[int, object]) -> str:
    """Return the packet among what an open picture says of itself, else in its main table; nothing without one."""
    for found in (*(info.get(key) for key in _KEYS), main.get(TAG)):
        if isinstance(found, bytes) and found:
            return found[:_MOST_BYTES].decode("utf-8", "replace")
        if isinstance(found, str) and found:
            return found[:_MOST_BYTES]
    return ""


def rating(packet: str) -> float | None:
    """Return the stars, 0 to 5, or -1 for a photo that was rejected; None where the packet does not say."""
    if match := _RATING.search(packet):
        return float(match[1])
    match = _PERCENT.search(packet)
    return stars_of(int(match[1])) if match else None


def stars_of(percent: int) -> int:
    """Return the stars that Windows means: 1 is one, then 25, 50, 75 and 99."""
    return round(percent / 25) + 1 if percent > 0 else 0


def lens(packet: str) -> str | None:
    """Return the lens's name."""
    match = _LENS.search(packet)
    return unescape(match[1]).strip() if match else None


def position(packet: str) -> tuple[tuple[list[str], str], tuple[list[str], str]] | None:
    """Return latitude and longitude, each as its degrees, minutes and seconds and its side, as EXIF has them."""
    latitude, longitude = _LATITUDE.search(packet), _LONGITUDE.search(packet)
    if not latitude or not longitude:
        return None
    north, east = latitude[1], longitude[1]
    return (north[:-1].split(","), north[-1]), (east[:-1].split(","), east[-1])
