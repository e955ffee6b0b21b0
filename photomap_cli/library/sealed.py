"""Owns the form of a derived file's first bytes: magic, format version, whose rows, numbers, and their checksum."""

from __future__ import annotations

import struct
import zlib
from typing import Any

_CHECKED = struct.Struct("<I")  # CRC of the fields


class SealedFields:
    """One kind of file's fields, little-endian: 8 bytes of magic, version and dim, 32 of the library's id, numbers.

    Args:
        magic: what a file of this kind begins with.
        version: of the format; a file of another one is none.
        numbers: how the numbers behind the library's id are written, in the letters of `struct`.
    """

    def __init__(self, magic: bytes, version: int, numbers: str) -> None:
        self._fields = struct.Struct(f"<8sII32s{numbers}")
        self._kind = magic, version

    def pack(self, library_id: str, dim: int, *numbers: int) -> bytes:
        """Return the bytes, checksum included."""
        fields = self._fields.pack(*self._kind, dim, library_id.encode(), *numbers)
        return fields + _CHECKED.pack(zlib.crc32(fields))

    def unpack(self, page: bytes) -> tuple[Any, ...] | None:
        """Return what was packed into these bytes; None if they are damaged, of another version or kind."""
        if len(page) < self._fields.size + _CHECKED.size:
            return None
        magic, version, dim, library_id, *numbers = self._fields.unpack_from(page)
        (checked,) = _CHECKED.unpack_from(page, self._fields.size)
        if ((magic, version), checked) != (self._kind, zlib.crc32(page[: self._fields.size])):
            return None
        return library_id.rstrip(b"\0").decode(errors="replace"), dim, *numbers
