"""Gives each test of the contract a place for its library."""

from __future__ import annotations

import pytest
from library_places import KINDS, Place


@pytest.fixture(params=KINDS)
def place(tmp_path):
    """Return where there is no library yet."""
    return Place(tmp_path / "library")
