"""Owns deriving the recipes of a plain CLIP's towers from its configuration, and which tensors its weights must have.

open_clip builds a model from its configuration alone.  If every key of it is known here, and the weights file has
exactly the tensors of such a model, the recipes follow without PyTorch.  Anything unusual is left to PyTorch.  Imports
neither torch nor open_clip.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from photomap_cli.encoder import bpe, model_config, models
from photomap_cli.encoder.fingerprint import WeightsFile
from photomap_cli.encoder.image_recipe import ImageRecipe
from photomap_cli.encoder.mapped_tensors import MappedTensors
from photomap_cli.encoder.text_recipe import TextRecipe
from photomap_cli.errors import TowerUnfit, UnknownEncoder

Shapes = dict[str, tuple[int, ...]]

_KEYS = {
    "model_cfg": {"embed_dim", "vision_cfg", "text_cfg", "quick_gelu"},
    "vision_cfg": {"image_size", "patch_size", "layers", "width", "head_width", "mlp_ratio"},
    "text_cfg": {"context_length", "vocab_size", "layers", "width", "heads", "mlp_ratio"},
    "preprocess_cfg": {"size", "mode", "mean", "std", "interpolation", "resize_mode", "fill_color"},
}
_NORM_EPS = 1e-5  # PyTorch's default for LayerNorm; other omitted values are open_clip's defaults
_MEAN, _STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
_SCALE = "logit_scale"  # not used for vectors, and stored in two shapes


@dataclass(frozen=True, slots=True)
class PlainClip:
    """A plain CLIP without its weights.

    Attributes:
        text, image: the recipes of its towers.
        shapes: of all tensors, by name.
    """

    text: TextRecipe
    image: ImageRecipe
    shapes: Shapes

    def require_weights(self, path: Path) -> None:
        """Raise TowerUnfit unless a file has exactly this model's tensors; OSError if it can't be read."""
        tensors = MappedTensors(path)
        found = {name: tensors[name].shape for name in tensors.names if name != _SCALE}
        if found != self.shapes:
            raise TowerUnfit("its weights aren't those of a plain CLIP")


@dataclass(frozen=True, slots=True)
class Found:
    """A plain CLIP whose files are on this computer."""

    model: PlainClip
    weights: Path
    config: Path | None

    def fingerprint(self) -> str:
        """Return the fingerprint that the encoder process would compute.  Raises OSError."""
        return WeightsFile(self.weights, self.config).fingerprint()


def find(spec: str) -> Found:
    """Return the model that open_clip would load for an encoder's spec string.

    Raises TowerUnfit if it isn't a plain CLIP in every respect, or if it isn't certain which file would be loaded.
    """
    whole = _found(spec)
    whole.model.require_weights(whole.weights)
    return whole


def _found(spec: str) -> Found:
    candidates = [path for path in models.weights_files(spec) if path.name == models.SAFE_WEIGHTS]
    if len(candidates) != 1:
        raise TowerUnfit(f"there isn't one {models.SAFE_WEIGHTS}")
    (weights,), (name, tag) = candidates, models.open_clip_name(spec)
    try:
        if tag is not None:  # then open_clip uses its own configuration, not the one beside the weights
            return Found(derive(model_config.read(*models.config_files(name))), weights, None)
        config = weights.with_name(model_config.FILE_NAME)
        model_config.require(config, weights.stat().st_size)
        return Found(derive(model_config.read(config)), weights, config)
    except (UnknownEncoder, OSError, TypeError) as error:
        raise TowerUnfit("its configuration can't be read") from error


def derive(config: Mapping[str, Any]) -> PlainClip:
    """Derive a model from a configuration, either open_clip's own or one with a key `model_cfg`, as open_clip saves it.

    Raises TowerUnfit if it isn't a plain CLIP in every respect.
    """
    model = config.get("model_cfg", config)
    pictures = config.get("preprocess_cfg") or {} if "model_cfg" in config else {}
    try:
        vision, text = model["vision_cfg"], model["text_cfg"]
        parts = {"model_cfg": model, "vision_cfg": vision, "text_cfg": text, "preprocess_cfg": pictures}
        if any(not part.keys() <= _KEYS[name] for name, part in parts.items()):
            raise TowerUnfit("its configuration isn't that of a plain CLIP")
        activation = "quick_gelu" if model.get("quick_gelu") else "gelu"
        shapes = _vision_shapes(vision, model["embed_dim"]) | _text_shapes(text, model["embed_dim"])
        return PlainClip(_text_recipe(text, activation), _image_recipe(vision, pictures, activation), shapes)
    except (AttributeError, KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise TowerUnfit("its configuration isn't that of a plain CLIP") from error


def _text_recipe(text: Mapping[str, Any], activation: str) -> TextRecipe:
    return TextRecipe(
        heads=text.get("heads", 8),
        activation=activation,
        norm_eps=_NORM_EPS,
        context_length=text.get("context_length", 77),
        end_token=None,
        clean="lower",
        vocabulary=bpe.vocabulary_digest(),
    )


def _image_recipe(vision: Mapping[str, Any], pictures: Mapping[str, Any], activation: str) -> ImageRecipe:
    fill = pictures.get("fill_color", 0)
    red, green, blue = pictures.get("mean", _MEAN)
    red_std, green_std, blue_std = pictures.get("std", _STD)
    return ImageRecipe(
        heads=vision.get("width", 768) // vision.get("head_width", 64),
        activation=activation,
        norm_eps=_NORM_EPS,
        image_size=_image_size(vision),
        resize_mode=pictures.get("resize_mode") or "shortest",
        interpolation=pictures.get("interpolation") or "bicubic",
        fill=fill if isinstance(fill, int) else fill[0],
        mean=(float(red), float(green), float(blue)),
        std=(float(red_std), float(green_std), float(blue_std)),
    )


def _image_size(vision: Mapping[str, Any]) -> tuple[int, int]:
    size = vision.get("image_size", 224)
    height, width = (size, size) if isinstance(size, int) else size
    return height, width


def _vision_shapes(vision: Mapping[str, Any], dim: int) -> Shapes:
    width, patch = vision.get("width", 768), vision.get("patch_size", 16)
    height, across = _image_size(vision)
    return {
        "visual.class_embedding": (width,),
        "visual.positional_embedding": (1 + (height // patch) * (across // patch), width),
        "visual.conv1.weight": (width, 3, patch, patch),
        "visual.proj": (width, dim),
        **_norm("visual.ln_pre", width),
        **_norm("visual.ln_post", width),
        **_blocks("visual.transformer.resblocks", vision, width),
    }


def _text_shapes(text: Mapping[str, Any], dim: int) -> Shapes:
    width = text.get("width", 512)
    return {
        "token_embedding.weight": (text.get("vocab_size", 49_408), width),
        "positional_embedding": (text.get("context_length", 77), width),
        "text_projection": (width, dim),
        **_norm("ln_final", width),
        **_blocks("transformer.resblocks", text, width),
    }


def _blocks(prefix: str, tower: Mapping[str, Any], width: int) -> Shapes:
    hidden = int(width * tower.get("mlp_ratio", 4.0))
    shapes: Shapes = {}
    for name in (f"{prefix}.{number}" for number in range(tower.get("layers", 12))):
        shapes |= {
            **_norm(f"{name}.ln_1", width),
            **_norm(f"{name}.ln_2", width),
            f"{name}.attn.in_proj_weight": (3 * width, width),
            f"{name}.attn.in_proj_bias": (3 * width,),
            **_linear(f"{name}.attn.out_proj", width, width),
            **_linear(f"{name}.mlp.c_fc", hidden, width),
            **_linear(f"{name}.mlp.c_proj", width, hidden),
        }
    return shapes


def _norm(name: str, width: int) -> Shapes:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def _linear(name: str, outputs: int, inputs: int) -> Shapes:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}
