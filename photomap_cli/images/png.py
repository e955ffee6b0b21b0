"""Owns converting a thumbnail to PNG, which clipboards expect.  Reads no files."""

from __future__ import annotations

import io

from PIL import Image


def as_png(webp: bytes) -> bytes:
    """Return the same pixels as PNG."""
    written = io.BytesIO()
    with Image.open(io.BytesIO(webp), formats=("WEBP",)) as opened:
        opened.convert("RGB").save(written, "PNG", compress_level=1)
    return written.getvalue()
