"""Owns the first page of `vectors.f16`: whose rows follow, and how many.  Opens no file."""

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


PAGE = 4096

_FIELDS = HeaderFields(b"photomap", version=3, numbers="QQ")


@dataclass(frozen=True, slots=True)
class Header:
    """What the file's first bytes say.

    Attributes:
        library_id, dim: whose rows.
        next_row: the rows below this one follow.
        gone: how many of their photos were gone when the file was last written to; those may be zeros.
    """

    library_id: str
    dim: int
    next_row: int
    gone: int

    @classmethod
    def of(cls, snapshot: Snapshot) -> Self:
        """Return the header of a file that has a snapshot's rows."""
        return cls(snapshot.library_id, snapshot.dim, snapshot.next_row, len(snapshot.tombstones))

    def pack(self) -> bytes:
        """Return the fields' bytes: so few that a disk writes them whole or not at all."""
        return _FIELDS.pack(*astuple(self))

    @classmethod
    def unpack(cls, page: bytes) -> Self | None:
        """Return the header in these bytes; None if they are damaged, of another version or none."""
        fields = _FIELDS.unpack(page)
        return cls(*fields) if fields else None

    @property
    def size(self) -> int:
        """How many bytes the file has at least."""
        return self.place_at(self.next_row)

    def place_at(self, row: int) -> int:
        """Where a row begins."""
        return PAGE + row * row_bytes(self.dim)

    def belongs_to(self, snapshot: Snapshot) -> bool:
        """Whether the rows are those of this library."""
        return self.library_id == snapshot.library_id and self.dim == snapshot.dim

    def is_ahead_of(self, snapshot: Snapshot) -> bool:
        """Whether the catalogue is an earlier one than the file was made of.

        So it is where it lost its last batches in a power cut, or was restored from a backup: rows may be given to
        other photos, and photos that were gone may be there.
        """
        return self.next_row > snapshot.next_row or self.gone > len(snapshot.tombstones)


def row_bytes(dim: int) -> int:
    """Return the size of one row."""
    return dim * STORED.itemsize
