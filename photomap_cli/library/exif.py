"""Owns what photomap reads in EXIF: when and with what a photo was taken.  Pure: takes tags, opens nothing."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MAKE, MODEL, ORIENTATION, CHANGED = 0x010F, 0x0110, 0x0112, 0x0132
DETAILS = 0x8769
"""The tag that points to the second table, where `TAKEN` and `DIGITIZED` are."""
TAKEN, DIGITIZED = 0x9003, 0x9004

FIRST_PHOTO = 1826
_LONGEST_NAME = 100
_TIME = re.compile(r"(\d{4})[:\-/.](\d\d?)[:\-/.](\d\d?)[ T]+(\d\d?):(\d\d)(?::(\d\d))?")


def taken_at(main: Mapping[int, object], details: Mapping[int, object]) -> str | None:
    """Return when a photo was taken as `YYYY-MM-DDTHH:MM:SS` on the camera's clock, or None.

    The time of the last change counts only in a file that names its camera: elsewhere it is an editor's.
    """
    changed = main.get(CHANGED) if camera(main) else None
    times = (_time(value) for value in (details.get(TAKEN), details.get(DIGITIZED), changed))
    return next((time for time in times if time), None)


def camera(main: Mapping[int, object]) -> str | None:
    """Return make and model, the make only once: `Canon EOS 40D`, `SONY HDR-HC3`; None where there is neither.

    >>> camera({MAKE: "NIKON CORPORATION", MODEL: "NIKON D70"})
    'NIKON D70'
    """
    make, model = _name(main.get(MAKE)), _name(main.get(MODEL))
    if not make or not model:
        return make or model or None
    has_make = model.split()[0].lower() in make.lower().split()
    return model if has_make else f"{make} {model}"


def orientation(main: Mapping[int, object]) -> int:
    """Return how the stored pixels have to be turned, 1 .. 8; 1 is not at all."""
    value = main.get(ORIENTATION)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _time(value: object) -> str | None:
    found = _TIME.match(value.strip()) if isinstance(value, str) else None
    if not found:
        return None
    try:
        time = datetime(*(int(part or 0) for part in found.groups()))  # type: ignore[arg-type]
    except ValueError:  # 0000:00:00 00:00:00, from a clock that was never set
        return None
    return time.isoformat() if time.year >= FIRST_PHOTO else None


def _name(value: object) -> str:
    """Return a name as one line of printable text; what is behind a NUL is padding."""
    text = value.split("\0")[0] if isinstance(value, str) else ""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:_LONGEST_NAME]
