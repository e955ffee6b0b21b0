import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from photomap_cli import framing
from photomap_cli.encoder import bpe
from photomap_cli.encoder.probes import TEXTS, Probes, require_agreement
from photomap_cli.encoder.text_recipe import TextRecipe, recipe_of
from photomap_cli.encoder.text_tower import TextTower
from photomap_cli.errors import TowerUnfit

torch = pytest.importorskip("torch")

import open_clip  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_table")

VISION = {"image_size": 16, "layers": 1, "width": 64, "head_width": 32, "patch_size": 8}
SMALL = {"width": 64, "heads": 2, "layers": 3}
ANOTHER_KIND = ("hf_model_name", "hf_tokenizer_name", "no_causal_mask", "embed_cls", "ls_init_value", "block_type")
DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def small(config):
    """Return a model's configuration with its kinds and its tokenizer, but few weights."""
    text = {**config["text_cfg"], **SMALL}
    kinds = {name: config[name] for name in ("quick_gelu", "custom_text") if name in config}
    return {"embed_dim": 32, "vision_cfg": VISION, "text_cfg": text, **kinds}


def kinds():
    """Return the different small configurations among open_clip's plain CLIP text transformers, and who has them."""
    found = {}
    for name in open_clip.list_models():
        config = open_clip.get_model_config(name)
        if any(config["text_cfg"].get(each) for each in ANOTHER_KIND) or "multimodal_cfg" in config:
            continue
        found.setdefault(json.dumps(small(config), sort_keys=True), []).append(name)
    return found


KINDS = kinds()


def made(folder, config, *, dtype="float32", spread=0.05):
    """Make a model with random weights; return it with its tokenizer and the path of its weights."""
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": {}}))
    torch.manual_seed(1)
    name, path = f"local-dir:{folder}", folder / "open_clip_model.safetensors"
    model = open_clip.create_model(name, load_weights=False).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(spread * torch.randn_like(weight))  # biases and norms too
    save_file({key: value.to(DTYPES[dtype]).contiguous() for key, value in model.state_dict().items()}, path)
    model.load_state_dict({key: value.float() for key, value in load_file(path).items()})
    return model, open_clip.get_tokenizer(name), path


def vectors(model, tokenizer, texts=TEXTS):
    with torch.inference_mode():
        return torch.nn.functional.normalize(model.encode_text(tokenizer(list(texts))).float(), dim=-1).numpy()


def tower(model, tokenizer, path):
    recipe = recipe_of(model, tokenizer, vocabulary=bpe.vocabulary_digest())
    table = bpe.table(recipe.vocabulary)
    return TextTower(path, recipe, bpe.Tokenizer(table, context_length=recipe.context_length, clean=recipe.clean))


def probes_of(model, tokenizer, path):
    ids = [row[: row.index(49407) + 1] for row in tokenizer(list(TEXTS)).tolist()]
    recipe = recipe_of(model, tokenizer, vocabulary=bpe.vocabulary_digest())
    return Probes("ab", str(path), recipe, "", TEXTS, tuple(map(tuple, ids)), vectors(model, tokenizer))


def test_most_of_open_clips_models_are_plain():
    assert sum(map(len, KINDS.values())) >= 80
    assert {"ViT-B-32-256", "ViT-L-14", "ViT-B-32-quickgelu", "EVA02-B-16", "RN50"} <= set().union(*KINDS.values())


@pytest.mark.parametrize("config", KINDS, ids=[f"{names[0]}-and-{len(names) - 1}" for names in KINDS.values()])
def test_every_plain_kind_gives_the_vectors_that_open_clip_gives(tmp_path, config):
    model = made(tmp_path, json.loads(config))
    assert np.abs(tower(*model).encode(TEXTS) - vectors(*model[:2])).max() < 2e-6
    require_agreement(tower(*model), probes_of(*model))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("custom_text", [False, True])
@pytest.mark.parametrize("quick_gelu", [False, True])
def test_weights_are_read_in_every_precision_and_under_both_names(tmp_path, dtype, custom_text, quick_gelu):
    config = small(open_clip.get_model_config("ViT-B-32")) | {"custom_text": custom_text, "quick_gelu": quick_gelu}
    model = made(tmp_path, config, dtype=dtype)
    assert any(name.startswith("text.") for name in load_file(model[2])) == custom_text
    assert np.abs(tower(*model).encode(TEXTS) - vectors(*model[:2])).max() < 2e-6


@pytest.mark.parametrize(
    "more",
    [
        {"act_kwargs": {"approximate": "tanh"}},
        {"norm_kwargs": {"eps": 1e-3}},
        {"pool_type": "eos", "eos_id": 49407},
        {"context_length": 16},
        {"proj_bias": True},
        {"proj_type": "none", "width": 32},
        {"mlp_ratio": 2.0},
        {"heads": 1},
    ],
    ids=str,
)
def test_what_a_plain_transformer_may_vary_is_read_off_the_model(tmp_path, more):
    config = small(open_clip.get_model_config("ViT-B-32")) | {"custom_text": True}
    config["text_cfg"] |= more
    model = made(tmp_path, config)
    assert np.abs(tower(*model).encode(TEXTS) - vectors(*model[:2])).max() < 2e-6


