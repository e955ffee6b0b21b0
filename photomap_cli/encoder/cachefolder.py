"""Owns photomap's files in the cache directory that belong to no library: whole or not there, and never needed."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING

from photomap_cli import directories

if TYPE_CHECKING:
    from pathlib import Path


def folder() -> Path:
    """Return the folder, which need not be there."""
    return directories.cache_directory() / "text-tower"


def write(path: Path, content: bytes) -> None:
    """Put a file in place in one step; where that cannot be done it is made again the next time it is needed."""
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        try:
            with os.fdopen(number, "wb") as file:
                file.write(content)
            os.replace(name, path)  # noqa: PTH105  as mkstemp gives it
        except BaseException:
            os.unlink(name)  # noqa: PTH108
            raise
