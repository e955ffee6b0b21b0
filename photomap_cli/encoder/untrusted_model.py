"""Owns loading models from elsewhere safely: they run no code, and errors are told in a line.

Child process only.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from photomap_cli.errors import PhotomapError, UnknownEncoder

_LOADERS = ("AutoConfig", "AutoModel", "AutoTokenizer")
_OF_WEIGHTS = ("safetensors", "pickle", "_pickle", "zipfile")
_MISFIT = re.compile(r"size mismatch for ([\w.]+)|(?:Missing|Unexpected) key\(s\) in state_dict: \"([\w.]+)\"")
_FILE = re.compile(r"PytorchStreamReader|weights_only|unpickl|magic number|header|mmap", re.IGNORECASE)
_HINT = "give a model that open_clip has saved"


def forbid_code(config: Mapping[str, Any] | None, where: Path | str) -> None:
    """Keep `transformers`, if this model needs it, from running a model's code, whatever its files say.

    Raises UnknownEncoder if it is needed but not installed.
    """
    text = (config or {}).get("text_cfg") or {}
    needed = next((key for key in ("hf_model_name", "hf_tokenizer_name") if text.get(key)), None)
    if needed is None:
        return
    if find_spec("transformers") is None:
        raise UnknownEncoder(
            f"{where}: text_cfg.{needed} needs the package transformers", hint="pip install transformers"
        )
    import transformers  # type: ignore[import-not-found,unused-ignore]

    for name in _LOADERS:
        loader = getattr(transformers, name)
        loader.from_pretrained = functools.partial(_without_code, loader.from_pretrained)


def _without_code(load: Any, *names: Any, **settings: Any) -> Any:
    return load(*names, **{**settings, "trust_remote_code": False})


@contextmanager
def refusals(config: Path, weights: str) -> Iterator[None]:
    """Turn any exception from building the model into UnknownEncoder, as the libraries don't check their input."""
    try:
        yield
    except PhotomapError:
        raise
    except Exception as error:
        raise UnknownEncoder(_told(error, config, weights), hint=_HINT) from error


def _told(error: Exception, config: Path, weights: str) -> str:
    said = str(error)
    if misfit := _MISFIT.search(said):
        return f"{weights}: the weights are not those of {config.name}: {misfit[1] or misfit[2]} does not fit"
    if type(error).__module__.partition(".")[0] in _OF_WEIGHTS or _FILE.search(said):
        return f"{weights}: the weights are damaged"
    if isinstance(error, OSError):
        return f"{config}: {(error.strerror or 'a file of the model cannot be read').lower()}"
    return f"{config}: open_clip cannot build the model that it describes"
