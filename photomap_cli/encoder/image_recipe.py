"""Owns what an image tower needs to know besides the weights, and how to read it off open_clip's image transformer.

Imports neither torch nor open_clip: `recipe_of` is called in the encoder process, where they are.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from photomap_cli.encoder.text_recipe import activation_of
from photomap_cli.errors import TowerUnfit

_KINDS: dict[str, Any] = {"heads": int, "activation": str, "norm_eps": float, "fill": int}


@dataclass(frozen=True, slots=True)
class ImageRecipe:
    """What the weights file doesn't tell about an image transformer.

    Attributes:
        heads, activation, norm_eps: as of a text transformer.
        image_size: (height, width) of its input pictures, in pixels.
        resize_mode, interpolation, fill: how pictures are resized to that; see `EncoderInfo`.
        mean, std: per colour channel, from 0 to 1.
    """

    heads: int
    activation: str
    norm_eps: float
    image_size: tuple[int, int]
    resize_mode: str
    interpolation: str
    fill: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @classmethod
    def from_json(cls, record: Any) -> ImageRecipe:
        """Rebuild a recipe from `asdict`.  Raises TowerUnfit for anything else."""
        try:
            values = {each.name: record[each.name] for each in fields(cls)}
            lists = {name: tuple(values[name]) for name in ("image_size", "mean", "std")}
        except (KeyError, TypeError) as error:
            raise TowerUnfit("what is known of the image transformer is not whole") from error
        is_sized = [type(each) for each in lists["image_size"]] == [int, int] and min(lists["image_size"]) > 0
        is_coloured = all([type(each) for each in lists[name]] == [float] * 3 for name in ("mean", "std"))
        others = {name: value for name, value in values.items() if name not in lists}
        is_sound = all(isinstance(value, _KINDS.get(name, str)) for name, value in others.items())
        if not (is_sized and is_coloured and is_sound) or values["heads"] < 1 or not all(lists["std"]):
            raise TowerUnfit("what is known of the image transformer makes no sense")
        return cls(**values | lists)


def recipe_of(
    model: Any, *, image_size: tuple[int, int], resize_mode: str, interpolation: str, fill: int
) -> ImageRecipe:
    """Return the recipe of an open_clip model.  Raises TowerUnfit unless its image transformer is CLIP's.

    Nothing in a recipe is trusted: the probes show whether it gives the same vectors.
    """
    visual = model.visual
    try:
        block = visual.transformer.resblocks[0]
        heads, norm_eps, activation = block.attn.num_heads, block.ln_1.eps, block.mlp.gelu
        is_plain = visual.attn_pool is None and visual.pool_type == "tok" and visual.ln_post.eps == norm_eps
        mean, std = visual.preprocess_cfg["mean"], visual.preprocess_cfg["std"]
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise TowerUnfit("its image transformer isn't CLIP's") from error
    if not is_plain:
        raise TowerUnfit("its image transformer isn't CLIP's")
    return ImageRecipe(
        heads=int(heads),
        activation=activation_of(activation),
        norm_eps=float(norm_eps),
        image_size=image_size,
        resize_mode=resize_mode,
        interpolation=interpolation,
        fill=fill,
        mean=_three(mean),
        std=_three(std),
    )


def _three(values: Any) -> tuple[float, float, float]:
    red, green, blue = map(float, values)
    return red, green, blue
