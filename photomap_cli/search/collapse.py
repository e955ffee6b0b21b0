"""Owns collapsing hits that are shots of the same thing under the best of them.  Pure arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Found = Sequence[tuple[int, float]]  # (row, cosine), best first

_FETCHED_PER_GROUP = 4
_AT_ONCE = 256  # hits compared per matrix product


def collapsed(
    fetch: Callable[[int], Found],
    vectors_of: Callable[[Sequence[int]], dict[int, NDArray[np.float32]]],
    *,
    limit: int,
    threshold: float,
    checkpoint: Callable[[], None] = lambda: None,
) -> list[list[tuple[int, float]]]:
    """Return the `limit` best groups of near-identical hits, each with its best hit first.

    From the best down, a hit joins the nearest group leader if their cosine is at least `threshold`,
    else it leads a new group.  So leaders don't depend on `limit`: a longer list begins with the shorter
    one.  More hits are fetched until there are `limit` groups, or no more hits.

    Args:
        fetch: returns the n best hits.
        vectors_of: returns rows' vectors, (dim,) float32 of unit length; rows that are gone are left out.
        limit: the most groups.
        threshold: cosine from which two hits are the same.
        checkpoint: called repeatedly; an exception from it ends the call.
    """
    wanted = _FETCHED_PER_GROUP * limit
    while True:
        found = fetch(wanted)
        vectors = vectors_of([row for row, _ in found])
        there = [hit for hit in found if hit[0] in vectors]
        groups = _grouped(np.stack([vectors[row] for row, _ in there]), threshold, limit, checkpoint) if there else []
        if len(groups) == limit or len(found) < wanted:
            return [[there[place] for place in group] for group in groups]
        wanted *= _FETCHED_PER_GROUP


def _grouped(
    vectors: NDArray[np.float32], threshold: float, most: int, checkpoint: Callable[[], None]
) -> list[list[int]]:
    """Return the positions of (n, dim) vectors in at most `most` groups, without those that would start another."""
    groups: list[list[int]] = []
    for start in range(0, len(vectors), _AT_ONCE):
        checkpoint()
        block = vectors[start : start + _AT_ONCE]
        leaders = [group[0] for group in groups]
        earlier, within = block @ vectors[leaders].T, block @ block.T
        new: list[int] = []  # positions in the block that lead a group
        for place in range(len(block)):
            cosines = np.concatenate((earlier[place], within[place, new]))
            nearest = int(cosines.argmax()) if len(cosines) else -1
            if nearest >= 0 and cosines[nearest] >= threshold:
                groups[nearest].append(start + place)
            elif len(groups) < most:
                new.append(place)
                groups.append([start + place])
    return groups
