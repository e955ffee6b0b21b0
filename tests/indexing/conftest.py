"""What tests of indexing share."""

import pytest

from photomap_cli.library.catalog import Catalog


@pytest.fixture
def catalog(folder):
    """A new library, whose encoder is the one of its first run."""
    with Catalog.open(folder, create=True) as opened:
        yield opened
