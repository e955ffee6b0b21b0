"""Owns checking an `open_clip_config.json` from elsewhere: known keys, with values of the right type and size.

open_clip passes what it reads to constructors and to other libraries, one of which imports Python files if the
configuration says so.  Imports no torch.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from photomap_cli import constraints, files
from photomap_cli.errors import UnknownEncoder

if TYPE_CHECKING:
    Rule = Callable[[object], str]  # what a value should be; empty if it is right

FILE_NAME = "open_clip_config.json"
MOST_BYTES = 1 << 20
_HINT = "give a model that open_clip has saved"


def number(least: float, most: float, *, whole: bool = True) -> Rule:
    """Return the rule for a number within limits."""
    words = constraints.number(whole=whole, at_least=least, at_most=most)
    kinds = (int,) if whole else (int, float)
    return lambda value: "" if type(value) in kinds and least <= value <= most else words  # type: ignore[operator]


def word(*words: str) -> Rule:
    """Return the rule for one of several words."""
    told = constraints.one_of([f'"{each}"' for each in words])
    return lambda value: "" if isinstance(value, str) and value in words else told


def name(pattern: str, told: str) -> Rule:
    """Return the rule for a name of this form."""
    form = re.compile(pattern, re.ASCII)
    return lambda value: "" if isinstance(value, str) and form.fullmatch(value) else told


def listed(rule: Rule, *counts: int) -> Rule:
    """Return the rule for a list of a given length."""
    told = f"a list of {constraints.one_of([str(count) for count in counts])}, each {rule(None)}"

    def fault(value: object) -> str:
        is_fine = isinstance(value, list) and len(value) in counts and not any(map(rule, value))
        return "" if is_fine else told

    return fault


def either(*rules: Rule) -> Rule:
    """Return the rule that is met by meeting one of several rules."""
    return lambda value: "" if not all(rule(value) for rule in rules) else " or ".join(rule(_NOTHING) for rule in rules)


def null(value: object) -> str:
    """The rule for JSON's null."""
    return "" if value is None else "null"


def boolean(value: object) -> str:
    """True or false."""
    return "" if isinstance(value, bool) else "true or false"


