"""Owns checking a HEIC or AVIF file's boxes before native code reads them; decodes nothing.

The decoder fills missing data at the end with grey, and its binding crashes the process on item names that aren't
UTF-8 (pi-heif 1.4.0), so neither must reach it.  The boxes are those of ISO/IEC 14496-12.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

TRUNCATED = "truncated"
_FULL = 4  # bytes of version and flags at the start of some boxes
_META_BYTES = 64 << 20
_PICTURE = frozenset({b"ftyp", b"meta", b"mdat", b"moov"})


def fault(file: BinaryIO) -> str | None:
    """Return what is wrong with a file made of boxes, or None; rewinds the file."""
    length = file.seek(0, os.SEEK_END)
    at, reason = 0, None
    while at + 8 <= length and not reason:
        file.seek(at)
        kind, start, end = _box(file.read(16), at, length)
        if not start <= end <= length:
            # Cameras append data that isn't boxes, so anything that isn't the picture's ends the search.
            if kind in _PICTURE:
                reason = TRUNCATED if end > length else "damaged: a box is smaller than its header"
            break
        if kind == b"meta":
            reason = _fault_in_meta(file, start, min(end, start + _META_BYTES))
        at = end
    file.seek(0)
    return reason


def full_length(data: bytes) -> int:
    """Return how long a file made of boxes should be: where the last box that begins in it ends."""
    at = 0
    while at + 8 <= len(data):
        kind, start, end = _box(data[at : at + 16], at, len(data))
        if end < start or (end > len(data) and kind not in _PICTURE):
            break
        at = end
    return max(at, len(data))


def _fault_in_meta(file: BinaryIO, start: int, end: int) -> str | None:
    file.seek(start)
    meta = file.read(end - start)
    for kind, first, last in boxes(meta, _FULL):
        if kind == b"iinf":
            count_bytes = 2 if meta[first : first + 1] == b"\0" else 4
            for _, entry, entry_end in boxes(meta, first + _FULL + count_bytes, last):
                if not _is_named_in_text(meta[entry:entry_end]):
                    return "damaged: an item's name isn't text"
    return None


def _is_named_in_text(entry: bytes) -> bool:
    """Return whether an item's type, name and content type are text; its number and protection come before them."""
    names = entry[_FULL + (6 if entry[:1] == b"\3" else 4) :]
    try:
        names.decode()
    except UnicodeDecodeError:
        return False
    return True


def boxes(data: bytes, at: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind of each box from one place to another, and where its content starts and ends."""
    end = len(data) if end is None else end
    while at + 8 <= end:
        kind, start, box_end = _box(data[at : at + 16], at, end)
        if box_end < start:
            return
        yield kind, start, min(box_end, end)
        at = box_end


def _box(header: bytes, at: int, end: int) -> tuple[bytes, int, int]:
    """Return a box's kind, and where its content starts and ends; a size of 0 means up to the end of the file."""
    size, kind = int.from_bytes(header[:4]), header[4:8]
    if size == 1:
        return kind, at + 16, at + int.from_bytes(header[8:16])
    return kind, at + 8, at + size if size else end
