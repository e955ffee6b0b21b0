"""Owns what a text tower needs to know besides the weights, and how to read it off open_clip's text transformer.

Imports neither torch nor open_clip: `recipe_of` is called in the encoder process, where they are.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from photomap_cli.errors import TowerUnfit


@dataclass(frozen=True, slots=True)
class TextRecipe:
    """What the weights file doesn't tell about a text transformer.

    Attributes:
        heads: attention heads per block.
        activation: "gelu", "gelu_tanh" or "quick_gelu".
        norm_eps: epsilon of its layer norms.
        context_length: the most tokens of a text.
        end_token: id of the end-of-text token; None for the highest id in the text.
        clean: how its tokenizer prepares texts.
        vocabulary: the digest of the tokenizer's vocabulary.
    """

    heads: int
    activation: str
    norm_eps: float
    context_length: int
    end_token: int | None
    clean: str
    vocabulary: str

    @classmethod
    def from_json(cls, record: Any) -> TextRecipe:
        """Rebuild a recipe from `asdict`.  Raises TowerUnfit for anything else."""
        kinds = {"heads": int, "norm_eps": float, "context_length": int, "end_token": int | None}
        try:
            values = {each.name: record[each.name] for each in fields(cls)}
        except (KeyError, TypeError) as error:
            raise TowerUnfit("what is known of the text transformer is not whole") from error
        wrong = [name for name, value in values.items() if not isinstance(value, kinds.get(name, str))]
        if wrong or values["heads"] < 1 or values["context_length"] < 2:
            raise TowerUnfit("what is known of the text transformer makes no sense")
        return cls(**values)


def recipe_of(model: Any, tokenizer: Any, *, vocabulary: str) -> TextRecipe:
    """Return the recipe of an open_clip model.  Raises TowerUnfit unless its text transformer is CLIP's.

    Nothing in a recipe is trusted: the probes show whether it gives the same vectors.
    """
    text = getattr(model, "text", model)
    try:
        block = text.transformer.resblocks[0]
        pooling = text.pool_type if hasattr(text, "pool_type") else text.text_pool_type
        end_token = {"argmax": None, "eos": getattr(text, "eos_id", getattr(text, "text_eos_id", None))}[pooling]
        mask, heads, norm_eps, activation = text.attn_mask, block.attn.num_heads, block.ln_1.eps, block.mlp.gelu
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise TowerUnfit("its text transformer isn't CLIP's") from error
    if mask is None:
        raise TowerUnfit("its text transformer attends to all tokens")
    return TextRecipe(
        heads=int(heads),
        activation=activation_of(activation),
        norm_eps=float(norm_eps),
        context_length=int(tokenizer.context_length),
        end_token=end_token,
        clean=_cleaning_of(tokenizer),
        vocabulary=vocabulary,
    )


def activation_of(module: Any) -> str:
    """Return a recipe's name for an activation; the class's name if recipes have none."""
    tanh = {"none": "gelu", "tanh": "gelu_tanh"}
    names = {"QuickGELU": "quick_gelu", "GELU": tanh.get(getattr(module, "approximate", "none"), "")}
    return names.get(type(module).__name__) or type(module).__name__


def _cleaning_of(tokenizer: Any) -> str:
    """Return how open_clip's own tokenizer prepares a text.  Raises TowerUnfit for any other tokenizer."""
    names = {"_clean_lower": "lower", "_clean_whitespace": "whitespace", "_clean_canonicalize": "canonicalize"}
    cleaner = getattr(getattr(tokenizer, "clean_fn", None), "__name__", "")
    if type(tokenizer).__name__ != "SimpleTokenizer" or tokenizer.reduction_fn is not None or cleaner not in names:
        raise TowerUnfit("its tokenizer isn't CLIP's")
    return names[cleaner]
