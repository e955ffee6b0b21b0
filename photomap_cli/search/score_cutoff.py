"""Owns finding hits that stand out from the rest of the library in one query's scores.  For encoders without a floor.

Most photos have nothing to do with a query.  Their scores lie around a median, with a spread that is measured below the
median, where no match disturbs it.  If the best hit is far above them, hits among them are left out; if none
is, all are kept: scores alone don't tell a query that nothing matches from one that half of the library matches.

Measured with `tiny`, as if it had no floor, over drawn photos (scripts/measure_scores.py).  Where 3 photos of 120 are
right, the precision of 10 hits rises from 0.30 to 0.75 and no right one is lost; where 10, 30, 60 or 90 % of them are,
at least 99.8 % of the right hits are kept.  A cut at 3 spreads, wherever the best hit lies, left 29 % of the queries
with nothing where 30 % of the library were right, and all of them where 60 % were.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photomap_cli.library.store import Searches

SAMPLE = 1024  # photos: gives the median to a twenty-fifth of a spread, and takes 1.5 ms for 100,000 x 512
FEWEST = 50  # fewer photos aren't enough to tell
STANDS_OUT, IS_AMONG = 4.0, 2.5  # spreads above the median
NOTHING_STANDS_OUT = "nothing stands out for this search; these are the closest photos"
_SIXTEEN_PERCENT = 0.159  # share of a normal distribution below its median minus one spread

Scored = list[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class ScoreBulk:
    """The scores of most photos: their median, and the spread around it."""

    middle: float
    spread: float

    @classmethod
    def of(cls, scores: NDArray[np.float32]) -> ScoreBulk | None:
        """Return the bulk of these scores; None if there are too few, or all are equal."""
        if len(scores) < FEWEST:
            return None
        low, middle = np.quantile(scores.astype(np.float64), [_SIXTEEN_PERCENT, 0.5])
        return cls(float(middle), float(middle - low)) if middle > low else None

    def has_outstanding(self, hits: Scored) -> bool:
        """Return whether the first and best of some hits stands out."""
        return bool(hits) and hits[0][1] >= self.middle + STANDS_OUT * self.spread

    def outstanding(self, hits: Scored) -> Scored:
        """Leave out hits that are among the bulk, if the best one stands out."""
        if not self.has_outstanding(hits):
            return hits
        lowest = self.middle + IS_AMONG * self.spread
        return [hit for hit in hits if hit[1] >= lowest]


def bulk_of(vectors: Searches, query: NDArray[np.float32]) -> ScoreBulk | None:
    """Return the bulk of scores for a query, (dim,) float32 of unit length.

    The sampled photos depend only on the library, so the cut doesn't depend on filters, the tier, or how many
    hits are asked for.
    """
    sample = vectors.sample(SAMPLE)
    return ScoreBulk.of(sample @ query) if len(sample) else None
