import os
from pathlib import Path

import pytest


@pytest.fixture
def light_worker(tmp_path, monkeypatch):
    """A worker for EncoderProcess that keeps the protocol with a pretended card, and imports no PyTorch."""
    places = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, places)))
    monkeypatch.setenv("DEATHS", str(tmp_path))
    return "mortal_worker"
