"""Owns importing open_clip without what most models never use: timm, and torch's compiler.  Child process only.

They took half of the time to the first answer.  open_clip works without timm if it is missing; torchvision imports the
compiler, and with it sympy and torch.distributed, for one function that only its detection models call.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import ModuleType
from typing import Any

from photomap_cli.encoder.models import config_files

_COMPILER, _ITS_UTILS = "torch._dynamo", "torch._dynamo.utils"


def import_open_clip(name: str) -> None:
    """Import torch and as much of open_clip as the model that open_clip calls `name` needs."""
    import torch  # noqa: F401  before anything stands in for a part of it

    with _put_off() if _does_without_timm(name) else nullcontext():
        import open_clip  # noqa: F401


def _does_without_timm(name: str) -> bool:
    """Return whether no tower needs timm; a model whose configuration isn't on disk yet may."""
    configs = [file.read_text(encoding="utf-8", errors="replace") for file in config_files(name) if file.is_file()]
    return bool(configs) and not any("timm_model_name" in config for config in configs)


@contextmanager
def _put_off() -> Iterator[None]:
    """Block both imports while the block runs; afterwards they work as usual."""
    utils = _Later(_ITS_UTILS)
    utils.__dict__["is_compile_supported"] = _is_compile_supported
    stand_ins: dict[str, Any] = {"timm": None, _COMPILER: _Later(_COMPILER), _ITS_UTILS: utils}
    stand_ins = {module: stand_in for module, stand_in in stand_ins.items() if module not in sys.modules}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        _withdraw(stand_ins)


def _is_compile_supported(device: str) -> bool:
    """Use the compiler after all: the function that torchvision has imported from it."""
    return bool(importlib.import_module(_ITS_UTILS).is_compile_supported(device))


class _Later(ModuleType):
    """Stands in for a module until an attribute is needed that it doesn't have."""

    def __getattr__(self, name: str) -> Any:
        if name == "__file__" or (name == "__path__" and self.__name__ == _ITS_UTILS):
            raise AttributeError(name)  # `inspect` and `from ... import` ask every module for that
        _withdraw({module: found for module, found in sys.modules.items() if isinstance(found, _Later)})
        return getattr(importlib.import_module(self.__name__), name)


def _withdraw(stand_ins: dict[str, Any]) -> None:
    """Remove the stand-ins that the real module hasn't replaced."""
    for module, stand_in in stand_ins.items():
        if sys.modules.get(module, stand_ins) is stand_in:
            del sys.modules[module]
