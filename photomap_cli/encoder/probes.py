"""Owns the probe texts: the vectors PyTorch gave for them, and whether a text tower gives the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photomap_cli.encoder.text_recipe import TextRecipe
from photomap_cli.errors import TowerUnfit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photomap_cli.encoder.text_tower import TextTower

LEAST_COSINE = 0.9995
"""Least cosine: PyTorch's half-precision vectors are at 0.9999 to float32's; another model's are nowhere near."""

TEXTS = (
    "A golden retriever on a beach at sunset, with people and 2 umbrellas (1998).",
    "東京の夜景 с птичьего полёта",
    "a very long description of a very long day, " * 12,
    "a photo",
    "x",
    "",
    "red car",
    "it's o'clock; we'll see: 24/7 & <b>50%</b> off!?",
    "naïve café in Zürich, Łódź or Ελλάδα",
    "👩‍👩‍👧 🎂 birthday 🎉",
    "Under_scores, SHOUTING and  spaces\tand\nlines &amp; entities",
    "photosynthesis antidisestablishmentarianism xqzvkj 3.14159",
)
ENCODED = TEXTS[:3]
"""Those whose vectors are compared, as the tokens of all are; a text takes PyTorch 30 ms of two cores."""

_VERSION = 2


@dataclass(frozen=True, slots=True, eq=False)
class Probes:
    """An encoder's vectors of some texts, with the fingerprint of its weights.

    Attributes:
        fingerprint: of the weights.
        weights: where they were; only a hint, the fingerprint decides.
        recipe: how a text tower would read them; None if none can.
        why_not: the reason if none can; else "".
        texts, ids: the texts, and the token ids of each, from the start-of-text to the end-of-text token.
        vectors: of the first n texts, (n, dim) float32, rows of unit length.
    """

    fingerprint: str
    weights: str
    recipe: TextRecipe | None
    why_not: str
    texts: tuple[str, ...]
    ids: tuple[tuple[int, ...], ...]
    vectors: NDArray[np.float32]

    def to_frame(self) -> tuple[dict[str, Any], bytes]:
        """Return the probes as a message and its payload, for a pipe or a file."""
        message = {
            "probes": _VERSION,
            "fingerprint": self.fingerprint,
            "weights": self.weights,
            "recipe": asdict(self.recipe) if self.recipe else None,
            "why_not": self.why_not,
            "texts": self.texts,
            "ids": self.ids,
            "shape": self.vectors.shape,
        }
        return message, np.ascontiguousarray(self.vectors, "<f4").tobytes()

    @classmethod
    def from_frame(cls, message: dict[str, Any], payload: bytes) -> Probes | None:
        """Rebuild probes from `to_frame`; None from invalid data or another version."""
        try:
            probes = cls(
                fingerprint=str(message["fingerprint"]),
                weights=str(message["weights"]),
                recipe=TextRecipe.from_json(message["recipe"]) if message["recipe"] else None,
                why_not=str(message["why_not"]),
                texts=tuple(map(str, message["texts"])),
                ids=tuple(tuple(map(int, each)) for each in message["ids"]),
                vectors=np.frombuffer(payload, "<f4").reshape(message["shape"]).astype(np.float32),
            )
        except (TowerUnfit, KeyError, TypeError, ValueError):
            return None
        is_whole = len(probes.texts) == len(probes.ids) and probes.vectors.ndim == 2
        is_of_use = probes.recipe is None or 0 < len(probes.vectors) <= len(probes.texts)
        return probes if is_whole and is_of_use and message.get("probes") == _VERSION else None


def require_agreement(tower: TextTower, probes: Probes) -> None:
    """Raise TowerUnfit unless the tower gives the same tokens and vectors for the probe texts."""
    for text, ids in zip(probes.texts, probes.ids, strict=True):
        if tuple(tower.tokens(text)) != ids:
            raise TowerUnfit(f"its tokenizer isn't CLIP's: it splits {text[:20]!r} differently")
    if probes.vectors.shape[1] != tower.dim:
        raise TowerUnfit("its vectors have a different length")
    lowest = least_cosine(tower.encode(probes.texts[: len(probes.vectors)]), probes.vectors)
    if not lowest >= LEAST_COSINE:
        raise TowerUnfit(f"its text transformer gives different results (cosine {lowest:.4f} to PyTorch's vectors)")


def least_cosine(some: NDArray[np.float32], others: Sequence[Any] | NDArray[np.float32]) -> float:
    """Return the lowest cosine between rows of unit length."""
    return float((some * np.asarray(others, np.float32)).sum(-1).min())
