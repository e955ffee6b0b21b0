import functools
import os
from pathlib import Path

import pytest

from photomap_cli.encoder import bpe

TABLE = functools.cache(bpe.table)


@pytest.fixture
def light_worker(tmp_path, monkeypatch):
    """A worker for EncoderProcess that keeps the protocol with a pretended card, and imports no PyTorch."""
    places = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, places)))
    monkeypatch.setenv("DEATHS", str(tmp_path))
    return "mortal_worker"


@pytest.fixture
def one_table(monkeypatch):
    """The tokenizer's table is made once, and not in each test's own home: that takes 0.2 s."""
    monkeypatch.setattr(bpe, "table", TABLE)
