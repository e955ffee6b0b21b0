"""Owns file signatures: formats by a file's first bytes.  Light: opens nothing, imports no Pillow."""

from __future__ import annotations

import re

SIGNATURE_BYTES = 12
"""The number of first bytes needed."""

_SIGNATURES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF8": "GIF",
    b"RIFF": "WebP",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"\xffO\xffQ": "JPEG 2000",
    b"\0\0\0\x0cJXL ": "JPEG XL",
    b"\xff\n": "JPEG XL",
}
_TOO_SHORT_TO_NAME = re.compile(
    rb"P[1-7fFyY]\s|[\x0c(48@l|]\0\0\0", re.DOTALL
)  # PNM and related formats; BMP without its header


def is_boxed(start: bytes) -> bool:
    """Return whether a file with these first bytes (at least 8) is made of boxes, like HEIF."""
    return start[4:8] == b"ftyp"


def kind(start: bytes) -> str | None:
    """Return the format of a file with these first bytes, or None."""
    if is_boxed(start):
        return "AVIF" if start[8:].startswith(b"avi") else "HEIF"
    return next((name for magic, name in _SIGNATURES.items() if start.startswith(magic)), None)


def may_be_picture(start: bytes) -> bool:
    """Return whether a file with these first bytes may be a readable picture; some RAW files start differently."""
    return kind(start) is not None or _TOO_SHORT_TO_NAME.match(start) is not None
