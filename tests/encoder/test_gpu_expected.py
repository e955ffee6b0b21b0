import subprocess
import sys

import pytest
from waiting import LONG_SECONDS

from photomap_cli.encoder import gpu, models
from photomap_cli.session.session import Session
from photomap_cli.settings import Settings


@pytest.fixture
def there(monkeypatch):
    def install(*, count=1, driver=13, card=(9, 0), built_for=13):
        monkeypatch.setattr(gpu, "device_count", lambda: count)
        monkeypatch.setattr(gpu, "driver_cuda", lambda: driver)
        monkeypatch.setattr(gpu, "capabilities", lambda: [card] if card else [])
        monkeypatch.setattr(gpu, "torch_cuda", lambda: built_for)

    return install


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, True),
        ({"built_for": 12}, True),
        ({"driver": 0, "card": None}, True),  # an old NVML does not tell; torch will
        ({"count": 0}, False),
        ({"built_for": None}, False),
        ({"driver": 12}, False),
        ({"card": (6, 1)}, False),
        ({"card": (6, 1), "built_for": 12}, True),
    ],
    ids=["all well", "older torch", "unknown", "hidden", "torch for CPUs", "old driver", "old card", "both older"],
)
def test_the_large_encoder_is_the_default_only_where_torch_can_use_the_card(there, how, expected):
    there(**how)
    assert gpu.is_expected() == expected
    default = models.DEFAULT_WITH_GPU if expected else models.DEFAULT_WITHOUT_GPU
    assert models.resolve("auto") == default


@pytest.mark.parametrize("expected", [True, False])
def test_a_device_that_was_chosen_decides_about_the_default(monkeypatch, expected):
    monkeypatch.setattr(gpu, "is_expected", lambda: expected)
    assert models.resolve("auto", "cpu") == models.resolve("auto", "mps") == models.DEFAULT_WITHOUT_GPU
    assert models.resolve("auto", "cuda:1") == models.DEFAULT_WITH_GPU
    assert models.resolve("tiny", "cuda:1") == "tiny"


def test_a_session_asks_for_the_default_of_its_device(monkeypatch, tmp_path):
    monkeypatch.setattr(gpu, "is_expected", lambda: True)
    for device, spec in (("cpu", models.DEFAULT_WITHOUT_GPU), ("auto", models.DEFAULT_WITH_GPU)):
        with Session.open(tmp_path / device, Settings(device=device), create=True) as session:
            assert session.spec == spec


def test_what_torch_was_built_for_is_read_without_importing_it():
    program = (
        "import sys; from photomap_cli.encoder import gpu; told = gpu.torch_cuda();"
        "assert 'torch' not in sys.modules;"
        "import torch; cuda = torch.version.cuda;"
        "assert told == (int(cuda.partition('.')[0]) if cuda else None), (told, cuda)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=LONG_SECONDS)
