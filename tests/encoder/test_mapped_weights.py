"""Weights are converted without the file they come from staying in memory."""

import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import load_file, save_file  # noqa: E402  torch first

from photomap_cli.encoder.mapped_weights import converted  # noqa: E402

NAMES, SIDE = ("first", "second"), 700  # 2 MB each, which end amid a page


def module_of(tensors):
    module = torch.nn.Module()
    for name, tensor in tensors.items():
        module.register_buffer(name, tensor)
    return module


@pytest.fixture
def path(tmp_path):
    """A file of weights, which a link leads to as in a download's cache."""
    target, link = tmp_path / "blob", tmp_path / "weights.safetensors"
    save_file({**{name: torch.randn(SIDE, SIDE) for name in NAMES}, "count": torch.arange(5000)}, target)
    link.symlink_to(target)
    return link


def resident_bytes(path):
    """Return how much of a mapped file is in this process's memory."""
    total, is_its = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if not line.split()[0].endswith(":"):
            is_its = line.endswith(f" {path.resolve()}")
        elif is_its and line.startswith("Rss:"):
            total += 1024 * int(line.split()[1])
    return total


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system doesn't tell what is mapped")
def test_what_is_converted_is_forgotten_and_read_again_if_need_be(path):
    mapped = load_file(path)
    before = {name: mapped[name].clone() for name in NAMES}
    assert resident_bytes(path) >= 2 * 4 * SIDE * SIDE
    module = converted(module_of(mapped), torch.bfloat16, path)
    assert resident_bytes(path) < 4 * SIDE * SIDE / 8
    for name in NAMES:
        assert torch.equal(getattr(module, name), before[name].bfloat16())
        assert torch.equal(mapped[name], before[name])
    assert module.count.dtype == torch.int64
    assert module.count.tolist() == list(range(5000))


def test_weights_in_the_type_that_they_have_are_the_files_own(path):
    mapped = load_file(path)
    module = converted(module_of(mapped), torch.float32, path)
    assert all(getattr(module, name).data_ptr() == mapped[name].data_ptr() for name in NAMES)
    assert all(torch.equal(getattr(module, name), load_file(path)[name]) for name in NAMES)


def test_memory_that_is_no_files_is_left_alone(path):
    own = {name: tensor.clone() for name, tensor in load_file(path).items()}
    module = converted(module_of(dict(own)), torch.bfloat16, path)
    for name in NAMES:
        assert torch.equal(own[name], load_file(path)[name])
        assert torch.equal(getattr(module, name), own[name].bfloat16())
