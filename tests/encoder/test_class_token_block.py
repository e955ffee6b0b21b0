import json

import pytest
from test_image_tower import SMALL, TEXT, kinds

torch = pytest.importorskip("torch")

import open_clip  # noqa: E402  torch first
from test_openclip import load  # noqa: E402

from photomap_cli.encoder.class_token_block import ClassTokenBlock, use_where_enough  # noqa: E402
from photomap_cli.encoder.image_recipe import recipe_of  # noqa: E402
from photomap_cli.encoder.weights import Weights  # noqa: E402

FIT = {"image_size": (32, 32), "resize_mode": "shortest", "interpolation": "bicubic", "fill": 0}


def made(vision=None, **others):
    """Return a model with random weights, biases and norms too."""
    torch.manual_seed(1)
    config = {"embed_dim": 32, "vision_cfg": SMALL | (vision or {}), "text_cfg": TEXT | {"vocab_size": 8}, **others}
    model = open_clip.CLIP(**config).eval().requires_grad_(False)
    for weight in model.parameters():
        weight.add_(0.05 * torch.randn_like(weight))
    model.visual.preprocess_cfg = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}
    return model


def last_block(model):
    return model.visual.transformer.resblocks[-1]


def rows(model, *, count=5):
    torch.manual_seed(2)
    height, width = model.visual.image_size
    pixels = torch.randn(count, 3, height, width, dtype=model.visual.conv1.weight.dtype)
    with torch.inference_mode():
        return torch.nn.functional.normalize(model.encode_image(pixels).float(), dim=-1)


@pytest.fixture
def model():
    return made()


def test_every_vision_transformer_of_open_clip_gives_the_same_rows():
    shortened, left = [], []
    for text, names in kinds().items():
        config = json.loads(text)
        model = made(config["vision_cfg"], quick_gelu=config.get("quick_gelu", False))
        before = rows(model)
        use_where_enough(model.visual)
        if type(last_block(model)) is ClassTokenBlock:
            assert (rows(model) - before).abs().max() < 1e-5, names
            shortened += names
        else:
            left += names
    assert {"ViT-B-32", "ViT-B-32-256", "ViT-B-16", "ViT-L-14", "ViT-B-32-quickgelu"} <= set(shortened)
    assert {"coca_ViT-B-32"} <= set(left)


@pytest.mark.parametrize(
    "vision",
    [
        {"image_size": [32, 48]},
        {"norm_kwargs": {"eps": 1e-3}},
        {"ls_init_value": 0.1},
        {"no_ln_pre": True},
        {"final_ln_after_pool": True},
        {"patch_dropout": 0.5},
        {"layers": 1},
    ],
    ids=str,
)
@pytest.mark.parametrize("count", [1, 5])
def test_what_doesnt_concern_the_last_block_may_vary(vision, count):
    model = made(vision)
    before = rows(model, count=count)
    use_where_enough(model.visual)
    assert type(last_block(model)) is ClassTokenBlock
    assert before.shape == (count, 32)
    assert torch.allclose(rows(model, count=count), before, atol=1e-5, rtol=0)


def test_in_half_precision_the_rows_differ_by_rounding_only(model):
    model.bfloat16()
    before = rows(model)
    use_where_enough(model.visual)
    assert (rows(model) * before).sum(-1).min() > 0.9999


@pytest.mark.parametrize(
    "vision", [{"pool_type": "avg"}, {"attentional_pool": True}, {"qk_norm": True}, {"output_tokens": True}], ids=str
)
def test_where_more_is_read_or_computed_nothing_changes(vision):
    model = made(vision)
    block = last_block(model)
    use_where_enough(model.visual)
    assert last_block(model) is block


def add_part(block):
    block.gate = torch.nn.Identity()


def add_hook(block):
    block.register_forward_hook(lambda *_: None)


def derive(block):
    block.__class__ = type("Gated", (type(block),), {})


def attend_in_another_way(block):
    block.attn = torch.nn.MultiheadAttention(64, 2, batch_first=True, add_bias_kv=True)


@pytest.mark.parametrize("change", [add_part, add_hook, derive, attend_in_another_way])
def test_a_block_that_is_not_open_clips_own_is_left_alone(model, change):
    block = last_block(model)
    change(block)
    use_where_enough(model.visual)
    assert last_block(model) is block


def test_an_image_tower_of_another_kind_is_left_alone():
    resnet = made({"layers": [1, 1, 1, 1]}).visual
    before = [type(module) for module in resnet.modules()]
    use_where_enough(resnet)
    assert [type(module) for module in resnet.modules()] == before


def test_tensors_keep_their_names_and_are_shared(model):
    before = dict(model.state_dict(keep_vars=True))
    recipe = recipe_of(model, **FIT)
    use_where_enough(model.visual)
    after = dict(model.state_dict(keep_vars=True))
    assert list(after) == list(before)
    assert all(after[name] is tensor for name, tensor in before.items())
    assert recipe_of(model, **FIT) == recipe


def test_its_weights_move_to_a_device_and_back(model):
    use_where_enough(model.visual)
    expected = rows(model)
    weights = Weights(model, torch.device("cpu"))
    master = weights._towers["image"]._flat.host
    clean = master.clone()
    for _ in range(2):
        weights.to_device("image")
        master.fill_(0xFF)
        assert torch.equal(rows(model), expected)
        master.copy_(clean)
        weights.to_ram()
        assert torch.equal(rows(model), expected)
    master.fill_(0xFF)
    assert rows(model).isnan().any()


def test_an_encoder_that_is_loaded_has_it():
    assert type(last_block(load("tiny")._model)) is ClassTokenBlock
