import copy

import pytest

torch = pytest.importorskip("torch")

from photomap_cli.encoder.weights import Weights  # noqa: E402  torch first


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


def test_in_use_the_copy_is_read_and_after_an_offload_the_master_is(model):
    """Poison: whichever side is not in use is NaN, and the outputs stay equal."""
    x = torch.randn(3, 6)
    words = model.words(x)
    weights = Weights(model, torch.device("cpu"))
    masters = weights._masters["text"]
    clean = [master.clone() for master in masters]
    weights.to_device("text")
    for master in masters:
        master.fill_(float("nan"))
    assert torch.equal(model.words(x), words)
    for master, value in zip(masters, clean, strict=True):
        master.copy_(value)
    copies = [tensor.data for tensor in weights._towers["text"]]
    weights.to_ram()
    for dropped in copies:
        dropped.fill_(float("nan"))
    assert torch.equal(model.words(x), words)


def test_the_image_tower_is_not_needed_for_words(model):
    x = torch.randn(3, 6)
    words = model.words(x)
    for master in Weights(model, torch.device("cpu"))._masters["image"]:
        if master.is_floating_point():
            master.fill_(float("nan"))
    assert torch.equal(model.words(x), words)
    assert model.image(x).isnan().any()


def test_a_copy_that_fails_half_way_leaves_a_whole_model(model, monkeypatch):
    x = torch.randn(3, 6)
    words = model.words(x)
    weights = Weights(model, torch.device("cpu"))
    copies = iter([True, False])

    def to(tensor, *_, **__):
        if not next(copies):
            raise torch.OutOfMemoryError("no room")
        return tensor.clone()

    monkeypatch.setattr(torch.Tensor, "to", to)
    with pytest.raises(torch.OutOfMemoryError):
        weights.to_device("text")
    monkeypatch.undo()
    assert weights.vram_bytes == 0
    assert torch.equal(model.words(x), words)


def test_a_reload_inside_inference_mode_makes_no_inference_tensors(model):
    weights = Weights(model, torch.device("cpu"))
    with torch.inference_mode():
        weights.to_device("text")
    assert not model.text.weight.data.is_inference()


def test_bytes_are_counted_once_for_tied_tensors(model):
    weights = Weights(model, torch.device("cpu"))
    expected = sum(t.numel() * t.element_size() for t in [*model.parameters(), *model.buffers()])
    assert weights.ram_bytes == expected
    weights.to_device("text")
    assert 0 < weights.vram_bytes < expected
    weights.to_ram()
    assert weights.vram_bytes == 0
