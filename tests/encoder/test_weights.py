import copy
from collections import Counter

import pytest

torch = pytest.importorskip("torch")

from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402  torch first

from photomap_cli.encoder import pinned_memory  # noqa: E402
from photomap_cli.encoder.flat_buffer import BLOCK_BYTES  # noqa: E402
from photomap_cli.encoder.weights import Weights  # noqa: E402


class TwoTowers(torch.nn.Module):
    """A model with two towers, a tie, and a buffer that is in no state dict."""

    def __init__(self):
        super().__init__()
        self.visual = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.BatchNorm1d(5), torch.nn.Linear(5, 4))
        self.text = torch.nn.Linear(6, 4)
        self.tied = torch.nn.Linear(6, 4)
        self.tied.weight = self.text.weight
        self.register_buffer("mask", torch.full((4, 4), float("-inf")).triu_(1), persistent=False)

    def image(self, x):
        return self.visual(x)

    def words(self, x):
        return self.text(x) + self.tied(x) + self.mask.isinf().sum()


@pytest.fixture
def model():
    torch.manual_seed(0)
    return TwoTowers().eval().requires_grad_(False)


def test_fifty_cycles_change_no_bit_of_weights_or_outputs(model):
    before = {name: value.clone() for name, value in copy.deepcopy(model).state_dict().items()}
    x = torch.randn(3, 6)
    image, words = model.image(x), model.words(x)
    weights = Weights(model, torch.device("cpu"))
    for cycle in range(50):
        weights.to_device("text")
        if cycle % 2:
            weights.to_device("image")
        assert torch.equal(model.image(x), image)
        assert torch.equal(model.words(x), words)
        weights.to_ram()
        assert torch.equal(model.words(x), words)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model.tied.weight is model.text.weight


def poison(buffer):
    """Fill a buffer with ones: every float in it is NaN."""
    buffer.fill_(0xFF)


def test_in_use_the_copy_is_read_and_after_an_offload_the_master_is(model):
    x = torch.randn(3, 6)
    words = model.words(x)
    weights = Weights(model, torch.device("cpu"))
    tower = weights._towers["text"]
    clean = tower._flat.host.clone()
    weights.to_device("text")
    poison(tower._flat.host)
    assert torch.equal(model.words(x), words)
    tower._flat.host.copy_(clean)
    copy = tower._copy
    weights.to_ram()
    poison(copy)
    assert torch.equal(model.words(x), words)


def test_the_image_tower_is_not_needed_for_words(model):
    x = torch.randn(3, 6)
    words = model.words(x)
    poison(Weights(model, torch.device("cpu"))._towers["image"]._flat.host)
    assert torch.equal(model.words(x), words)
    assert model.image(x).isnan().any()


def test_a_reload_is_one_allocation_and_one_copy_and_an_offload_none(model):
    weights = Weights(model, torch.device("cpu"))
    with Counting() as reload:
        weights.to_device("text")
    assert reload.calls["aten.empty.memory_format", weights.vram_bytes] == 1
    assert reload.calls["aten.copy_.default", weights.vram_bytes] == 1
    assert reload.bytes_copied == weights.vram_bytes
    with Counting() as offload:
        weights.to_ram()
    assert offload.bytes_copied == 0
    assert all(nbytes == 0 for (name, nbytes) in offload.calls if name.startswith("aten.empty"))


class Counting(TorchDispatchMode):
    """Counts what is allocated and copied, with the bytes of each result."""

    def __init__(self):
        super().__init__()
        self.calls, self.bytes_copied = Counter(), 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        result = operation(*args, **(kwargs or {}))
        nbytes = result.nbytes if isinstance(result, torch.Tensor) else 0
        self.calls[str(operation), nbytes] += 1
        if "copy" in str(operation) or "clone" in str(operation):
            self.bytes_copied += nbytes
        return result


@pytest.mark.parametrize("step", ["empty", "copy_"])
def test_a_reload_that_fails_half_way_leaves_a_whole_model(model, monkeypatch, step):
    x = torch.randn(3, 6)
    words = model.words(x)
    weights = Weights(model, torch.device("cpu"))

    def refuse(*_, **__):
        raise torch.OutOfMemoryError("no room")

    monkeypatch.setattr(*((torch, "empty") if step == "empty" else (torch.Tensor, "copy_")), refuse)
    with pytest.raises(torch.OutOfMemoryError):
        weights.to_device("text")
    monkeypatch.undo()
    assert weights.vram_bytes == 0
    assert torch.equal(model.words(x), words)
    weights.to_device("text")
    assert torch.equal(model.words(x), words)


class Wrapped(torch.Tensor):
    """A tensor that is more than its bytes."""


@pytest.mark.filterwarnings("ignore:.*quantize")
def test_what_cannot_lie_in_a_flat_buffer_is_moved_by_itself_and_counted(model):
    model.text.bias = torch.nn.Parameter(torch.randn(4).as_subclass(Wrapped), requires_grad=False)
    model.register_buffer("steps", torch.quantize_per_tensor(torch.randn(5), 0.1, 0, torch.qint8))
    x = torch.randn(3, 6)
    words, master = model.words(x), model.text.bias
    weights = Weights(model, torch.device("cpu"))
    assert weights.loose_tensors == 2
    for _ in range(3):
        weights.to_device("text")
        assert model.text.bias is not master
        assert isinstance(model.text.bias, Wrapped)
        assert torch.equal(model.words(x), words)
        weights.to_ram()
        assert model.text.bias is master
        assert torch.equal(model.words(x), words)


def test_towers_that_share_a_tensor_move_as_one(model):
    model.visual[2].bias = model.text.bias
    x = torch.randn(3, 6)
    words, image = model.words(x), model.image(x)
    weights = Weights(model, torch.device("cpu"))
    weights.to_device("text")
    assert weights.vram_bytes == weights.ram_bytes
    weights.to_device("image")
    assert torch.equal(model.words(x), words)
    assert torch.equal(model.image(x), image)
    weights.to_ram()
    assert torch.equal(model.words(x), words)


def test_what_modules_cached_on_the_device_is_dropped_with_the_copy(model):
    model.visual[0].cache = {"cpu": torch.ones(3), "other": "kept"}
    weights = Weights(model, torch.device("cpu"))
    weights.to_device("image")
    weights.to_ram()
    assert model.visual[0].cache == {"other": "kept"}


def test_a_reload_inside_inference_mode_makes_no_inference_tensors(model):
    weights = Weights(model, torch.device("cpu"))
    with torch.inference_mode():
        weights.to_device("text")
    assert not model.text.weight.data.is_inference()


def test_bytes_are_those_of_the_buffers_tied_tensors_once(model):
    weights = Weights(model, torch.device("cpu"))
    assert weights.ram_bytes == 2 * BLOCK_BYTES
    weights.to_device("text")
    assert weights.vram_bytes == BLOCK_BYTES
    weights.to_ram()
    assert weights.vram_bytes == 0


def test_only_what_has_been_on_the_device_is_pinned_and_only_once(model, monkeypatch):
    pinned = []
    monkeypatch.setattr(pinned_memory, "pin", lambda address, nbytes: pinned.append(nbytes) or True)
    weights = Weights(model, torch.device("cpu"))
    assert not weights.wants_pinning
    weights.to_device("text")
    assert weights.wants_pinning
    assert not weights.is_pinned
    weights.pin()
    weights.pin()
    assert pinned == [BLOCK_BYTES]
    assert weights.is_pinned
    assert not weights.wants_pinning
