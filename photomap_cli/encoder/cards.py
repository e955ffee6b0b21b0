"""Owns foreseeing, without torch, whether torch will compute on a GPU: what it was built for, and what is there."""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from photomap_cli.encoder import nvml

_LEAST = {12: (5, 0), 13: (7, 5)}
"""The oldest compute capability that PyTorch's builds for this CUDA have code for."""


def is_expected() -> bool:
    """Whether a GPU may be counted on; only trying one tells for sure, which the encoder process does."""
    if not nvml.device_count():
        return False
    built_for, driver = torch_cuda(), nvml.driver_cuda()
    if built_for is None or 0 < driver < built_for:
        return False
    found = nvml.capabilities()
    return not found or max(found) >= _LEAST.get(built_for, (0, 0))


@cache
def torch_cuda() -> int | None:
    """Return the major version of CUDA that the installed torch was built for, without importing it; None for none."""
    package = find_spec("torch")
    for folder in package.submodule_search_locations or () if package else ():
        try:
            text = (Path(folder) / "version.py").read_text(encoding="utf-8")
        except OSError:
            continue
        version = re.search(r"^cuda\b[^=\n]*= *'(\d+)", text, re.MULTILINE)
        return int(version[1]) if version else None
    return None
