"""Owns the first page of `vectors.f16`: which library's rows follow, and how many.  Opens no files."""

from __future__ import annotations

import struct
import zlib
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any, Self

from photomap_cli.library.entities import STORED

if TYPE_CHECKING:
    from photomap_cli.library.entities import Snapshot


_CHECKED = struct.Struct("<I")  # CRC of the fields


class HeaderFields:
    """A file's header fields, little-endian: 8 bytes of magic, version and dim, 32 of the library's id, numbers.

    Args:
        magic: the first bytes of such a file.
        version: of the format; a file of another version doesn't count.
        numbers: the format of the numbers after the library's id, in `struct`'s letters.
    """

    def __init__(self, magic: bytes, version: int, numbers: str) -> None:
        self._fields = struct.Struct(f"<8sII32s{numbers}")
        self._kind = magic, version

    def pack(self, library_id: str, dim: int, *numbers: int) -> bytes:
        """Return the bytes, checksum included."""
        fields = self._fields.pack(*self._kind, dim, library_id.encode(), *numbers)
        return fields + _CHECKED.pack(zlib.crc32(fields))

    def unpack(self, page: bytes) -> tuple[Any, ...] | None:
        """Unpack these bytes; None if they are damaged, or of another version or kind."""
        if len(page) < self._fields.size + _CHECKED.size:
            return None
        magic, version, dim, library_id, *numbers = self._fields.unpack_from(page)
        (checked,) = _CHECKED.unpack_from(page, self._fields.size)
        if ((magic, version), checked) != (self._kind, zlib.crc32(page[: self._fields.size])):
            return None
        return library_id.rstrip(b"\0").decode(errors="replace"), dim, *numbers


PAGE = 4096

_FIELDS = HeaderFields(b"photomap", version=3, numbers="QQ")


@dataclass(frozen=True, slots=True)
class Header:
    """The header of the file.

    Attributes:
        library_id, dim: of the library whose rows these are.
        next_row: the rows below this one are in the file.
        gone: how many of their photos were gone when the file was last written; those rows may be zeros.
    """

    library_id: str
    dim: int
    next_row: int
    gone: int

    @classmethod
    def of(cls, snapshot: Snapshot) -> Self:
        """Return the header of a file with a snapshot's rows."""
        return cls(snapshot.library_id, snapshot.dim, snapshot.next_row, len(snapshot.tombstones))

    def pack(self) -> bytes:
        """Return the fields' bytes, which are few enough for a disk to write atomically."""
        return _FIELDS.pack(*astuple(self))

    @classmethod
    def unpack(cls, page: bytes) -> Self | None:
        """Return the header in these bytes; None if they are damaged, of another version or no header."""
        fields = _FIELDS.unpack(page)
        return cls(*fields) if fields else None

    @property
    def size(self) -> int:
        """The least size of the file in bytes."""
        return self.place_at(self.next_row)

    def place_at(self, row: int) -> int:
        """Return the offset of a row in bytes."""
        return PAGE + row * row_bytes(self.dim)

    def belongs_to(self, snapshot: Snapshot) -> bool:
        """Return whether the rows belong to this library."""
        return self.library_id == snapshot.library_id and self.dim == snapshot.dim

    def is_ahead_of(self, snapshot: Snapshot) -> bool:
        """Return whether the catalogue is older than the one the file was made from.

        That happens if it lost its last batches in a power cut, or was restored from a backup: rows may now belong to
        other photos, and deleted photos may be back.
        """
        return self.next_row > snapshot.next_row or self.gone > len(snapshot.tombstones)


def row_bytes(dim: int) -> int:
    """Return the size of a row in bytes."""
    return dim * STORED.itemsize