@pytest.mark.parametrize(
    "more",
    [
        {"no_causal_mask": True},
        {"embed_cls": True},
        {"ls_init_value": 0.1},
        {"pool_type": "last"},
        {"qk_norm": True},
        {"scale_fc": True},
        {"tokenizer_kwargs": {"reduction_mask": "simple"}},
    ],
    ids=str,
)
def test_any_other_text_transformer_is_refused(tmp_path, more):
    config = small(open_clip.get_model_config("ViT-B-32")) | {"custom_text": True}
    config["text_cfg"] |= more
    with pytest.raises(TowerUnfit):
        tower(*made(tmp_path, config))


@pytest.fixture
def model(tmp_path):
    return made(tmp_path, small(open_clip.get_model_config("ViT-B-32")))


@pytest.mark.parametrize("wrong", [{"heads": 4}, {"norm_eps": 0.5}, {"clean": "whitespace"}], ids=str)
def test_a_recipe_that_is_wrong_is_found_by_the_probes(tmp_path, wrong):
    model = made(tmp_path, small(open_clip.get_model_config("ViT-B-32")), spread=0.3)
    probes = probes_of(*model)
    recipe = replace(probes.recipe, **wrong)
    table = bpe.table(recipe.vocabulary)
    wrong_tower = TextTower(model[2], recipe, bpe.Tokenizer(table, context_length=77, clean=recipe.clean))
    with pytest.raises(TowerUnfit, match=r"its tokenizer|gives different results"):
        require_agreement(wrong_tower, probes)


def test_weights_that_were_trained_on_are_found_by_the_probes(model):
    probes = probes_of(*model)
    tensors = load_file(model[2])
    tensors["transformer.resblocks.2.mlp.c_proj.weight"] *= 1.5
    save_file(tensors, model[2])
    with pytest.raises(TowerUnfit, match="gives different results"):
        require_agreement(tower(*model), probes)


def test_float32_weights_are_not_copied(model):
    whole = tower(*model)
    mapped = [each.values() for block in whole._transformer._blocks for each in block.values()]
    assert not any(values.flags.owndata for values in mapped)
    assert 0 < whole.nbytes < model[2].stat().st_size


def test_texts_are_encoded_one_by_one_and_no_text_is_no_row(model):
    whole = tower(*model)
    together = whole.encode(["red car", "x", "red car"])
    assert np.array_equal(together, np.concatenate([whole.encode([text]) for text in ("red car", "x", "red car")]))
    assert whole.encode([]).shape == (0, 32)


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: whole[:4],
        lambda whole: whole[:300],
        lambda whole: (1 << 60).to_bytes(8, "little") + whole[8:],
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole.replace(b'"F32"', b'"I64"', 1000),
        lambda whole: whole.replace(b'"shape":[192,64]', b'"shape":[191,64]'),
        lambda whole: whole.replace(b"resblocks.0.ln_1", b"resblocks.0.xx_1"),
        lambda whole: whole.replace(b"data_offsets", b"data_ofsfets"),
        lambda whole: b"PK\x03\x04" + whole[4:],
    ],
)
def test_a_file_that_is_no_such_model_is_refused(model, damage):
    recipe = recipe_of(*model[:2], vocabulary=bpe.vocabulary_digest())
    tokenizer = bpe.Tokenizer(bpe.table(recipe.vocabulary), context_length=77, clean="lower")
    model[2].write_bytes(damage(model[2].read_bytes()))
    with pytest.raises(TowerUnfit):
        TextTower(model[2], recipe, tokenizer).encode(["a"])


def test_probes_survive_a_file_and_a_damaged_file_is_none(model, tmp_path):
    probes, file = probes_of(*model), tmp_path / "probes"
    framing.write_file(file, *probes.to_frame())
    again = Probes.from_frame(*framing.read_file(file))
    assert np.array_equal(again.vectors, probes.vectors)
    assert (again.recipe, again.ids, again.texts) == (probes.recipe, probes.ids, probes.texts)
    message, payload = probes.to_frame()
    for name in ("recipe", "shape", "ids", "probes"):
        assert Probes.from_frame({**message, name: "?"}, payload) is None
    assert Probes.from_frame(message, payload[4:]) is None


@pytest.mark.parametrize(
    "wrong", [{"heads": 0}, {"heads": "2"}, {"clean": None}, {"context_length": 1}, {"norm_eps": 1}]
)
def test_a_recipe_of_other_kinds_is_refused(model, wrong):
    recipe = asdict(recipe_of(*model[:2], vocabulary="ab"))
    assert asdict(TextRecipe.from_json(recipe)) == recipe
    with pytest.raises(TowerUnfit):
        TextRecipe.from_json(recipe | wrong)
