"""Measures the map: groups, places with and without PaCMAP, names, what is kept, what is written.

It fills libraries of its own in a temporary folder with made-up vectors (made_vectors.py).  `neighbours` is the share
of a photo's ten nearest by meaning that are among its hundred nearest on the map, over 500 photos.

    python scripts/bench_map.py [--sizes N ...]
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from bench_search import say
from made_vectors import MadeVectors

from photomap_cli.library.catalog import Catalog
from photomap_cli.library.entries import LibraryEncoder, NewPhoto
from photomap_cli.map import clusters, discs, neighbourhoods
from photomap_cli.map.cartographer import Cartographer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

DIM = 512
AT_ONCE = 10_000
SAMPLE, NEAREST, NEAR_ON_THE_MAP = 500, 10, 100


def main() -> int:
    """Measure every size and print a row for each thing measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    for size in parser.parse_args().sizes:
        with tempfile.TemporaryDirectory(prefix="photomap-bench-") as folder:
            for name, value in measure(Path(folder), size):
                print(f"| {size:,} | {name} | {value:,.3g} |", flush=True)
    return 0


def measure(folder: Path, size: int) -> list[tuple[str, float]]:
    """Return what was measured of one size, seconds unless its name says otherwise."""
    say(f"{size:,} photos ...")
    made = MadeVectors(DIM)
    with Catalog.open(folder, create=True) as catalog:
        catalog.set_encoder(LibraryEncoder("made up", DIM, "float32"))
        vectors = np.concatenate([fill(catalog, made, first, size) for first in range(0, size, AT_ONCE)])
        figures = [*layouts(vectors.astype(np.float16), made)]
        maker = Cartographer(catalog, spec="made up", encode=texts_of(made))
        rows = catalog.rows()
        first, drawn = timed(lambda: maker.draw(rows, None))
        again, drawn = timed(lambda: maker.draw(rows, None))
        as_json, record = timed(drawn.to_json)
        figures += [(f"a map, the first time, by {drawn.method}", first), ("the same map again", again)]
        figures += [("its JSON values", as_json), ("peak memory, MB", peak_megabytes())]
    assert record["count"] == size
    return figures


def fill(catalog: Catalog, made: MadeVectors, first: int, size: int) -> np.ndarray:
    """Add the next photos and return their vectors."""
    vectors, _ = made.photos(min(AT_ONCE, size - first))
    paths = (f"/photos/{(first + number) // 1000:05}/IMG_{first + number:07}.jpg" for number in range(len(vectors)))
    catalog.commit_batch(
        [
            NewPhoto(path, 1, 0, "2023-06-01T10:00:00", 4, 3, None, vector)
            for path, vector in zip(paths, vectors, strict=True)
        ]
    )
    return vectors


def layouts(vectors: np.ndarray, made: MadeVectors) -> list[tuple[str, float]]:
    """Measure groups and places, each alone."""
    seconds, found = timed(lambda: clusters.cluster(vectors, clusters.usual_count(len(vectors))))
    figures = [(f"{len(found.centres)} groups", seconds)]
    fit = float(np.take_along_axis(found.products, found.labels[:, np.newaxis], 1).mean())
    figures.append(("mean cosine with the own group's centre", fit))
    ways: dict[str, Callable[[], np.ndarray]] = {"groups alone": lambda: discs.positions(found)}
    if neighbourhoods.is_installed():
        neighbourhoods.positions(vectors[:500])  # it is compiled once in an installation's life
        ways["PaCMAP"] = lambda: neighbourhoods.positions(vectors)
    sample = made.random.choice(len(vectors), SAMPLE, replace=False)
    for name, way in ways.items():
        seconds, places = timed(way)
        figures += [(f"places by {name}", seconds), (f"neighbours, {name}", kept_neighbours(vectors, places, sample))]
    return figures


def kept_neighbours(vectors: np.ndarray, places: np.ndarray, sample: np.ndarray) -> float:
    """Return the share of the nearest by meaning that are near on the map."""
    whole = vectors.astype(np.float32)
    shares = []
    for one in sample:
        meant = np.argpartition(-(whole @ whole[one]), NEAREST + 1)[: NEAREST + 1]
        near = np.argpartition(((places - places[one]) ** 2).sum(axis=1), NEAR_ON_THE_MAP + 1)[: NEAR_ON_THE_MAP + 1]
        shares.append((len(np.intersect1d(meant, near)) - 1) / NEAREST)
    return float(np.mean(shares))


def texts_of(made: MadeVectors) -> Callable[[Sequence[str]], np.ndarray]:
    """Return a stand-in for the encoder: a text about a topic of its own."""
    return lambda texts: made.texts(np.arange(len(texts)))


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Return seconds and result."""
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def peak_megabytes() -> float:
    """Return the most memory this process had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


if __name__ == "__main__":
    raise SystemExit(main())
