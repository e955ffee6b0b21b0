import gc
import weakref

import pytest

torch = pytest.importorskip("torch")
open_clip = pytest.importorskip("open_clip")

from photomap_cli.encoder.flat_buffer import ALIGN_BYTES, FlatBuffer, is_flattenable  # noqa: E402  torch first
from photomap_cli.encoder.weights import Weights  # noqa: E402

CPU = torch.device("cpu")


class Awkward(torch.nn.Module):
    """Every kind of tensor that a model has been seen to hold, and some more."""

    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(50, 16)
        self.head = torch.nn.Linear(16, 50, bias=False)
        self.head.weight = self.embedding.weight  # one object under two names
        shared = torch.randn(100, 16)
        self.first, self.second = torch.nn.Parameter(shared[:60]), torch.nn.Parameter(shared[40:])  # overlap
        self.transposed = torch.nn.Parameter(torch.randn(8, 5).t())
        self.convolution = torch.nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
        self.norm = torch.nn.BatchNorm2d(4)  # an int64 without dimensions
        self.scale = torch.nn.Parameter(torch.ones([]) * 4.6)
        self.sixteen = torch.nn.Parameter(torch.randn(7).half())
        self.bfloat = torch.nn.Parameter(torch.randn(9).bfloat16())
        self.eight = torch.nn.Parameter(torch.randn(11).to(torch.float8_e4m3fn), requires_grad=False)
        self.oddities = torch.nn.Parameter(torch.tensor([float("nan"), -0.0, float("inf")]))
        self.register_buffer("mask", torch.full((5, 5), float("-inf")).triu_(1), persistent=False)
        self.register_buffer("flags", torch.tensor([True, False, True]))
        self.register_buffer("nothing", None)
        self.register_buffer("complex", torch.randn(3, dtype=torch.complex128))
        self.register_buffer("empty", torch.empty(0, 4))
        self.register_buffer("expanded", torch.randn(1, 4).expand(6, 4))  # stride 0


def tensors_of(module):
    return [*module.parameters(), *module.buffers()]


def bits(tensor):
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""


def everything(module):
    return [
        (id(tensor), bits(tensor), tuple(tensor.shape), tensor.stride(), tensor.dtype, tensor.requires_grad)
        for tensor in tensors_of(module)
    ]


def copy_of(flat):
    return torch.empty(flat.nbytes, dtype=torch.uint8).copy_(flat.host)


def test_fifty_cycles_keep_every_bit_shape_stride_and_tie():
    module = Awkward().eval()
    before = everything(module)
    flat = FlatBuffer(tensors_of(module))
    assert everything(module) == before
    for _ in range(50):
        flat.point(copy_of(flat))
        assert everything(module) == before
        assert module.head.weight is module.embedding.weight
        assert module.first.data[40:].data_ptr() == module.second.data.data_ptr(), "the overlap is lost"
        flat.point(flat.host)
        assert everything(module) == before


def test_every_tensor_lies_in_the_buffer_and_starts_aligned():
    module = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Linear(5, 7)).requires_grad_(False)
    flat = FlatBuffer(tensors_of(module))
    start = flat.host.data_ptr()
    for tensor in tensors_of(module):
        assert 0 <= tensor.data_ptr() - start < flat.nbytes
        assert (tensor.data_ptr() - start) % ALIGN_BYTES == 0
    assert flat.tensors == 4


def test_a_dropped_copy_dies_with_its_last_reference():
    module = Awkward()
    flat = FlatBuffer(tensors_of(module))
    copy = copy_of(flat)
    gone = weakref.ref(copy)
    gc.disable()
    try:
        flat.point(copy)
        flat.point(flat.host)
        del copy
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.filterwarnings("ignore:.*quantize")
def test_what_is_more_than_bytes_is_not_flattened():
    class Wrapped(torch.Tensor):
        pass

    plain = torch.ones(3)
    assert is_flattenable(plain)
    assert is_flattenable(torch.nn.Parameter(plain))
    assert not is_flattenable(plain.as_subclass(Wrapped))
    assert not is_flattenable(torch.quantize_per_tensor(plain, 0.1, 0, torch.qint8))
    assert not is_flattenable(plain.to_sparse())
    assert not is_flattenable(torch.ones(3, dtype=torch.complex64).conj())
    assert not is_flattenable(torch.empty(3, device="meta"))


FAMILIES = {
    "CLIP": {"vision_cfg": {"layers": 2, "width": 64, "head_width": 32, "patch_size": 16, "image_size": 32}},
    "ResNet": {"vision_cfg": {"layers": [1, 1, 1, 1], "width": 16, "image_size": 64, "patch_size": None}},
    "custom text": {
        "vision_cfg": {"layers": 2, "width": 64, "head_width": 32, "patch_size": 16, "image_size": 32},
        "custom_text": True,
    },
    "timm": {"vision_cfg": {"timm_model_name": "fastvit_t8", "timm_pool": "avg", "timm_proj": None, "image_size": 64}},
}
TEXT = {"context_length": 16, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2}


@pytest.mark.parametrize("family", FAMILIES)
@torch.inference_mode()
def test_any_kind_of_open_clip_model_answers_the_same_bit_by_bit(family):
    config = FAMILIES[family]
    kind = open_clip.model.CustomTextCLIP if config.get("custom_text") or family == "timm" else open_clip.model.CLIP
    torch.manual_seed(0)
    with torch.inference_mode(False):
        model = kind(embed_dim=32, vision_cfg=config["vision_cfg"], text_cfg=TEXT).eval().requires_grad_(False)
    size = config["vision_cfg"]["image_size"]
    tokens, pixels = torch.randint(1, 49000, (3, 16)), torch.randn(2, 3, size, size)
    texts, pictures = model.encode_text(tokens), model.encode_image(pixels)
    weights = Weights(model, CPU)
    assert weights.loose_tensors == 0
    for _ in range(3):
        weights.to_device("text")
        assert torch.equal(model.encode_text(tokens), texts)
        weights.to_device("image")
        assert torch.equal(model.encode_image(pixels), pictures)
        weights.to_ram()
        assert torch.equal(model.encode_text(tokens), texts)
        assert torch.equal(model.encode_image(pixels), pictures)
