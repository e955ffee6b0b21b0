"""Measures what improves the tiny encoder's results: a cut-off by a query's own scores, prompt templates, feedback.

It draws 24 pictures of each of the 62 kinds that the encoder knows, so the right results are known, and searches for
them by the kind's name and by the paraphrases of evaluate_tiny_encoder.py.  It takes three minutes on two cores, two of
them for drawing.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from drawing.captions import FAMILIES, canonical, fill
from drawing.scene import KINDS, sample
from evaluate_tiny_encoder import PARAPHRASES, STRANGE, load, pictures

import photomap_cli.encoder
from photomap_cli.encoder.models import TINY, score_floor
from photomap_cli.search.relevance_feedback import LESS, MORE
from photomap_cli.search.score_cutoff import ScoreBulk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Cut = Callable[[Vectors, int], int]  # scores of the library, hits asked for -> hits shown

EACH, FIRST_SEED = 24, 100_000_000  # not used in training


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--workers", type=int, default=2, help="processes that draw (2)")
    workers = options.parse_args().workers
    encoder = load(Path(photomap_cli.encoder.__file__).parent / TINY)
    seeds = iter(range(FIRST_SEED, FIRST_SEED + 10**6))
    scenes = [sample(random.Random(next(seeds)), kind_name=name) for name in KINDS for _ in range(EACH)]
    photos = encoder.images(pictures(scenes, workers)).numpy()
    kinds = np.array([scene.kind for scene in scenes])
    words = {
        "kinds": [(name, canonical(kind)) for name, kind in KINDS.items()],
        "paraphrases": list(PARAPHRASES),
    }

    def texts(lines: list[str]) -> Vectors:
        vectors: Vectors = encoder.texts(lines).numpy()
        return vectors

    queries = {
        label: (np.array([kind for kind, _ in pairs]), texts([text for _, text in pairs]))
        for label, pairs in words.items()
    }
    measure_cuts(photos, kinds, queries, texts(list(STRANGE)))
    measure_templates(photos, kinds, words, texts)
    measure_feedback(photos, kinds, texts)


# Cut-offs ------------------------------------------------------------------------------------------------------------


def best_k(scores: Vectors, limit: int) -> int:
    return limit


def by_floor(floor: float | None) -> Cut:
    assert floor is not None
    return lambda scores, limit: int((np.sort(scores)[::-1][:limit] >= floor).sum())


def by_standing(scores: Vectors, limit: int) -> int:
    bulk = ScoreBulk.of(scores)
    hits = [(0, float(score)) for score in np.sort(scores)[::-1][:limit]]
    return len(bulk.outstanding(hits)) if bulk else limit


def by_three_spreads(scores: Vectors, limit: int) -> int:
    bulk = ScoreBulk.of(scores)
    return int((np.sort(scores)[::-1][:limit] >= bulk.middle + 3 * bulk.spread).sum()) if bulk else limit


CUTS: dict[str, Cut] = {
    "best k": best_k,
    "floor": by_floor(score_floor(TINY)),
    "floor 0.40": by_floor(0.40),
    "what stands out": by_standing,
    "3 spreads": by_three_spreads,
}


def libraries(kinds: NDArray[np.str_]) -> dict[str, tuple[str, int, Callable[[str], NDArray[np.int64]]]]:
    """Return by label the queries, how many hits they ask for, and a function from a kind to the library to search."""

    def few(kind: str) -> NDArray[np.int64]:
        chosen = np.random.default_rng(sum(map(ord, kind)))
        others = chosen.choice(np.flatnonzero(kinds != kind), 117, replace=False)
        return np.concatenate([others, chosen.choice(np.flatnonzero(kinds == kind), 3, replace=False)])

    def share(part: float) -> Callable[[str], NDArray[np.int64]]:
        def chosen(kind: str) -> NDArray[np.int64]:
            own, others = np.flatnonzero(kinds == kind), np.flatnonzero(kinds != kind)
            count = round(len(own) * (1 - part) / part)
            random_ones = np.random.default_rng(sum(map(ord, kind)))
            rows = np.concatenate([own, random_ones.choice(others, count, replace=False)])
            return np.tile(rows, 3)  # otherwise there would be too few to fit the bulk of the scores

        return chosen

    every = np.arange(len(kinds))
    return {
        f"all {len(kinds)}, k 10": ("kinds", 10, lambda _: every),
        f"all {len(kinds)}, k 50": ("kinds", 50, lambda _: every),
        f"all {len(kinds)}, paraphrases": ("paraphrases", 10, lambda _: every),
        "3 right of 120": ("kinds", 10, few),
        "3 right of 120, paraphrases": ("paraphrases", 10, few),
        **{f"{part:.0%} of the library right": ("kinds", 10, share(part)) for part in (0.1, 0.3, 0.6, 0.9)},
    }


def measure_cuts(
    photos: Vectors, kinds: NDArray[np.str_], queries: dict[str, tuple[NDArray[np.str_], Vectors]], strange: Vectors
) -> None:
    """Print precision, the share of right hits among the best k that are kept, and the queries without any result."""
    print(f"\n{'library':34}{'cut':18}{'precision':>9}{'kept':>7}{'nothing':>9}{'shown for unknown words':>26}")
    for label, (asked, limit, library) in libraries(kinds).items():
        for name, cut in CUTS.items():
            figures = []
            for kind, vector in zip(*queries[asked], strict=True):
                rows = library(kind)
                scores = photos[rows] @ vector
                ranked = (kinds[rows] == kind)[np.argsort(-scores)[:limit]]
                shown = cut(scores, limit)
                right = ranked[:shown].sum()
                figures.append((right / shown if shown else np.nan, right / max(ranked.sum(), 1), shown == 0))
            unknown = np.mean([cut(photos @ vector, limit) for vector in strange])
            precision = np.nanmean([p for p, _, _ in figures]) if any(not n for _, _, n in figures) else np.nan
            kept, nothing = np.mean([(k, n) for _, k, n in figures], axis=0)
            print(f"{label:34}{name:18}{precision:9.3f}{kept:7.3f}{nothing:9.3f}{unknown:26.1f}")


# Templates -----------------------------------------------------------------------------------------------------------

TEMPLATES = {
    "as typed": ("{}",),
    "a photo of {}": ("a photo of {}",),
    "mean of 4": ("{}", "a photo of {}", "a picture of {}", "an image of {}"),
}


def measure_templates(
    photos: Vectors,
    kinds: NDArray[np.str_],
    words: dict[str, list[tuple[str, str]]],
    texts: Callable[[list[str]], Vectors],
) -> None:
    """Print the precision at 10, and how often the first hit is right."""
    print(f"\n{'queries':16}{'template':18}{'precision of 10':>16}{'first right':>13}")
    for label, pairs in words.items():
        for name, forms in TEMPLATES.items():
            figures = []
            for kind, text in pairs:
                scores = photos @ texts([form.format(text) for form in forms]).mean(0)
                figures.append((kinds == kind)[np.argsort(-scores)[:10]])
            print(f"{label:16}{name:18}{np.mean(figures):16.3f}{np.mean([hits[0] for hits in figures]):13.3f}")


# Feedback ------------------------------------------------------------------------------------------------------------


def measure_feedback(photos: Vectors, kinds: NDArray[np.str_], texts: Callable[[list[str]], Vectors]) -> None:
    """Search for a family ("animal") with one of its kinds in mind; print the precision at 10 after feedback."""
    families = defaultdict(list)
    for name, kind in KINDS.items():
        families[kind.family].append(name)
    print(f"\n{'more':>6}{'less':>6}{'steps':>7}{'before':>8}{'after':>8}{'worse in':>10}")
    for steps in (1, 2):
        for more, less in (
            (0.25, 0),
            (MORE, 0),
            (1, 0),
            (0, 0.1),
            (0, LESS),
            (0, 0.5),
            (0, 1),
            (MORE, LESS),
            (MORE, 0.5),
        ):
            pairs = [
                refined(photos, kinds == kind, texts([fill(FAMILIES[family][0][0])])[0], (more, less), steps)
                for family, members in families.items()
                for kind in members
            ]
            before, after = np.mean(pairs, axis=0)
            worse = np.mean([new < old for old, new in pairs])
            print(f"{more:6}{less:6}{steps:7}{before:8.3f}{after:8.3f}{worse:10.3f}")


def refined(
    photos: Vectors, right: NDArray[np.bool_], text: Vectors, weights: tuple[float, float], steps: int
) -> tuple[float, float]:
    """Return the precision at 10 before and after `more` on the first right hit and `less` on the first wrong one."""
    query, used, precisions = text.copy(), set[int](), []
    for _ in range(steps + 1):
        ranked = [row for row in np.argsort(-(photos @ query)).tolist() if row not in used]
        precisions.append(float(np.mean(right[ranked[:10]])))
        for weight, sign, is_meant in ((weights[0], 1, True), (weights[1], -1, False)):
            chosen = next((row for row in ranked[:30] if right[row] == is_meant), None)
            if weight and chosen is not None:
                query += sign * weight * photos[chosen]
                used.add(chosen)
    return precisions[0], precisions[-1]


if __name__ == "__main__":
    sys.exit(main())
