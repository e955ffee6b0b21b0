"""Configurations from elsewhere: odd ones are told in a line with the key, and none runs code."""

import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cases import cases

from photomap_cli.encoder import model_config, models
from photomap_cli.errors import UnknownEncoder

TINY = Path(model_config.__file__).parent / "tiny"
GOOD = json.loads((TINY / "open_clip_config.json").read_text())
WEIGHTS = (TINY / "open_clip_model.safetensors").stat().st_size


def changed(key, value):
    config = copy.deepcopy(GOOD)
    *above, last = key.split(".")
    place = config
    for part in above:
        place = place.setdefault(part, {})
    place[last] = value
    return config


def without(key):
    config = copy.deepcopy(GOOD)
    *above, last = key.split(".")
    place = config
    for part in above:
        place = place[part]
    del place[last]
    return config


TEXT, VISION = "model_cfg.text_cfg", "model_cfg.vision_cfg"
ODD = {
    f"{TEXT}.tokenizer_kwargs.trust_remote_code": True,
    f"{TEXT}.tokenizer_kwargs": [],
    f"{TEXT}.hf_model_name": "../../evil",
    f"{TEXT}.hf_tokenizer_name": "/tmp/evil",
    f"{TEXT}.width": "wide",
    f"{TEXT}.heads": 3,
    f"{TEXT}.layers": -1,
    f"{TEXT}.context_length": 10**9,
    f"{TEXT}.vocab_size": 1_999_999,
    f"{TEXT}.pool_type": "swimming",
    f"{TEXT}.norm_kwargs.elementwise_affine": False,
    f"{TEXT}.mlp_ratio": float("nan"),
    f"{TEXT}.ls_init_value": float("inf"),
    f"{TEXT}.eos_id": None,
    f"{VISION}.width": 16_384,
    f"{VISION}.head_width": 0,
    f"{VISION}.layers": [1, 2],
    f"{VISION}.patch_size": 4096,
    f"{VISION}.image_size": [64, "64"],
    f"{VISION}.timm_model_name": "hf-hub:evil/model",
    f"{VISION}.act_kwargs": "gelu",
    f"{VISION}.unknown": 1,
    "model_cfg.embed_dim": True,
    "model_cfg.vision_cfg": None,
    "model_cfg.text_cfg": [[]],
    "model_cfg.init_logit_scale": 10**400,
    "model_cfg.auto_map": {"AutoTokenizer": "evil.Evil"},
    "auto_map": {"AutoModel": "evil.Evil"},
    "preprocess_cfg.mean": [0, 0],
    "preprocess_cfg.std": [0, 0, 0],
    "preprocess_cfg.size": 10**6,
    "preprocess_cfg.interpolation": "\x1b]52;c;aGk=\x07",
    "preprocess_cfg.fill_color": {"red": 1},
}
BYTES = {
    "no JSON": b"model_cfg: {}",
    "no UTF-8": json.dumps(GOOD).encode("utf-16"),
    "nothing": b"",
    "a list": b"[1, 2]",
    "a text": b'"model_cfg"',
    "nested deeply": b'{"model_cfg":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "a number beyond all": json.dumps(GOOD).encode().replace(b'"width": 192', b'"width": 1e400'),
    "digits": json.dumps(GOOD).encode().replace(b'"width": 192', b'"width": ' + b"9" * 5000),
    "long": b" " * (model_config.MOST_BYTES + 1),
}


def refusal(path, content):
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    with pytest.raises(UnknownEncoder) as caught:
        model_config.require(path, WEIGHTS)
    assert caught.value.hint
    assert len(caught.value.message.replace(str(path), "")) < 250
    return caught.value.message


@cases("key", ODD)
def test_an_odd_value_is_told_with_its_key(tmp_path, key):
    assert key in refusal(tmp_path / "open_clip_config.json", changed(key, ODD[key]))


@pytest.mark.parametrize("key", ["model_cfg", "model_cfg.embed_dim", "model_cfg.vision_cfg", "model_cfg.text_cfg"])
def test_a_missing_key_is_named(tmp_path, key):
    assert f"{key} is missing" in refusal(tmp_path / "open_clip_config.json", without(key))


@pytest.mark.parametrize("what", BYTES)
def test_what_is_no_configuration_is_told(tmp_path, what):
    refusal(tmp_path / "open_clip_config.json", BYTES[what])


def test_the_embedded_models_configuration_is_let_pass():
    model_config.require(TINY / "open_clip_config.json", WEIGHTS)


def test_the_models_that_open_clip_has_are_let_pass(tmp_path):
    open_clip = pytest.importorskip("importlib.util").find_spec("open_clip")
    configs = sorted(Path(open_clip.origin).with_name("model_configs").glob("*.json"))
    assert len(configs) > 100
    for config in configs:
        path = tmp_path / "open_clip_config.json"
        path.write_text(json.dumps({"model_cfg": json.loads(config.read_text()), "preprocess_cfg": {}}))
        model_config.require(path, 20 << 30)


