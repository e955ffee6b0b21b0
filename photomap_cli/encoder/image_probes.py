"""Owns the probe pictures: the vectors PyTorch gave for them, and whether an image tower gives the same."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photomap_cli.encoder.image_recipe import ImageRecipe
from photomap_cli.encoder.probes import LEAST_COSINE, least_cosine
from photomap_cli.errors import TowerUnfit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photomap_cli.encoder.image_tower import ImageTower

_VERSION = 1


def pictures(image_size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the probe pictures, (3, height, width, 3) uint8: a slope of colours, a disc, and every kind of detail.

    Computed in integers only, so they are the same on every computer.
    """
    height, width = image_size
    y, x = np.mgrid[:height, :width]
    slope = np.stack([255 * x // width, 255 * y // height, 255 - 255 * x // width], -1)
    is_inside = (2 * x - width) ** 2 + (2 * y - height) ** 2 < (min(height, width) // 2) ** 2
    disc = np.where(is_inside[..., np.newaxis], [200, 30, 60], [240, 240, 235])
    detail = np.stack([x * x * 3 + y * 7 + x * y * 11, y * y * 5 + x * 13, x * y * 17 + x + y * 3], -1) % 256
    return np.stack([slope, disc, detail]).astype(np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class ImageProbes:
    """An encoder's vectors of the probe pictures, with the fingerprint of its weights.

    Attributes:
        fingerprint: of the weights.
        weights: where they were; only a hint, the fingerprint decides.
        recipe: how an image tower would read them; None if none can.
        why_not: the reason if none can; else "".
        vectors: (n, dim) float32, rows of unit length.
    """

    fingerprint: str
    weights: str
    recipe: ImageRecipe | None
    why_not: str
    vectors: NDArray[np.float32]

    def to_frame(self) -> tuple[dict[str, Any], bytes]:
        """Return the probes as a message and its payload, for a pipe or a file."""
        message = {
            "image_probes": _VERSION,
            "fingerprint": self.fingerprint,
            "weights": self.weights,
            "recipe": asdict(self.recipe) if self.recipe else None,
            "why_not": self.why_not,
            "shape": self.vectors.shape,
        }
        return message, np.ascontiguousarray(self.vectors, "<f4").tobytes()

    @classmethod
    def from_frame(cls, message: dict[str, Any], payload: bytes) -> ImageProbes | None:
        """Rebuild probes from `to_frame`; None from invalid data or another version."""
        try:
            probes = cls(
                fingerprint=str(message["fingerprint"]),
                weights=str(message["weights"]),
                recipe=ImageRecipe.from_json(message["recipe"]) if message["recipe"] else None,
                why_not=str(message["why_not"]),
                vectors=np.frombuffer(payload, "<f4").reshape(message["shape"]).astype(np.float32),
            )
        except (TowerUnfit, KeyError, TypeError, ValueError):
            return None
        is_of_use = probes.recipe is None or (probes.vectors.ndim == 2 and len(probes.vectors) > 0)
        return probes if is_of_use and message.get("image_probes") == _VERSION else None


def require_agreement(tower: ImageTower, probes: ImageProbes) -> None:
    """Raise TowerUnfit unless the tower gives the same vectors for the probe pictures."""
    shown = pictures(tower.recipe.image_size)
    if probes.vectors.shape != (len(shown), tower.dim):
        raise TowerUnfit("its vectors have a different length")
    lowest = least_cosine(tower.encode(shown), probes.vectors)
    if not lowest >= LEAST_COSINE:
        raise TowerUnfit(f"its image transformer gives different results (cosine {lowest:.4f} to PyTorch's vectors)")
