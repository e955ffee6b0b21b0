"""Where a test of the contract keeps a library: in a folder, on the stand-in for Milvus (`lite`), on a real server."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from library_fakes import INFO

from photomap_cli.settings import Settings
from photomap_cli.vectors.local_library import LocalLibrary

SHARED = ["lite", pytest.param("milvus", marks=pytest.mark.milvus)]
KINDS = ["local", *SHARED]
ROOTS = {"pp": "/p", "qq": "/q"}
_numbers = itertools.count()


@dataclass(frozen=True)
class Place:
    """Where a library is: `folder` is its own, or for the user's own files about one at an address."""

    folder: Path
    address: str = ""
    roots: dict[str, str] = field(default_factory=lambda: ROOTS)

    def opened(self, *, create=False):
        """Open it; a context manager."""
        if not self.address:
            return LocalLibrary.open(self.folder, create=create)
        from photomap_cli.library.shared.store import SharedLibrary  # only where it is asked for

        return SharedLibrary.open(self.folder, self.address, Settings(roots=self.roots), create=create)

    @contextmanager
    def begun(self):
        """Open it, made with the fake encoder if there is none."""
        with self.opened(create=True) as library:
            library.begin(INFO)
            yield library


def place_of(kind, request, folder):
    """Return where there is no library yet."""
    if kind == "local":
        return Place(folder)
    server = request.getfixturevalue("milvus_lite") if kind == "lite" else request.getfixturevalue("milvus").address
    return Place(folder, f"milvus://{server}/library_{next(_numbers)}")
