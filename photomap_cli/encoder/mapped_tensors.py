"""Owns reading a safetensors file in place: float32 straight from the mapped file, half floats converted on use."""

from __future__ import annotations

import json
import mmap
import struct
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photomap_cli.errors import TowerUnfit

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LENGTH = struct.Struct("<Q")
_MOST_HEADER_BYTES = 100_000_000  # safetensors' own limit
_ABOUT = "__metadata__"  # stands among the tensors in the header
_STORED: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "BF16": np.dtype("<u2")}


class MappedTensor:
    """One tensor of a mapped file.  It keeps the mapping alive."""

    def __init__(self, stored: NDArray[Any], kind: str) -> None:
        self._stored, self._kind = stored, kind

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return self._stored.shape

    @property
    def size(self) -> int:
        """Its number of elements."""
        return int(self._stored.size)

    @property
    def nbytes(self) -> int:
        """Its bytes in the file."""
        return self._stored.nbytes

    def values(self) -> NDArray[np.float32]:
        """Return it as float32, without a copy if the file holds float32."""
        return _float32(self._stored, self._kind)

    def rows(self, numbers: Sequence[int]) -> NDArray[np.float32]:
        """Return some rows as float32; the others aren't read."""
        return _float32(self._stored[list(numbers)], self._kind)


class MappedTensors:
    """The tensors of a safetensors file, by name.  The mapping ends with the last reference to it and its tensors.

    Raises TowerUnfit if the file isn't safetensors, and OSError if it can't be read.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            start = file.read(_LENGTH.size)
            header_bytes = _LENGTH.unpack(start)[0] if len(start) == _LENGTH.size else 0
            if not 0 < header_bytes <= min(size - _LENGTH.size, _MOST_HEADER_BYTES):
                raise TowerUnfit(f"{path} isn't a safetensors file")
            self._entries = _parsed(file.read(header_bytes), path)
            self._first_byte = _LENGTH.size + header_bytes
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    @property
    def names(self) -> list[str]:
        """The names of all tensors."""
        return [name for name in self._entries if name != _ABOUT]

    def __getitem__(self, name: str) -> MappedTensor:
        """Return a tensor.  Raises TowerUnfit if it is missing, or of a dtype that isn't read here."""
        try:
            entry = self._entries[name]
            kind, shape = entry["dtype"], tuple(entry["shape"])
            stored, (begin, end) = _STORED[kind], entry["data_offsets"]
            if begin < 0 or end - begin != prod(shape) * stored.itemsize:
                raise ValueError("its length isn't its shape's")
            flat = np.frombuffer(self._map, stored, prod(shape), self._first_byte + begin)
            return MappedTensor(flat.reshape(shape), kind)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise TowerUnfit(f"the weights have no {name} that can be read in place ({error})") from error


def _parsed(header: bytes, path: Path) -> dict[str, Any]:
    try:
        entries = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise TowerUnfit(f"{path} isn't a safetensors file") from error
    return entries if isinstance(entries, dict) else {}


def _float32(stored: NDArray[Any], kind: str) -> NDArray[np.float32]:
    if kind == "BF16":  # the upper half of a float32
        return (stored.astype("<u4") << np.uint32(16)).view("<f4")
    return stored.astype(np.float32, copy=False)
