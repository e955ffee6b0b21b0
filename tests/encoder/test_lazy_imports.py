"""What the encoder process imports, in processes of their own: imports are for ever."""

import json
import os
import subprocess
import sys

import pytest

from photomap_cli.encoder import lazy_imports
from photomap_cli.encoder.models import open_clip_name

TINY, _ = open_clip_name("tiny")
HEAVY = ("timm", "torch._dynamo", "sympy", "torch.distributed.fsdp")
ASKED = ("_dynamo.utils.counters", "_dynamo.config.verbose")
PROGRAM = f"""
import importlib, json, os, sys, torch
from photomap_cli.encoder import lazy_imports as lean

def apart(work):  # in a fork, whose imports are its own
    end, start = os.pipe()
    if not os.fork():
        try:
            os.write(start, json.dumps(work()).encode())
        finally:
            os._exit(0)
    os.close(start)
    with open(end, "rb") as answer:
        return json.load(answer)

def asked_for(name):
    module, _, attribute = f"torch.{{name}}".rpartition(".")
    with lean._put_off():
        getattr(importlib.import_module(module), attribute)
    import torch._dynamo
    return type(torch._dynamo).__name__, module in sys.modules, torch._dynamo.disable.__name__

def an_answer():
    from photomap_cli.encoder import openclip
    encoder = openclip.load(
        spec="tiny", name={TINY!r}, tag=None, device="cpu", precision="float32", allow_download=False, on_progress=print
    )
    encoder.encode_text(["a red car"])
    return [name for name in {HEAVY} if name in sys.modules]

def what_was_left_out():
    import timm
    from torchvision.ops.roi_align import is_compile_supported
    ours = is_compile_supported("cpu"), "torch._dynamo" in sys.modules
    return *ours, torch.compile(lambda x: x + 1, backend="eager")(torch.ones(1)).item(), callable(timm.create_model)

told = {{name: apart(lambda: asked_for(name)) for name in {ASKED}}}
lean.import_open_clip({TINY!r})
told["left out"] = apart(what_was_left_out)
told["heavy"] = an_answer()
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told():
    """What a program says that imports PyTorch once, and whatever it tries after that in forks."""
    if not hasattr(os, "fork"):
        pytest.skip("no fork here")
    done = subprocess.run([sys.executable, "-c", PROGRAM], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def test_an_answer_needs_neither_timm_nor_the_compiler(told):
    assert told["heavy"] == []


def test_what_was_left_out_is_there_when_it_is_wanted(told):
    assert told["left out"] == [True, True, 2.0, True]


@pytest.mark.parametrize("asked", ASKED)
def test_a_torchvision_that_asks_for_more_gets_the_compiler(told, asked):
    assert told[asked] == ["module", True, "disable"]


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
