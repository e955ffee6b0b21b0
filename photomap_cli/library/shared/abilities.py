"""Owns what a Milvus server can do, by its version.  Asks no server."""

from __future__ import annotations

import re
from typing import NamedTuple


class Abilities(NamedTuple):
    """What a server can do, which depends on its version.

    Attributes:
        version: as the server reports it.
        has_infix: `like` matches in the middle of a text.
        has_half: vectors can be stored in half precision.
        has_sorted: scalar fields can be indexed.
    """

    version: str = ""
    has_infix: bool = False
    has_half: bool = False
    has_sorted: bool = True

    @classmethod
    def of(cls, version: str) -> Abilities:
        """Return what a server of this version can do; milvus-lite reports itself as `milvus_lite-3.2.2`."""
        if version.startswith("milvus_lite"):
            return cls(version, has_infix=True, has_sorted=False)
        numbers = re.match(r"v?(\d+)\.(\d+)", version)
        is_new = numbers is not None and (int(numbers[1]), int(numbers[2])) >= (2, 4)
        return cls(version, is_new, is_new)
