import subprocess
import sys

import pytest

from photomap_cli.encoder import cards, models, nvml


@pytest.fixture
def there(monkeypatch):
    def install(*, count=1, driver=13, card=(9, 0), built_for=13):
        monkeypatch.setattr(nvml, "device_count", lambda: count)
        monkeypatch.setattr(nvml, "driver_cuda", lambda: driver)
        monkeypatch.setattr(nvml, "capabilities", lambda: [card] if card else [])
        monkeypatch.setattr(cards, "torch_cuda", lambda: built_for)

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
    assert cards.is_expected() == expected
    default = models.DEFAULT_WITH_GPU if expected else models.DEFAULT_WITHOUT_GPU
    assert models.resolve("auto") == default


def test_what_torch_was_built_for_is_read_without_importing_it():
    program = (
        "import sys; from photomap_cli.encoder import cards; told = cards.torch_cuda();"
        "assert 'torch' not in sys.modules;"
        "import torch; cuda = torch.version.cuda;"
        "assert told == (int(cuda.partition('.')[0]) if cuda else None), (told, cuda)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
