"""Measures the map: clustering, layouts with and without PaCMAP, labels, the cached map, and its output.

It fills libraries in a temporary folder with synthetic vectors (made_vectors.py).  `neighbours` is the share of a
photo's ten nearest by cosine that are among its hundred nearest on the map, averaged over 500 photos.

    python scripts/bench_map.py [--sizes N ...]
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self, TypeVar

import numpy as np
from bench_search import say
from made_vectors import MadeVectors

from photomap_cli.library.catalog import Catalog
from photomap_cli.library.entities import LibraryEncoder, NewPhoto
from photomap_cli.map import cluster_layout, kmeans, pacmap_layout
from photomap_cli.map.builder import MapBuilder
from photomap_cli.records import Thumbnail
from photomap_cli.views.html.scatter import map_page

T = TypeVar("T")

DIM = 512
AT_ONCE = 10_000
SAMPLE, NEAREST, NEAR_ON_THE_MAP = 500, 10, 100


def main() -> int:
    """Measure every size, and print a row for each figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    print("| photos | what | seconds | of the processor | |\n|---:|---|---:|---:|---|")
    for size in parser.parse_args().sizes:
        with tempfile.TemporaryDirectory(prefix="photomap-bench-") as folder:
            measure(Path(folder), size)
    return 0


def measure(folder: Path, size: int) -> None:
    """Measure one size, and print its rows."""
    say(f"{size:,} photos ...")
    made = MadeVectors(DIM)
    with Catalog.open(folder, create=True) as catalog:
        catalog.set_encoder(LibraryEncoder("made up", DIM, "float32"))
        vectors = np.concatenate([fill(catalog, made, first, size) for first in range(0, size, AT_ONCE)])
        layouts(vectors.astype(np.float16), made)
        del vectors
        maker = MapBuilder(catalog, spec="made up", encode=texts_of(made))
        rows = catalog.rows()
        drawn = timed(size, "a map, the first time", lambda: maker.draw(rows, None))
        timed(size, "the same map again", lambda: maker.draw(rows, None))
        timed(size, "its JSON values", drawn.to_json, note=f"peak memory {peak_megabytes():,.0f} MB")
        page = timed(
            size, "its page, without thumbnails", lambda: b"".join(map_page(drawn, Blind, lambda work: work()))
        )
        print(f"| {size:,} | bytes of the page | | | {len(page):,} |", flush=True)


class Blind:
    """A source of thumbnails that has none."""

    def thumbnails(self, paths: Sequence[str]) -> list[Thumbnail]:
        """Return a fault for each photo."""
        return [Thumbnail(fault="none")] * len(paths)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        pass


def fill(catalog: Catalog, made: MadeVectors, first: int, size: int) -> np.ndarray:
    """Add the next photos, and return their vectors, (n, dim)."""
    vectors, _ = made.photos(min(AT_ONCE, size - first))
    paths = (f"/photos/{(first + number) // 1000:05}/IMG_{first + number:07}.jpg" for number in range(len(vectors)))
    catalog.commit_batch(
        [
            NewPhoto(path, 1, 0, "2023-06-01T10:00:00", 4, 3, None, vector)
            for path, vector in zip(paths, vectors, strict=True)
        ]
    )
    return vectors


def layouts(vectors: np.ndarray, made: MadeVectors) -> None:
    """Measure clustering and the layouts, each on its own."""
    size = len(vectors)
    found = timed(size, "groups", lambda: kmeans.cluster(vectors, kmeans.usual_count(size)))
    sample = made.random.choice(size, SAMPLE, replace=False)
    places = timed(size, "places by groups", lambda: cluster_layout.positions(found))
    print(f"| {size:,} | neighbours kept, groups | | | {kept_neighbours(vectors, places, sample):.3f} |", flush=True)
    if pacmap_layout.is_installed():
        pacmap_layout.positions(vectors[:SAMPLE])  # numba compiles it on first use
        places = timed(size, "places by PaCMAP", lambda: pacmap_layout.positions(vectors))
        print(
            f"| {size:,} | neighbours kept, PaCMAP | | | {kept_neighbours(vectors, places, sample):.3f} |", flush=True
        )


def kept_neighbours(vectors: np.ndarray, places: np.ndarray, sample: np.ndarray) -> float:
    """Return the share of nearest neighbours that are near on the map; see `neighbours` above."""
    whole = vectors.astype(np.float32)
    shares = []
    for one in sample:
        meant = np.argpartition(-(whole @ whole[one]), NEAREST + 1)[: NEAREST + 1]
        near = np.argpartition(((places - places[one]) ** 2).sum(axis=1), NEAR_ON_THE_MAP + 1)[: NEAR_ON_THE_MAP + 1]
        shares.append((len(np.intersect1d(meant, near)) - 1) / NEAREST)
    return float(np.mean(shares))


def texts_of(made: MadeVectors) -> Callable[[Sequence[str]], np.ndarray]:
    """Return a stand-in for the encoder, for which each text has a topic of its own."""
    return lambda texts: made.texts(np.arange(len(texts)))


def timed(size: int, what: str, work: Callable[[], T], note: str = "") -> T:
    """Call a function, print its time and CPU time in seconds, and return its result."""
    started, used = time.perf_counter(), time.process_time()
    result = work()
    taken, used = time.perf_counter() - started, time.process_time() - used
    print(f"| {size:,} | {what} | {taken:.2f} | {used:.2f} | {note} |", flush=True)
    return result


def peak_megabytes() -> float:
    """Return this process's peak memory in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


if __name__ == "__main__":
    raise SystemExit(main())
