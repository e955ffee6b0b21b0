"""What the encoder process imports, each time in a process of its own: imports are for ever."""

import json
import subprocess
import sys

import pytest

from photomap_cli.encoder import lazy_imports
from photomap_cli.encoder.models import open_clip_name

TINY, _ = open_clip_name("tiny")
HEAVY = ("timm", "torch._dynamo", "sympy", "torch.distributed.fsdp")
ENCODE = f"""
import sys
from photomap_cli.encoder import lazy_imports as lean
lean.import_open_clip({TINY!r})
from photomap_cli.encoder import openclip
encoder = openclip.load(
    spec="tiny", name={TINY!r}, tag=None, device="cpu", precision="float32", allow_download=False, on_progress=print
)
encoder.encode_text(["a red car"])
"""


def run(program):
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout


def test_an_answer_needs_neither_timm_nor_the_compiler():
    assert run(f"{ENCODE}\nprint([name for name in {HEAVY} if name in sys.modules])") == "[]\n"


def test_what_was_left_out_is_there_when_it_is_wanted():
    program = f"""
import sys
from photomap_cli.encoder import lazy_imports as lean
lean.import_open_clip({TINY!r})
import timm, torch
from torchvision.ops.roi_align import is_compile_supported
print(is_compile_supported("cpu"), "torch._dynamo" in sys.modules)
print(torch.compile(lambda x: x + 1, backend="eager")(torch.ones(1)).item(), callable(timm.create_model))
"""
    assert run(program).split() == ["True", "True", "2.0", "True"]


@pytest.mark.parametrize("asked", ["_dynamo.utils.counters", "_dynamo.config.verbose"])
def test_a_torchvision_that_asks_for_more_gets_the_compiler(asked):
    module, _, name = f"torch.{asked}".rpartition(".")
    program = f"""
import importlib, sys, torch
from photomap_cli.encoder import lazy_imports as lean
with lean._put_off():
    importlib.import_module({module!r}).{name}
import torch._dynamo
print(type(torch._dynamo).__name__, {module!r} in sys.modules, torch._dynamo.disable.__name__)
"""
    assert run(program) == "module True disable\n"


def test_timm_is_imported_for_its_towers_and_for_what_is_not_known_yet(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    tower = {"model_cfg": {"vision_cfg": {"timm_model_name": "vit"}}}
    for folder, config in (("timms", tower), ("models--org--plain/snapshots/1", {"model_cfg": {"vision_cfg": {}}})):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "open_clip_config.json").write_text(json.dumps(config))
    names = {
        TINY: True,
        "ViT-B-32-256": True,
        "hf-hub:org/plain": True,
        "ViT-B-16-SigLIP": False,
        f"local-dir:{tmp_path / 'timms'}": False,
        f"local-dir:{tmp_path / 'nothing'}": False,
        "hf-hub:org/other": False,
        "no such model": False,
    }
    assert {name: lazy_imports._does_without_timm(name) for name in names} == names
