"""Owns naming groups: by the phrase that is nearest to a group but not to the others.  Encodes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FILE = Path(__file__).with_name("phrases.txt")
_WORD_COSTS = 0.04
"""Penalty for each word beyond the first: if `forest` and `bamboo forest` are equally near, the plain one is
better, and the embedded encoder doesn't even know the other word."""


@cache
def phrases() -> tuple[str, ...]:
    """Return the phrases for naming groups."""
    lines = (line.strip() for line in _FILE.read_text(encoding="utf-8").splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def choose(centres: NDArray[np.float32], texts: NDArray[np.float32], words: Sequence[str]) -> list[str]:
    """Return a name for each group, no two the same.

    What all groups have in common tells nothing about any of them, so it is subtracted: less of it, the fewer groups
    there are; nothing for a single group.

    Args:
        centres: (groups, dim), of unit length.
        texts: (phrases, dim), of unit length; at least as many as groups.
        words: the phrases.
    """
    count = len(centres)
    scores = centres @ texts.T
    scores = scores - (1 - 1 / count**2) * scores.mean(axis=0)
    extra = np.array([len(each.split()) - 1 for each in words])
    scores = scores - _WORD_COSTS * extra * np.abs(scores)
    named = [""] * count
    for _ in range(count):  # the clearest first: another group near the same phrase gets its next best
        group, phrase = np.unravel_index(int(scores.argmax()), scores.shape)
        named[int(group)] = words[int(phrase)]
        scores[group], scores[:, phrase] = -np.inf, -np.inf
    return named
