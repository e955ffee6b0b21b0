"""Owns the first bytes of `vectors.f16`: whose rows follow, and which row lies at which place.  Opens no file.

A page of fields; then, in whole pages, the numbers of the rows that were kept when others were swept out.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

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
NUMBER = np.dtype("<i8")

_FIELDS = HeaderFields(b"photomap", version=2, numbers="QQQI")


@dataclass(frozen=True, slots=True)
class Header:
    """What the file's first bytes say.

    Attributes:
        library_id, dim: whose rows.
        next_row: the file holds what there is of the rows below this one.
        swept: of the rows below this one only those that are listed have a place; the others were gone.
        kept: how many are listed.
        numbers_crc: of `swept` and the list; 0 where there is none.  Files of one library in which it is the same
            have the same row at the same place.
    """

    library_id: str
    dim: int
    next_row: int
    swept: int = 0
    kept: int = 0
    numbers_crc: int = 0

    @classmethod
    def for_rows(cls, snapshot: Snapshot, numbers: np.ndarray) -> Self:
        """Return the header of a file that has just these rows of a snapshot, in this order."""
        names = snapshot.library_id, snapshot.dim, snapshot.next_row
        if len(numbers) == snapshot.next_row:
            return cls(*names)
        return cls(*names, snapshot.next_row, len(numbers), crc_of(numbers, snapshot.next_row))

    def pack(self) -> bytes:
        """Return the fields' bytes: so few that a disk writes them whole or not at all."""
        return _FIELDS.pack(*astuple(self))

    @classmethod
    def unpack(cls, page: bytes) -> Self | None:
        """Return the header in these bytes; None if they are damaged, of another version or none."""
        fields = _FIELDS.unpack(page)
        return cls(*fields) if fields else None

    @property
    def count(self) -> int:
        """How many places there are."""
        return self.kept + self.next_row - self.swept

    @property
    def rows_at(self) -> int:
        """Where the first place begins."""
        return PAGE + -(-self.kept * NUMBER.itemsize // PAGE) * PAGE

    @property
    def size(self) -> int:
        """How many bytes the file has at least."""
        return self.place_at(self.count)

    def place_at(self, place: int) -> int:
        """Where a place begins."""
        return self.rows_at + place * row_bytes(self.dim)

    def belongs_to(self, snapshot: Snapshot) -> bool:
        """Whether the rows are those of this library."""
        return self.library_id == snapshot.library_id and self.dim == snapshot.dim

    def numbers(self, kept: np.ndarray) -> np.ndarray | None:
        """Return the row at each place, rising, by the list; None where a row's number is its place."""
        if not self.swept:
            return None
        return kept if self.swept == self.next_row else np.append(kept, np.arange(self.swept, self.next_row))

    def lacks_photos(self, kept: np.ndarray, snapshot: Snapshot) -> bool:
        """Whether a photo has no place.

        So it is where the catalogue lost in a power cut that the photo was deleted, and has it again.
        """
        gone = snapshot.tombstones[: np.searchsorted(snapshot.tombstones, self.swept)]
        return int((~np.isin(gone, kept, assume_unique=True)).sum()) < self.swept - self.kept


def crc_of(kept: np.ndarray, swept: int) -> int:
    """Return the checksum of a list of the rows below one that were kept."""
    return zlib.crc32(kept.astype(NUMBER).data, swept & 0xFFFFFFFF) if swept else 0


def row_bytes(dim: int) -> int:
    """Return the size of one row."""
    return dim * STORED.itemsize
