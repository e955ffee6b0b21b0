"""Owns resolving the library that a user names: a folder, or the address of a shared one."""

from __future__ import annotations

import os
from pathlib import Path

from photomap_cli import directories
from photomap_cli.errors import BadSetting

_LONGEST_NAME = 240  # bytes; a file's name may have 255


def library_directory(named: str | Path | None = None) -> Path:
    """Return a library's absolute folder: what is named, else PHOTOMAP_LIBRARY, else the platform's data directory.

    For an address that is the folder of this user's own files about the library there, and every function that takes
    a library's folder takes it.  Creates nothing, and asks no server.

    Raises:
        BadPath: such a folder is impossible.
        BadSetting: such an address is impossible.
    """
    text = str(os.environ.get("PHOTOMAP_LIBRARY") or "" if named is None else named)
    if "://" in text or text.lower().startswith("milvus"):
        from photomap_cli.library.shared import address

        if address.is_address(text):
            return _folder_of(str(address.parse(text)))
    return directories.library_directory(None if named is None else Path(named))


def _folder_of(address: str) -> Path:
    folder = directories.address_folder(address)
    if len(folder.name) > _LONGEST_NAME:
        raise BadSetting(f"the library's address is too long: {address[:60]}...", hint="use a shorter name for it")
    return folder
