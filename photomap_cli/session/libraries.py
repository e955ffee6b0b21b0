"""Owns opening a library, whatever keeps it: nothing above knows which kind it got."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from photomap_cli.library.store import Library


def open_library(folder: Path, *, create: bool = False) -> Library:
    """Open a library; a context manager.

    Args:
        folder: its own.
        create: make it when there is none.

    Raises:
        EmptyLibrary: there is none and `create` is False.
        LibraryUnusable.
    """
    from photomap_cli.vectors.local_library import LocalLibrary

    return LocalLibrary.open(folder, create=create)
