import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from test_text_tower import made

from photomap_cli import framing
from photomap_cli.encoder.image_probes import ImageProbes, pictures, require_agreement
from photomap_cli.encoder.image_recipe import ImageRecipe, recipe_of
from photomap_cli.encoder.image_tower import ImageTower
from photomap_cli.errors import TowerUnfit

torch = pytest.importorskip("torch")

import open_clip  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

TEXT = {"width": 64, "heads": 2, "layers": 1, "context_length": 77, "vocab_size": 49408}
SMALL = {"image_size": 32, "patch_size": 8, "width": 64, "head_width": 32, "layers": 3}


def small(**vision):
    return {"embed_dim": 32, "vision_cfg": SMALL | vision, "text_cfg": TEXT}


def kinds():
    """Return the vision transformers among open_clip's configurations, with few weights, and who has them."""
    found = {}
    for name in open_clip.list_models():
        config = open_clip.get_model_config(name)
        vision = config["vision_cfg"]
        if "patch_size" not in vision or isinstance(vision.get("layers"), list):
            continue
        others = {"image_size", "width", "head_width", "layers", "output_tokens"}
        kept = {key: value for key, value in vision.items() if key not in others}
        whole = {
            "embed_dim": 32,
            "vision_cfg": kept | {"width": 64, "head_width": 32, "layers": 2, "image_size": 4 * vision["patch_size"]},
        }
        whole |= {"text_cfg": TEXT, **{key: config[key] for key in ("quick_gelu",) if key in config}}
        found.setdefault(json.dumps(whole, sort_keys=True), []).append(name)
    return found


def tower_of(model, path, size=(32, 32)):
    fit = {"image_size": size, "resize_mode": "shortest", "interpolation": "bicubic", "fill": 0}
    return ImageTower(path, recipe_of(model, **fit))


def vectors(model, pixels):
    mean, std = (255 * torch.tensor(model.visual.preprocess_cfg[name]).view(1, 3, 1, 1) for name in ("mean", "std"))
    with torch.inference_mode():
        batch = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() - mean) / std
        return torch.nn.functional.normalize(model.encode_image(batch).float(), dim=-1).numpy()


def probes_of(model, path, size=(32, 32)):
    return ImageProbes("ab", str(path), tower_of(model, path, size).recipe, "", vectors(model, pictures(size)))


@pytest.fixture
def model(tmp_path):
    made_model, _, path = made(tmp_path, small())
    return made_model, path


