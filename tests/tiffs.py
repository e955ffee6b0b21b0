"""Owns TIFF files made by hand, of the kinds that Pillow does not write, and RAW files, which are TIFFs inside."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

    Tags = dict[int, tuple[str, Sequence]]

_TYPES = {"B": (1, "B"), "s": (2, ""), "H": (3, "H"), "I": (4, "I"), "R": (5, "I"), "S": (10, "i")}
"""Codes and the form of one number: bytes, text, 16 and 32 bits, fractions without and with sign."""

_HEADER_BYTES = 8
# XYZ to linear sRGB under D65, as fractions of a million: what a DNG calls its colour matrix.
_SRGB = (3240970, -1537383, -498611, -969244, 1875968, 41555, 55630, -203977, 1056972)

PLACE: Tags = {
    1: ("s", b"N\0"),
    2: ("R", [43, 1, 28, 1, 0, 1]),
    3: ("s", b"E\0"),
    4: ("R", [11, 1, 53, 1, 0, 1]),
}


def greys_counted_from_white(levels: np.ndarray) -> bytes:
    """Return a TIFF of 16-bit greys (h, w), 0 for black, stored the other way round."""
    height, width = levels.shape
    stored = (65535 - levels).astype("<u2").tobytes()
    return _tiff(stored, {**_strip(width, height, stored), 258: ("H", [16]), 262: ("H", [0]), 277: ("H", [1])})


def deep_planes(levels: np.ndarray) -> bytes:
    """Return a TIFF of 16-bit colours (h, w, 3), not packed, one plane after the other."""
    height, width, count = levels.shape
    stored = levels.astype("<u2").transpose(2, 0, 1).tobytes()
    plane = len(stored) // count
    strips: Tags = {
        273: ("I", [_HEADER_BYTES + plane * number for number in range(count)]),
        279: ("I", [plane] * count),
    }
    depth: Tags = {258: ("H", [16] * count), 262: ("H", [2]), 277: ("H", [count]), 284: ("H", [2])}
    return _tiff(stored, {**_strip(width, height, stored), **strips, **depth})


def old_jpeg(image: Image.Image) -> bytes:
    """Return a TIFF with a JPEG in it in the way of TIFF 6.0, which was given up."""
    stored = _jpeg(image)
    place: Tags = {512: ("H", [1]), 513: ("I", [_HEADER_BYTES]), 514: ("I", [len(stored)]), 530: ("H", [2, 2])}
    kind: Tags = {258: ("H", [8] * 3), 259: ("H", [6]), 262: ("H", [6]), 277: ("H", [3])}
    return _tiff(stored, {**_strip(*image.size, stored), **place, **kind})


def raw_file(image: Image.Image, *, turn: int = 1, preview: Image.Image | None = None) -> bytes:
    """Return a DNG whose sensor saw this picture, with or without a preview in it; `turn` is as in EXIF."""
    sensor, packed = _bayer(image), _jpeg(preview) if preview else b""
    body = sensor + packed
    parts = bytearray()

    def put(tags: Tags) -> int:
        at = _HEADER_BYTES + len(body) + len(parts)
        parts.extend(_directory(tags, at))
        return at

    seen: Tags = {
        **_strip(*image.size, sensor),
        258: ("H", [16]),
        262: ("H", [32803]),
        277: ("H", [1]),
        33421: ("H", [2, 2]),
        33422: ("B", [0, 1, 1, 2]),
        50717: ("I", [16383]),
    }
    told: Tags = {
        271: ("s", b"Canon\0"),
        272: ("s", b"Canon EOS R5\0"),
        274: ("H", [turn]),
        34665: ("I", [put({36867: ("s", b"2021:06:27 18:48:37\0"), 42036: ("s", b"RF50mm F1.8 STM\0")})]),
        34853: ("I", [put(PLACE)]),
        50706: ("B", [1, 4, 0, 0]),
        50708: ("s", b"Canon EOS R5\0"),
        50721: ("S", [part for number in _SRGB for part in (number, 1_000_000)]),
        50728: ("R", [1, 1] * 3),
        50778: ("H", [21]),
    }
    if preview:
        kind: Tags = {254: ("I", [1]), 258: ("H", [8] * 3), 259: ("H", [7]), 262: ("H", [6]), 277: ("H", [3])}
        strip = _strip(*preview.size, packed, at=_HEADER_BYTES + len(sensor))
        first = put({**told, **strip, **kind, 330: ("I", [put(seen)])})
    else:
        first = put({**told, **seen})
    return b"II*\0" + struct.pack("<I", first) + body + parts


def directory_alone(tags: Tags) -> bytes:
    """Return a TIFF without a picture."""
    return _tiff(b"", tags)


def _bayer(image: Image.Image) -> bytes:
    light = ((np.asarray(image) / 255) ** 2.2 * 16383).astype("<u2")
    seen = light[..., 1].copy()
    seen[::2, ::2], seen[1::2, 1::2] = light[::2, ::2, 0], light[1::2, 1::2, 2]
    return seen.tobytes()


def _jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=95)
    return file.getvalue() + b"\0" * (file.tell() % 2)


def _strip(width: int, height: int, stored: bytes, *, at: int = _HEADER_BYTES) -> Tags:
    place: Tags = {273: ("I", [at]), 278: ("I", [height]), 279: ("I", [len(stored)])}
    return {256: ("I", [width]), 257: ("I", [height]), 259: ("H", [1]), **place}


def _tiff(stored: bytes, tags: Tags) -> bytes:
    at = _HEADER_BYTES + len(stored)
    return b"II*\0" + struct.pack("<I", at) + stored + _directory(tags, at)


def _directory(tags: Tags, at: int) -> bytes:
    """Return the directory of these tags, and after it what does not fit into it; `at` is where it will stand."""
    entries, beside = b"", b""
    for tag, (kind, values) in sorted(tags.items()):
        code, form = _TYPES[kind]
        packed = bytes(values) if kind == "s" else struct.pack(f"<{len(values)}{form}", *values)
        count = len(values) // (2 if kind in "RS" else 1)
        if len(packed) > 4:
            place = struct.pack("<I", at + 2 + 12 * len(tags) + 4 + len(beside))
            beside += packed + b"\0" * (len(packed) % 2)
            packed = place
        entries += struct.pack("<HHI", tag, code, count) + packed.ljust(4, b"\0")
    return struct.pack("<H", len(tags)) + entries + bytes(4) + beside
