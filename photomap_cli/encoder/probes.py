"""Owns the probe texts: what PyTorch made of them, and whether a text tower makes the same."""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photomap_cli.encoder.text_recipe import TextRecipe
from photomap_cli.errors import ProtocolMismatch, TowerUnfit
from photomap_cli.frames import read_frame, write_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from photomap_cli.encoder.text_tower import TextTower

LEAST_COSINE = 0.9995
"""In half precision PyTorch's own vectors are at 0.9999 from float32's; those of another model are nowhere near."""

TEXTS = (
    "a photo",
    "x",
    "",
    "red car",
    "A golden retriever on a beach at sunset, with people and 2 umbrellas (1998).",
    "it's o'clock; we'll see: 24/7 & <b>50%</b> off!?",
    "naïve café in Zürich, Łódź or Ελλάδα",
    "東京の夜景 с птичьего полёта",
    "👩‍👩‍👧 🎂 birthday 🎉",
    "Under_scores, SHOUTING and  spaces\tand\nlines &amp; entities",
    "photosynthesis antidisestablishmentarianism xqzvkj 3.14159",
    "a very long description of a very long day, " * 12,
)
_VERSION = 1
_MOST_JSON_BYTES, _MOST_VECTOR_BYTES = 1 << 20, 16 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Probes:
    """What an encoder made of some texts, under the fingerprint of its weights.

    Attributes:
        fingerprint: of the weights.
        weights: where they were; a hint, the fingerprint decides.
        recipe: how a text tower would read them; None where none can.
        why_not: the reason for that; else "".
        texts, ids: what was encoded, and the tokens of each, from the start to the end of text.
        vectors: (n, dim) float32, rows of unit length.
    """

    fingerprint: str
    weights: str
    recipe: TextRecipe | None
    why_not: str
    texts: tuple[str, ...]
    ids: tuple[tuple[int, ...], ...]
    vectors: NDArray[np.float32]

    def to_bytes(self) -> bytes:
        """Return the probes as a file holds them."""
        message = {
            "version": _VERSION,
            "fingerprint": self.fingerprint,
            "weights": self.weights,
            "recipe": asdict(self.recipe) if self.recipe else None,
            "why_not": self.why_not,
            "texts": self.texts,
            "ids": self.ids,
            "shape": self.vectors.shape,
        }
        written = io.BytesIO()
        write_frame(written, message, np.ascontiguousarray(self.vectors, "<f4").tobytes())
        return written.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Probes | None:
        """Rebuild probes from `to_bytes`; None from what is damaged, or of another version."""
        read = io.BytesIO(content).read
        try:
            frame = read_frame(read, max_json_bytes=_MOST_JSON_BYTES, max_payload_bytes=_MOST_VECTOR_BYTES)
            return None if frame is None else cls._from_frame(*frame)
        except (ProtocolMismatch, TowerUnfit, KeyError, TypeError, ValueError):
            return None

    @classmethod
    def _from_frame(cls, message: dict[str, Any], payload: bytes) -> Probes | None:
        if message["version"] != _VERSION:
            return None
        probes = cls(
            fingerprint=str(message["fingerprint"]),
            weights=str(message["weights"]),
            recipe=TextRecipe.from_json(message["recipe"]) if message["recipe"] else None,
            why_not=str(message["why_not"]),
            texts=tuple(map(str, message["texts"])),
            ids=tuple(tuple(map(int, each)) for each in message["ids"]),
            vectors=np.frombuffer(payload, "<f4").reshape(message["shape"]).astype(np.float32),
        )
        return probes if len(probes.texts) == len(probes.ids) == len(probes.vectors) > 0 else None


def require_agreement(tower: TextTower, probes: Probes) -> None:
    """Raise TowerUnfit unless the tower makes the same of the probe texts, token for token and vector for vector."""
    for text, ids in zip(probes.texts, probes.ids, strict=True):
        if tuple(tower.tokens(text)) != ids:
            raise TowerUnfit(f"its tokenizer is another one than CLIP's: it takes {text[:20]!r} apart otherwise")
    if probes.vectors.shape != (len(probes.texts), tower.dim):
        raise TowerUnfit("its vectors have another length")
    lowest = least_cosine(tower.encode(probes.texts), probes.vectors)
    if not lowest >= LEAST_COSINE:
        raise TowerUnfit(f"its text transformer computes otherwise (cosine {lowest:.4f} to PyTorch's vectors)")


def least_cosine(some: NDArray[np.float32], others: Sequence[Any] | NDArray[np.float32]) -> float:
    """Return the lowest cosine between rows of unit length."""
    return float((some * np.asarray(others, np.float32)).sum(-1).min())
