"""Owns what photomap reads from XMP, where editors keep ratings: rating, lens, place.  Pure; opens nothing.

The few values are searched for as text: packets can be truncated, and hold parts that no XML parser accepts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

TAG = 700
"""The tag of the packet in a TIFF, or a RAW file based on TIFF."""

_MOST_BYTES = 1 << 20
_KEYS = ("xmp", "XML:com.adobe.xmp")


def _pattern(name: str, value: str) -> re.Pattern[str]:
    """Return a pattern that finds a property, written as an attribute or an element."""
    return re.compile(rf"\b{name}\s*(?:=\s*[\"']|>)\s*({value})", re.ASCII)


_RATING = _pattern("(?:xmp|xap):Rating", r"-?\d{1,3}(?:\.\d+)?")
_PERCENT = _pattern("MicrosoftPhoto:Rating", r"\d{1,3}")
_LENS = _pattern("(?:exifEX:LensModel|aux:Lens)", r"[^\"'<>]{1,200}")
_LATITUDE = _pattern("exif:GPSLatitude", r"[\d,.]{1,30}[NS]")
_LONGITUDE = _pattern("exif:GPSLongitude", r"[\d,.]{1,30}[EW]")


def packet(info: Mapping[Any, object], main: Mapping[int, object]) -> str:
    """Return the packet from an open picture's info, else from its main table; empty if there is none."""
    for found in (*(info.get(key) for key in _KEYS), main.get(TAG)):
        if isinstance(found, bytes) and found:
            return found[:_MOST_BYTES].decode("utf-8", "replace")
        if isinstance(found, str) and found:
            return found[:_MOST_BYTES]
    return ""


def rating(packet: str) -> float | None:
    """Return the stars, 0 to 5, or -1 for a rejected photo; None if the packet has none."""
    if match := _RATING.search(packet):
        return float(match[1])
    match = _PERCENT.search(packet)
    return stars_of(int(match[1])) if match else None


def stars_of(percent: int) -> int:
    """Return the stars for Windows's percentages: 1 is one star, then 25, 50, 75 and 99."""
    return round(percent / 25) + 1 if percent > 0 else 0


def lens(packet: str) -> str | None:
    """Return the lens's name."""
    match = _LENS.search(packet)
    return unescape(match[1]).strip() if match else None


def position(packet: str) -> tuple[tuple[list[str], str], tuple[list[str], str]] | None:
    """Return latitude and longitude, each as degrees, minutes, seconds and direction, as in EXIF."""
    latitude, longitude = _LATITUDE.search(packet), _LONGITUDE.search(packet)
    if not latitude or not longitude:
        return None
    north, east = latitude[1], longitude[1]
    return (north[:-1].split(","), north[-1]), (east[:-1].split(","), east[-1])
