"""Owns the map's cache files in the library's folder: arrays under a key.  Lost ones are made again."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photomap_cli import files

if TYPE_CHECKING:
    from numpy.typing import NDArray

_VERSION = "1"
_KEPT = 8


def key(*parts: str | bytes) -> str:
    """Return the key for data that depends on all of these."""
    digest = blake2b(_VERSION.encode(), digest_size=12)
    for part in parts:
        octets = part.encode() if isinstance(part, str) else part
        digest.update(len(octets).to_bytes(8, "little") + octets)
    return digest.hexdigest()


class NpzCache:
    """Files of one kind in a folder, the last eight written.

    Never fails: a file that is damaged or can't be written counts as missing.  Safe for any number of processes.
    """

    def __init__(self, folder: Path, kind: str) -> None:
        self._folder, self._kind = folder, kind

    def get(self, name: str) -> dict[str, NDArray[Any]] | None:
        """Return the arrays stored under a name."""
        try:
            with files.reading(self._path(name)) as file, np.load(file, allow_pickle=False) as arrays:
                return {each: arrays[each] for each in arrays.files} or None
        except Exception:  # zipfile and numpy raise nearly every exception class
            return None

    def put(self, name: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Store arrays under a name, completely or not at all, and delete the oldest files."""
        draft: Path | None = None
        try:
            with tempfile.NamedTemporaryFile(dir=self._folder, prefix=f"{self._kind}-", delete=False) as file:
                draft = Path(file.name)
                np.savez(file, allow_pickle=False, **arrays)
            draft.replace(self._path(name))
            for old in self._oldest():
                old.unlink(missing_ok=True)
        except OSError:  # a full disk, or a folder that isn't ours: it is drawn again next time
            if draft is not None:
                with suppress(OSError):
                    draft.unlink()

    def _path(self, name: str) -> Path:
        return self._folder / f"{self._kind}-{name}.npz"

    def _oldest(self) -> list[Path]:
        files = sorted(self._folder.glob(f"{self._kind}-*"), key=os.path.getmtime, reverse=True)
        return files[_KEPT:]