def test_every_kind_of_vision_transformer_is_right_or_refused(tmp_path):
    right, refused = [], []
    for number, (config, names) in enumerate(kinds().items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        model, _, path = made(folder, json.loads(config))
        size = model.visual.image_size
        try:
            tower = tower_of(model, path, size)
        except TowerUnfit:
            refused += names
            continue
        assert np.abs(tower.encode(pictures(size)) - vectors(model, pictures(size))).max() < 2e-6, names
        require_agreement(tower, probes_of(model, path, size))
        right += names
    assert {"ViT-B-32", "ViT-B-32-256", "ViT-B-16", "ViT-L-14", "ViT-B-32-quickgelu"} <= set(right)
    assert {"coca_ViT-B-32"} <= set(refused)


@pytest.mark.parametrize(
    "vision",
    [
        {"image_size": [32, 48]},
        {"norm_kwargs": {"eps": 1e-3}},
        {"act_kwargs": {"approximate": "tanh"}},
        {"mlp_ratio": 2.0},
        {"no_ln_pre": True},
        {"pos_embed_type": "sin_cos_2d"},
        {"head_width": 16},
    ],
    ids=str,
)
def test_what_a_plain_transformer_may_vary_is_read_off_the_model(tmp_path, vision):
    model, _, path = made(tmp_path, small(**vision))
    size = tuple(vision.get("image_size", (32, 32)))
    assert np.abs(tower_of(model, path, size).encode(pictures(size)) - vectors(model, pictures(size))).max() < 2e-6


@pytest.mark.parametrize(
    "vision",
    [{"pool_type": "avg"}, {"attentional_pool": True}, {"ls_init_value": 0.1}, {"qk_norm": True}],
    ids=str,
)
def test_any_other_image_transformer_is_refused(tmp_path, vision):
    model, _, path = made(tmp_path, small(**vision))
    with pytest.raises(TowerUnfit):
        tower_of(model, path)


@pytest.mark.parametrize("count", [0, 1, 3, 9])
def test_pictures_have_the_same_vectors_in_any_company(model, count):
    tower = tower_of(*model)
    shown = np.concatenate([pictures((32, 32))] * 3)[:count]
    rows = tower.encode(shown)
    assert rows.shape == (count, 32)
    for row, picture in zip(rows, shown, strict=True):
        assert np.abs(row - tower.encode(picture[np.newaxis])[0]).max() < 1e-6


@pytest.mark.parametrize("wrong", [{"heads": 4}, {"norm_eps": 0.5}, {"mean": (0.1, 0.5, 0.9)}], ids=str)
def test_a_recipe_that_is_wrong_is_found_by_the_probes(tmp_path, wrong):
    model, _, path = made(tmp_path, small(), spread=0.3)
    probes = probes_of(model, path)
    with pytest.raises(TowerUnfit, match="gives different results"):
        require_agreement(ImageTower(path, replace(probes.recipe, **wrong)), probes)


def test_weights_that_were_trained_on_are_found_by_the_probes(model):
    probes = probes_of(*model)
    tensors = load_file(model[1])
    tensors["visual.transformer.resblocks.2.mlp.c_proj.weight"] *= 1.5
    save_file(tensors, model[1])
    with pytest.raises(TowerUnfit, match="gives different results"):
        require_agreement(tower_of(*model), probes)


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole.replace(b'"F32"', b'"I64"', 1000),
        lambda whole: whole.replace(b"visual.conv1", b"visual.xonv1"),
        lambda whole: whole.replace(b"visual.proj", b"visual.prox"),
        lambda whole: whole.replace(b"visual.transformer.resblocks.0.ln_1", b"visual.transformer.resblocks.0.xx_1"),
    ],
)
def test_a_file_that_is_no_such_model_is_refused(model, damage):
    recipe = tower_of(*model).recipe
    model[1].write_bytes(damage(model[1].read_bytes()))
    with pytest.raises(TowerUnfit):
        ImageTower(model[1], recipe).encode(pictures((32, 32)))


def test_probes_survive_a_file_and_a_damaged_file_is_none(model, tmp_path):
    probes, file = probes_of(*model), tmp_path / "probes"
    framing.write_file(file, *probes.to_frame())
    again = ImageProbes.from_frame(*framing.read_file(file))
    assert np.array_equal(again.vectors, probes.vectors)
    assert again.recipe == probes.recipe
    message, payload = probes.to_frame()
    for name in ("recipe", "shape", "image_probes"):
        assert ImageProbes.from_frame({**message, name: "?"}, payload) is None
    assert ImageProbes.from_frame(message, payload[4:]) is None


def test_the_probe_pictures_never_change():
    assert [int(each.astype(np.int64).sum()) for each in pictures((64, 48))] == PICTURE_SUMS


PICTURE_SUMS = [1167408, 2010755, 1163776]


@pytest.mark.parametrize(
    "wrong",
    [{"heads": 0}, {"heads": "2"}, {"fill": None}, {"image_size": [0, 4]}, {"mean": [1]}, {"std": [0.0, 1.0, 1.0]}],
)
def test_a_recipe_of_other_kinds_is_refused(model, wrong):
    recipe = json.loads(json.dumps(asdict(tower_of(*model).recipe)))
    assert ImageRecipe.from_json(recipe) == tower_of(*model).recipe
    with pytest.raises(TowerUnfit):
        ImageRecipe.from_json(recipe | wrong)
