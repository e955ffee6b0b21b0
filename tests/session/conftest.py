from pathlib import Path

import pytest
from fake_encoder import GPU, FakeEncoder
from library_fakes import InProcessDecoder
from waiting import LONG_SECONDS

from photomap_cli.encoder.process import EncoderProcess
from photomap_cli.errors import EncoderFailed
from photomap_cli.indexing.index_options import IndexOptions
from photomap_cli.indexing.indexer import Indexer
from photomap_cli.session import attach, transport
from photomap_cli.session.session import Session
from photomap_cli.settings import Settings
from photomap_cli.vectors.local_library import LocalLibrary

COLOURS = {"red": (220, 30, 30), "green": (30, 200, 40), "blue": (30, 40, 210), "grey": (128, 128, 128)}


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """Nobody is given up here for being slow: that is tested where it is meant."""
    monkeypatch.setattr(transport, "TIMEOUTS", transport.Timeouts(LONG_SECONDS, LONG_SECONDS))
    monkeypatch.setattr(transport, "CONNECT_SECONDS", LONG_SECONDS)
    monkeypatch.setattr(attach, "TIMEOUT_SECONDS", LONG_SECONDS)


@pytest.fixture(autouse=True)
def _decodes_in_process(monkeypatch):
    """Photos are indexed without decode processes, which take longer to start than these tests to run."""
    monkeypatch.setitem(Indexer.__init__.__kwdefaults__, "open_pool", InProcessDecoder)


@pytest.fixture
def photos(tmp_path):
    from PIL import Image

    folder = tmp_path / "photos"
    for name, colour in COLOURS.items():
        (folder / name).mkdir(parents=True)
        Image.new("RGB", (40, 30), colour).save(folder / name / f"{name}.png")
    return folder


@pytest.fixture
def encoder():
    return FakeEncoder(GPU)


@pytest.fixture
def make_session(tmp_path, encoder):
    """Return a function that opens a session over one library with a fake encoder."""
    opened = []

    def make(folder: Path | None = None, **settings):
        folder = folder or tmp_path / "library"
        values = Settings(**{"min_score": -1.0, "encoder_idle_timeout_seconds": 2 * LONG_SECONDS, **settings})
        opened.append(Session(LocalLibrary.open(folder, create=True), encoder, spec="fake", settings=values))
        return opened[-1]

    yield make
    for session in opened:
        session.close()


@pytest.fixture
def session(make_session, photos):
    made = make_session()
    for _ in made.indexer(IndexOptions()).run([photos]):
        pass
    made.offload()
    return made


@pytest.fixture
def no_process(monkeypatch):
    """Nobody may start an encoder process."""

    def refuse(_):
        raise EncoderFailed("an encoder process was started")

    monkeypatch.setattr(EncoderProcess, "load", refuse)
