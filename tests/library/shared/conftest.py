"""What the tests of a shared library share: a server that stands in for Milvus, and a client of it."""

from __future__ import annotations

import itertools

import pytest

from photomap_cli.library.shared import address
from photomap_cli.library.shared.client import Client
from photomap_cli.library.shared.credentials import Credentials

_numbers = itertools.count()


@pytest.fixture
def where_to(milvus_lite):
    """Return the address of a library that nobody has begun."""
    return address.parse(f"milvus://{milvus_lite}/photos_{next(_numbers)}")


@pytest.fixture(scope="session")
def client(milvus_lite):
    opened = Client(address.parse(f"milvus://{milvus_lite}/photos"), Credentials())
    yield opened
    opened.close()