LOAD = """
import io, sys
from photomap_cli.encoder.models import open_clip_name
from photomap_cli.encoder.worker import Worker
from photomap_cli.errors import PhotomapError
from photomap_cli.framing import read_frame
for spec in sys.argv[1:]:
    name, tag = open_clip_name(spec)
    how = {"device": "cpu", "precision": "auto", "allow_download": True, "may_pin": False}
    replies = io.BytesIO()
    Worker(replies).answer({"op": "load", "spec": spec, "name": name, "tag": tag, **how}, b"")
    replies.seek(0)
    answer = read_frame(replies.read)[0]
    if "info" in answer:
        print("loaded", answer["info"]["dim"])
    else:
        error = PhotomapError.from_json(answer["error"])
        print(type(error).__name__, error.exit_status, repr(error.message), repr(error.hint))
"""
"""What an encoder process does of each model, all in one process: PyTorch is imported once."""
TRANSFORMERS = """
import json, pathlib
class AutoTokenizer:
    @classmethod
    def from_pretrained(cls, name, **given):
        pathlib.Path(__file__).with_name("given.json").write_text(json.dumps(given, default=str))
        if given.get("trust_remote_code") is not False:
            exec(pathlib.Path(name, "evil.py").read_text())
        return cls()
class AutoConfig(AutoTokenizer): pass
class AutoModel(AutoTokenizer): pass
class PretrainedConfig: pass
"""


def outcomes(*specs, python_path=""):
    done = subprocess.run(
        [sys.executable, "-c", LOAD, *specs],
        env={**os.environ, "PYTHONPATH": f"{Path(__file__).parents[2]}:{python_path}"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.fixture
def model(tmp_path):
    """Return a function that makes a folder of the embedded model with another configuration or other weights."""

    def make(name, config=GOOD, weights=None):
        folder = shutil.copytree(TINY, tmp_path / name)
        (folder / "open_clip_config.json").write_text(json.dumps(config))
        if weights is not None:
            (folder / "open_clip_model.safetensors").write_bytes(weights)
        return f"local-dir:{folder}"

    return make


def test_a_model_that_cannot_be_built_is_told_in_a_line(model):
    whole = (TINY / "open_clip_model.safetensors").read_bytes()
    specs = [
        model("sound"),
        model("odd", changed(f"{TEXT}.width", "wide")),
        model("other", changed(f"{VISION}.layers", 5)),
        model("narrower", changed(f"{TEXT}.vocab_size", 100)),
        model("cut", weights=whole[:-1000]),
        model("noise", weights=b"noise" * 9),
        model("empty", weights=b""),
        model("transformers", changed(f"{TEXT}.hf_tokenizer_name", "bert-base-uncased")),
        model("timm", changed(f"{VISION}.timm_model_name", "no_such_model")),
        "ViT-B-99/laion2b",
        "ViT-B-32-256/laion9b",
        models.DEFAULT_WITHOUT_GPU,
    ]
    loaded, *refused, no_model, no_tag, no_weights = outcomes(*specs)
    odd, other, narrower, cut, noise, empty, transformers, timm = refused
    assert loaded == "loaded 128"
    assert no_model.startswith('UnknownEncoder 2 "open_clip has no model ')
    assert no_tag.startswith('UnknownEncoder 2 "ViT-B-32-256 has no weights ')
    assert no_weights.startswith("WeightsMissing 2 ")
    assert "--encoder tiny" in no_weights
    for told in (odd, other, narrower, cut, noise, empty, transformers, timm):
        assert told.startswith("UnknownEncoder 2 "), told
        assert "Error" not in told.removeprefix("UnknownEncoder"), told
        assert "CLIP" not in told, told
    assert f"{TEXT}.width takes a whole number" in odd
    assert "visual.transformer.resblocks.5" in other
    assert "token_embedding.weight does not fit" in narrower
    assert "the weights are damaged" in cut
    assert "text_cfg.hf_tokenizer_name needs the package transformers" in transformers


def test_no_code_of_a_models_is_run_whatever_a_file_says(model, tmp_path):
    stand_in = tmp_path / "site" / "transformers"
    stand_in.mkdir(parents=True)
    (stand_in / "__init__.py").write_text(TRANSFORMERS)
    asks, says = (changed(f"{TEXT}.hf_tokenizer_name", "mine"), changed(f"{TEXT}.hf_tokenizer_name", "mine"))
    says["model_cfg"]["text_cfg"]["tokenizer_kwargs"] = {"trust_remote_code": True}
    specs = [model("asks", asks), model("says", says)]
    for spec in specs:
        folder = Path(spec.removeprefix("local-dir:"))
        (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
        (folder / "tokenizer_config.json").write_text('{"auto_map": {"AutoTokenizer": ["evil.Evil", null]}}')
    asked, said = outcomes(*specs, python_path=str(stand_in.parent))
    assert not (tmp_path / "ran").exists()
    assert json.loads((stand_in / "given.json").read_text())["trust_remote_code"] is False, asked
    assert f"{TEXT}.tokenizer_kwargs.trust_remote_code is not a key" in said
