import json
import shutil
from dataclasses import fields
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file
from test_image_tower import kinds

from photomap_cli.encoder import bpe, image_recipe, models, plain_clip, text_recipe
from photomap_cli.errors import TowerUnfit

open_clip = pytest.importorskip("open_clip")
from open_clip.model import CLIPTextCfg, CLIPVisionCfg  # noqa: E402

TINY = Path(models.__file__).parent / "tiny"
SMALL_TEXT = {"width": 64, "heads": 2, "layers": 1}
FIT = {"resize_mode": "shortest", "interpolation": "bicubic", "fill": 0}


def small(config, text):
    """Return one of open_clip's configurations with few weights: all that it says of texts but their number."""
    told = {key: value for key, value in text.items() if key not in SMALL_TEXT | {"output_tokens": 0}}
    return config | {"text_cfg": told | SMALL_TEXT}


def told_by_open_clip(config):
    model = open_clip.model.CLIP(**json.loads(json.dumps(config)))
    open_clip.model.set_model_preprocess_cfg(model, {"mean": plain_clip._MEAN, "std": plain_clip._STD})
    tokenizer = open_clip.SimpleTokenizer(context_length=config["text_cfg"].get("context_length", 77))
    image = image_recipe.recipe_of(model, image_size=(model.visual.image_size), **FIT)
    text = text_recipe.recipe_of(model, tokenizer, vocabulary=bpe.vocabulary_digest())
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items() if name != "logit_scale"}
    return text, image, shapes


def test_of_every_configuration_of_open_clip_all_is_known_that_it_builds_or_pytorch_is_asked():
    right, refused = [], []
    for vision, names in kinds().items():
        for name in names:
            config = small(json.loads(vision), open_clip.get_model_config(name)["text_cfg"])
            if open_clip.get_model_config(name).keys() - {"quick_gelu", *config}:
                config |= {"custom_text": True}
            try:
                told = plain_clip.derive(config)
            except TowerUnfit:
                refused.append(name)
                continue
            assert (told.text, told.image, told.shapes) == told_by_open_clip(config), name
            right.append(name)
    assert {"ViT-B-32", "ViT-B-32-256", "ViT-B-16", "ViT-L-14", "ViT-B-32-quickgelu"} <= set(right)
    assert {"coca_ViT-B-32"} <= set(refused)


def config_of(**changes):
    config = json.loads((TINY / "open_clip_config.json").read_text())
    for key, value in changes.items():
        part, _, name = key.partition("__")
        (config[part] if name == key or part == "preprocess_cfg" else config["model_cfg"][part])[name] = value
    return config


@pytest.mark.parametrize(
    ("part", "kind", "known"),
    [
        ("vision_cfg", CLIPVisionCfg, {"image_size", "patch_size", "layers", "width", "head_width", "mlp_ratio"}),
        ("text_cfg", CLIPTextCfg, {"context_length", "vocab_size", "layers", "width", "heads", "mlp_ratio"}),
    ],
)
def test_a_key_that_is_not_known_leaves_it_to_pytorch(part, kind, known):
    for name in {each.name for each in fields(kind)} - known:
        with pytest.raises(TowerUnfit):
            plain_clip.derive(config_of(**{f"{part}__{name}": None}))


@pytest.mark.parametrize(
    "change",
    [
        {"vision_cfg__layers": [3, 4, 6, 3]},
        {"vision_cfg__width": "wide"},
        {"vision_cfg__patch_size": 0},
        {"vision_cfg__image_size": [64]},
        {"preprocess_cfg__mean": [0.5]},
        {"preprocess_cfg__crop": 0.9},
    ],
    ids=str,
)
def test_values_that_make_no_sense_leave_it_to_pytorch(change):
    with pytest.raises(TowerUnfit):
        plain_clip.derive(config_of(**change))


@pytest.fixture
def mine(tmp_path):
    return shutil.copytree(TINY, tmp_path / "mine")


def found(folder):
    return plain_clip.find(f"local-dir:{folder}")


def test_the_embedded_encoder_is_a_plain_clip():
    told = plain_clip.find("tiny").model.image
    assert (told.image_size, told.resize_mode) == ((64, 64), "squash")


@pytest.mark.parametrize("change", ["missing", "more", "shape"])
def test_weights_must_be_all_that_such_a_model_has_and_no_more(mine, change):
    found(mine)
    tensors = load_file(mine / models.SAFE_WEIGHTS)
    bias = tensors.pop("visual.ln_pre.bias")
    changed = {
        "missing": {},
        "more": {"visual.ln_pre.bias": bias, "visual.gamma": bias},
        "shape": {"visual.ln_pre.bias": bias[:-1]},
    }
    save_file(tensors | changed[change], mine / models.SAFE_WEIGHTS)
    with pytest.raises(TowerUnfit, match="aren't those of a plain CLIP"):
        found(mine)


@pytest.mark.parametrize("damage", ["no weights", "other name", "no config", "not JSON", "refused"])
def test_what_is_not_certain_is_left_to_pytorch(mine, damage):
    weights, config = mine / models.SAFE_WEIGHTS, mine / "open_clip_config.json"
    if damage == "no weights":
        weights.unlink()
    elif damage == "other name":
        weights.rename(mine / "model.safetensors")
    elif damage == "no config":
        config.unlink()
    else:
        config.write_text("{" if damage == "not JSON" else json.dumps(config_of(vision_cfg__width=10**6)))
    with pytest.raises(TowerUnfit):
        found(mine)


@pytest.mark.parametrize("spec", [models.DEFAULT_WITHOUT_GPU, models.DEFAULT_WITH_GPU])
def test_a_model_of_the_hub_is_read_as_open_clip_would(spec, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(TowerUnfit, match="there isn't one"):
        plain_clip.find(spec)
    (known,) = (model for model in models.KNOWN if model.spec == spec)
    snapshot = models.hub_cache(known.hub) / "snapshots" / "1"
    snapshot.mkdir(parents=True)
    (snapshot / models.SAFE_WEIGHTS).write_bytes(b"")
    whole, tag = plain_clip._found(spec), open_clip.get_pretrained_cfg(*spec.split("/"))
    told = whole.model.image
    assert (list(told.mean), list(told.std)) == (list(tag["mean"]), list(tag["std"]))
    assert (told.interpolation, told.resize_mode, told.fill) == (tag["interpolation"], tag["resize_mode"], 0)
    assert tag["hf_hub"].rstrip("/") == known.hub
    assert whole.config is None  # as open_clip's own is not what comes with the weights
