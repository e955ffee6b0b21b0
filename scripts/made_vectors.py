"""Synthetic vectors with the geometry of CLIP's: photos on a cone, in topics, events and bursts; texts off the cone.

The spectrum follows a power law, so some 60 of 512 dimensions carry most of the variance.  Two photos have a cosine of
about 0.5, two of one event 0.8, two of one burst 0.95; a text and its best photo 0.4.
"""

from __future__ import annotations

import numpy as np

TOPICS = 2000
_CONE, _TOPIC, _EVENT, _BURST, _PHOTO = np.sqrt(np.float32([0.5, 0.2, 0.12, 0.13, 0.05]))
_TEXT_ALONG_THE_CONE = 0.27
_TEXT_MODALITY, _TEXT_TOPIC, _TEXT_OWN = 0.8, 0.35, 0.48


class MadeVectors:
    """Generates photos and queries, the same ones for the same seed."""

    def __init__(self, dim: int = 512, seed: int = 7) -> None:
        self.dim = dim
        self.random = np.random.default_rng(seed)
        self._turn = np.linalg.qr(self.random.standard_normal((dim, dim)))[0].astype(np.float32)
        spectrum = (np.arange(dim) + 4.0) ** -0.9
        spectrum[0] = 0  # the first axis is the photos' common direction
        self._scale = np.sqrt(spectrum / spectrum.sum()).astype(np.float32)
        self._topics = self._noise(TOPICS)
        often = 1 / np.arange(1, TOPICS + 1) ** 0.6
        self._share = often / often.sum()
        across = self.random.standard_normal(dim).astype(np.float32)
        across[0] = 0
        self._text_mean = np.float32(np.sqrt(1 - _TEXT_ALONG_THE_CONE**2)) * unit(across)
        self._text_mean[0] = _TEXT_ALONG_THE_CONE

    def photos(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the next photos in order of time, (count, dim) float32 of unit length, and their topics."""
        events = np.repeat(np.arange(count), self.random.integers(4, 60, count))[:count]
        bursts = np.repeat(np.arange(count), self.random.choice([1, 1, 1, 2, 2, 3, 4, 6], count))[:count]
        topics = self.random.choice(TOPICS, events[-1] + 1, p=self._share)
        of_events = _TOPIC * self._topics[topics] + _EVENT * self._noise(len(topics))
        of_events[:, 0] += _CONE
        vectors = of_events[events] + _BURST * self._noise(bursts[-1] + 1)[bursts] + _PHOTO * self._noise(count)
        return unit(vectors @ self._turn.T), topics[events]

    def near(self, photos: np.ndarray) -> np.ndarray:
        """Return vectors of other pictures that resemble these photos."""
        return unit(photos + (np.sqrt(np.float32(0.06)) * self._noise(len(photos))) @ self._turn.T)

    def texts(self, topics: np.ndarray) -> np.ndarray:
        """Return texts about these topics."""
        of_topics, own = unit(self._topics[topics]), unit(self._noise(len(topics)))
        return unit((_TEXT_MODALITY * self._text_mean + _TEXT_TOPIC * of_topics + _TEXT_OWN * own) @ self._turn.T)

    def _noise(self, count: int) -> np.ndarray:
        return self.random.standard_normal((count, self.dim), np.float32) * self._scale


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return the vectors scaled to unit length."""
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)
