"""Where a test of the contract keeps a library."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from library_fakes import INFO

from photomap_cli.vectors.local_library import LocalLibrary

KINDS = ["local"]


@dataclass(frozen=True)
class Place:
    """Where a library is: `folder` is its own."""

    folder: Path

    @contextmanager
    def opened(self, *, create=False, is_begun=False):
        """Open it; `is_begun` has it made, with the fake encoder, where there is none."""
        with LocalLibrary.open(self.folder, create=create or is_begun) as library:
            if is_begun:
                library.begin(INFO)
            yield library