_NOTHING = object()
_WIDTH, _COUNT, _SIDE = number(1, 16_384), number(1, 1024), number(1, 4096)
_SHARE, _SCALE = number(0, 1, whole=False), number(-1e6, 1e6, whole=False)
_HF = name(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", "a model's name on the hub")
_NAME = name(r"[A-Za-z0-9][\w.-]*", "a name of letters, digits, `.`, `_` and `-`")

_ATTENTION: Mapping[str, Any] = {
    "ls_init_value": either(null, _SCALE),
    "mlp_ratio": number(0.01, 64, whole=False),
    "norm_kwargs": {"eps": number(0, 1, whole=False)},
    "act_kwargs": {"approximate": word("tanh", "none")},
    "block_type": either(null, word("default", "custom")),
    "final_ln_after_pool": boolean,
    "output_tokens": boolean,
    **dict.fromkeys(
        ("qk_norm", "scaled_cosine_attn", "scale_heads", "scale_attn_inner", "scale_attn", "scale_fc"), boolean
    ),
}
_VISION: Mapping[str, Any] = {
    **_ATTENTION,
    "layers": either(_COUNT, listed(_COUNT, 4)),
    "width": _WIDTH,
    "head_width": _WIDTH,
    "patch_size": either(null, _SIDE),
    "image_size": either(_SIDE, listed(_SIDE, 2)),
    "patch_dropout": _SHARE,
    "attentional_pool": either(boolean, word("parallel", "cascade")),
    "attn_pooler_queries": number(1, 65_536),
    "attn_pooler_heads": _COUNT,
    "no_ln_pre": boolean,
    "pos_embed_type": word("learnable", "sin_cos_2d"),
    "pool_type": word("tok", "avg", "none"),
    "timm_model_name": either(null, _NAME),
    "timm_model_pretrained": boolean,
    "timm_pool": either(null, word("", "abs_attn", "rot_attn", "avg", "avgmax", "max", "map", "token")),
    "timm_proj": either(null, word("", "linear", "mlp", "none")),
    "timm_proj_bias": boolean,
    "timm_drop": _SHARE,
    "timm_drop_path": either(null, _SHARE),
}
_TEXT: Mapping[str, Any] = {
    **_ATTENTION,
    "context_length": number(1, 8192),
    "vocab_size": number(1, 2_000_000),
    "width": _WIDTH,
    "heads": _COUNT,
    "layers": _COUNT,
    "embed_cls": boolean,
    "pad_id": number(0, 2_000_000),
    "eos_id": number(0, 2_000_000),
    "no_causal_mask": boolean,
    "pool_type": word("first", "last", "argmax", "eos", "none"),
    "proj_bias": boolean,
    "proj_type": either(null, word("linear", "none")),
    "hf_tokenizer_name": either(null, word(""), _HF),
    "tokenizer_mode": either(null, word("", "clips")),
    "tokenizer_kwargs": {
        "clean": word("", "whitespace", "lower", "canonicalize"),
        "strip_sep_token": boolean,
        "language": either(null, _NAME),
    },
    "hf_model_name": either(null, word(""), _HF),
    "hf_model_pretrained": boolean,
    "hf_proj_type": either(null, word("", "linear", "mlp", "none")),
    "hf_pooler_type": word("mean_pooler", "max_pooler", "cls_pooler", "cls_last_hidden_state_pooler"),
}
_CHANNELS = listed(number(-1000, 1000, whole=False), 3)
_KEYS: Mapping[str, Any] = {
    "model_cfg": {
        "embed_dim": _WIDTH,
        "vision_cfg": _VISION,
        "text_cfg": _TEXT,
        "multimodal_cfg": {**_TEXT, "dim_head": _WIDTH, "n_queries": number(1, 65_536), "attn_pooler_heads": _COUNT},
        **dict.fromkeys(("quick_gelu", "custom_text", "nonscalar_logit_scale"), boolean),
        "init_logit_scale": _SCALE,
        "init_logit_bias": either(null, _SCALE),
    },
    "preprocess_cfg": {
        "size": either(_SIDE, listed(_SIDE, 2)),
        "mode": word("RGB"),
        "mean": _CHANNELS,
        "std": listed(number(1e-6, 1000, whole=False), 3),
        "interpolation": word("bicubic", "bilinear"),
        "resize_mode": word("shortest", "longest", "squash"),
        "fill_color": either(number(0, 255), listed(number(0, 255), 3)),
    },
}
_NEEDED = ("model_cfg", "model_cfg.embed_dim", "model_cfg.vision_cfg", "model_cfg.text_cfg")


def require(path: Path, weight_bytes: int) -> None:
    """Check a configuration before any of it is used.

    Args:
        path: the file.
        weight_bytes: size of the weights file; no model is built that the weights couldn't fill.

    Raises:
        UnknownEncoder: it isn't a valid configuration; names the wrong key.
    """
    config = read(path)
    for key, told in _faults(config, _KEYS):
        _refuse(path, f"{key} {told}")
    for key in _NEEDED:
        if _at(config, key) is None:
            _refuse(path, f"{key} is missing")
    model = config["model_cfg"]
    for key, told in _misfits(model, weight_bytes):
        _refuse(path, f"model_cfg.{key} {told}")


def read(path: Path) -> dict[str, Any]:
    """Return a configuration's content, unchecked.  Raises UnknownEncoder if it isn't a JSON object."""
    try:
        with files.reading(path) as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            _refuse(path, f"has more than {MOST_BYTES >> 20} MB")
        config = json.loads(content.decode(), parse_constant=float)
    except (OSError, RecursionError) as error:
        _refuse(path, getattr(error, "strerror", None) or "is nested too deeply")
    except UnicodeDecodeError:
        _refuse(path, "isn't UTF-8")
    except json.JSONDecodeError as error:
        _refuse(path, f"isn't JSON at line {error.lineno}, column {error.colno}")
    except ValueError:
        _refuse(path, "holds a number of thousands of digits")
    if not isinstance(config, dict):
        _refuse(path, "isn't a JSON object")
    return config


def _faults(found: Mapping[str, Any], known: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Yield each key that is unknown or has an invalid value, and what is wrong."""
    for name_, value in found.items():
        key, rule = f"{above}{name_[:60]}", known.get(name_)
        if rule is None:
            yield key, "is not a key of a model"
        elif not isinstance(rule, dict):
            if told := rule(value):
                yield key, f"takes {told}, not {_shown(value)}"
        elif isinstance(value, dict):
            yield from _faults(value, rule, f"{key}.")
        elif value is not None or not name_.endswith("_kwargs"):
            yield key, f"takes an object, not {_shown(value)}"


def _misfits(model: Mapping[str, Any], weight_bytes: int) -> Iterator[tuple[str, str]]:
    """Yield each key whose value doesn't fit another one, or the weights."""
    vision, text = model["vision_cfg"], model["text_cfg"]
    is_vit = not vision.get("timm_model_name") and not isinstance(vision.get("layers"), list)
    if is_vit:
        width, head, patch = vision.get("width", 768), vision.get("head_width", 64), vision.get("patch_size", 16)
        if width % head:
            yield "vision_cfg.head_width", f"is {head}, which does not divide the width {width}"
        sides = vision.get("image_size", 224)
        if patch is None or patch > min(sides if isinstance(sides, list) else [sides]):
            yield "vision_cfg.patch_size", f"is {_shown(patch)}, more than the picture has"
        yield from _too_many(vision, "vision_cfg", width, 12, weight_bytes)
    if not text.get("hf_model_name"):
        width, heads, vocabulary = text.get("width", 512), text.get("heads", 8), text.get("vocab_size", 49_408)
        if width % heads:
            yield "text_cfg.heads", f"is {heads}, which does not divide the width {width}"
        if vocabulary * width > weight_bytes:
            yield "text_cfg.vocab_size", f"is {vocabulary:,}, more than the weights hold"
        yield from _too_many(text, "text_cfg", width, 12, weight_bytes)


def _too_many(
    tower: Mapping[str, Any], key: str, width: int, usual: int, weight_bytes: int
) -> Iterator[tuple[str, str]]:
    """Report layers that alone have more parameters than there are bytes of weights."""
    layers, ratio = tower.get("layers", usual), tower.get("mlp_ratio", 4.0)
    if layers * (4 + 2 * ratio) * width * width > weight_bytes:
        yield f"{key}.width", f"is {width} and {key}.layers {layers}: more than the weights hold"


def _at(config: Mapping[str, Any], key: str) -> Any:
    found: Any = config
    for part in key.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _shown(value: object) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "a number that is not finite"
    told = json_text(value)
    return told if len(told) <= 40 else f"{told[:39]}…"


def json_text(value: object) -> str:
    """Return a value as written in the file, or its type."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (dict, list)):
        return "a list" if isinstance(value, list) else "an object"
    return f'"{value}"' if isinstance(value, str) else str(value) if abs(value) < 1e40 else "a number"  # type: ignore[arg-type]


def _refuse(path: Path, what: str) -> NoReturn:
    raise UnknownEncoder(f"{path}: {what}", hint=_HINT)
