import pytest

from photomap_cli.library.catalog import Catalog
from photomap_cli.library.vectors import VectorStore

from .fakes import ENCODER


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "library"


@pytest.fixture
def photos(tmp_path):
    path = tmp_path / "photos"
    path.mkdir()
    return path


@pytest.fixture
def catalog(folder):
    with Catalog.open(folder, create=True) as opened:
        opened.set_encoder(ENCODER)
        yield opened


@pytest.fixture
def store(folder, catalog):
    with VectorStore(folder, catalog) as opened:
        yield opened
