"""Compares a shared library with a local one: recall, speed and filters, over the same synthetic photos in one run.

It starts its own Milvus server (scripts/milvus_venv installs it, once), or fills a library at an address; nothing of
yours is read.  The ground truth, also under filters, is the exact product of all vectors in float32.  The two libraries
are searched in turns, so that both run under the same load.  Then the shared one's vectors are compressed, as photomap
does from a million photos on, and it is searched again.

    python scripts/bench_shared.py [--size N] [--queries N] [--address milvus://HOST:PORT/NAME] [--folder DIR]

200,000 photos take some 5 minutes, 3 GB of disk and as much memory.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from bench_search import machine, say
from made_vectors import MadeVectors
from milvus_server import MilvusServer, missing

from photomap_cli.library.entities import NewPhoto
from photomap_cli.library.shared.client import Client
from photomap_cli.library.shared.credentials import credentials
from photomap_cli.library.shared.schema import Index
from photomap_cli.library.shared.store import SharedLibrary
from photomap_cli.records import EncoderInfo, FilterKind, PhotoFilter
from photomap_cli.settings import Settings
from photomap_cli.vectors.local_library import LocalLibrary

if TYPE_CHECKING:
    from photomap_cli.library.store import Library

DIM, K, BATCH = 512, 10, 4096
ENCODER = EncoderInfo("made up", DIM, (1, 1), "shortest", "bicubic", 0, "cpu", "cpu", "float32", False)
SETTLED_SECONDS = 90  # for a while after a server has made an index, some searches take it 0.3 s
PROBED = 0.125
SHARES = (0.01, 0.1, 0.5)
NAMED = (*SHARES, 1 - sum(SHARES))
"""The share of photos in each folder, and by each camera; the last is the rest."""


@dataclass
class Data:
    """The photos and queries, and the expected hits by brute force."""

    vectors: np.ndarray
    texts: np.ndarray
    images: np.ndarray
    folder: np.ndarray
    camera: np.ndarray

    @classmethod
    def make(cls, size: int, queries: int) -> Data:
        """Create `size` photos, and `queries` texts and as many images to search for."""
        made, random = MadeVectors(DIM), np.random.default_rng(3)
        vectors, topics = made.photos(size)
        some = made.random.integers(0, size, queries)
        folder = np.repeat(random.choice(len(NAMED), -(-size // 100), p=NAMED), 100)[:size]
        camera = random.choice(len(NAMED), size, p=NAMED)
        stored = vectors.astype(np.float16).astype(np.float32)
        return cls(stored, made.texts(topics[some]), made.near(vectors[some]), folder, camera)

    def photo(self, number: int) -> NewPhoto:
        """Return the n-th photo, which was taken ten minutes after the one before."""
        path = f"/bench/folder{self.folder[number]}/{number // 100:05}/IMG_{number:07}.jpg"
        camera = f"Camera {self.camera[number]}"
        return NewPhoto(path, 4_000_000, number, taken(number), 4000, 3000, camera, self.vectors[number])

    def filters(self) -> Iterator[tuple[str, PhotoFilter, np.ndarray]]:
        """Yield each filter with its name, and a mask of the photos that meet it."""
        size = len(self.vectors)
        for share in SHARES:
            first = int(size * (1 - share))
            yield f"date {share:.0%}", PhotoFilter(FilterKind.AFTER, taken(first)), np.arange(size) >= first
        for kind, column, value in (
            (FilterKind.IN, self.folder, "/bench/folder{}"),
            (FilterKind.CAMERA, self.camera, "camera {}"),
        ):
            for number, share in enumerate(SHARES):
                name = "folder" if kind is FilterKind.IN else "camera"
                yield f"{name} {share:.0%}", PhotoFilter(kind, value.format(number)), column == number

    def best(self, queries: np.ndarray, allowed: np.ndarray | None = None) -> list[set[str]]:
        """Return the paths of the photos that each query should find."""
        numbers = np.arange(len(self.vectors)) if allowed is None else np.flatnonzero(allowed)
        scores = queries @ self.vectors[numbers].T
        best = np.argpartition(-scores, K - 1, axis=1)[:, :K]
        return [{self.photo(number).path for number in numbers[each]} for each in best]


def taken(number: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(10**9 + 600 * number))


@dataclass
class Place:
    """One of the libraries, and its figures."""

    name: str
    library: Library
    figures: dict[str, str]

    def fill(self, data: Data) -> None:
        """Add all photos."""
        self.library.begin(ENCODER)
        began = time.perf_counter()
        for first in range(0, len(data.vectors), BATCH):
            numbers = range(first, min(first + BATCH, len(data.vectors)))
            self.library.writes.commit_batch([data.photo(number) for number in numbers])
        self.figures["photos written a second"] = f"{len(data.vectors) / (time.perf_counter() - began):,.0f}"
        self.library.searches.refresh()
        list(self.library.upkeep())

    def ask(self, query: np.ndarray, within: tuple[PhotoFilter, ...] = ()) -> tuple[float, set[str]]:
        """Return the milliseconds of one search, and the paths it found, which are looked up outside the timing."""
        began = time.perf_counter()
        rows, _ = self.library.searches.search(query, K, within)
        took = 1000 * (time.perf_counter() - began)
        return took, {photo.path for photo in self.library.facts.photos(rows)}


def compare(places: list[Place], name: str, queries: np.ndarray, best: list[set[str]], *within: PhotoFilter) -> None:
    """Search every library for every query, in turns, and record times and recall."""
    for place in places:
        place.ask(queries[0], within)
    taken_ms: dict[str, list[float]] = {place.name: [] for place in places}
    held = dict.fromkeys(taken_ms, 0)
    for query, right in zip(queries, best, strict=True):
        for place in places:
            took, found = place.ask(query, within)
            taken_ms[place.name].append(took)
            held[place.name] += len(found & right)
    for place in places:
        median, slow = np.percentile(taken_ms[place.name], [50, 95])
        recall = held[place.name] / sum(map(len, best))
        place.figures[name] = f"{median:.1f} / {slow:.1f}, {recall:.4f}"


def measure(places: list[Place], data: Data) -> None:
    """Run all measurements on the libraries."""
    measure_all_photos(places, data)
    measure_filters(places, data)


def measure_all_photos(places: list[Place], data: Data) -> None:
    """Search all photos for texts and images."""
    for name, queries in (("texts", data.texts), ("images", data.images)):
        say(f"{name} ...")
        compare(places, f"{name}: p50 / p95 ms, recall@{K}", queries, data.best(queries))


def measure_filters(places: list[Place], data: Data) -> None:
    """Search some photos for texts."""
    for name, condition, allowed in data.filters():
        say(f"{name} ...")
        some = data.texts[: 5 if condition.kind is FilterKind.CAMERA else 50]  # all their names may be read first
        compare(places, f"texts, {name}: p50 / p95 ms, recall@{K}", some, data.best(some, allowed), condition)


def compress(library: SharedLibrary, settings: Settings, size: int) -> None:
    """Build the index that photomap uses from a million photos on."""
    client = Client(library.address, credentials(library.address, settings))
    found = client.describe(library.address.name)
    assert found is not None
    client.call("flush", found.name, seconds=600.0)
    client.make_index(found.name, Index("SCANN", round(4 * size**0.5)))
    client.close()


def main() -> int:
    """Measure all three libraries, and print a table."""
    options = _options()
    settings = Settings(roots={"bench": "/bench"})
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="photomap-bench-", dir=options.folder)))
        address = options.address or _own_server(stack, folder / "milvus")
        say("making photos ...")
        data = Data.make(options.size, options.queries)
        local = stack.enter_context(LocalLibrary.open(folder / "local", create=True))
        shared = stack.enter_context(SharedLibrary.open(folder / "own", address, settings, create=True))
        places = [Place("local", local, {}), Place("shared, every vector", shared, {})]
        for place in places:
            say(f"filling: {place.name} ...")
            place.fill(data)
        measure(places, data)
        say("compressing ...")
        began = time.perf_counter()
        compress(shared, settings, options.size)
        places.append(Place("shared, compressed", shared, {"compressed in, s": f"{time.perf_counter() - began:,.0f}"}))
        time.sleep(SETTLED_SECONDS)
        measure(places[-1:], data)
        fewer = settings.model_copy(update={"shared_probe": PROBED})
        probing = stack.enter_context(SharedLibrary.open(folder / "own", address, fewer))
        places.append(Place(f"shared_probe {PROBED}", probing, {}))
        measure_all_photos(places[-1:], data)
        print(f"{machine()}; {options.size:,} photos, {DIM} dimensions, {options.queries} queries of each kind\n")
        print_table(places)
    return 0


def print_table(places: list[Place]) -> None:
    """Print a Markdown table with a row for each figure and a column for each library."""
    print(f"| | {' | '.join(place.name for place in places)} |")
    print(f"|---|{'---|' * len(places)}")
    for name in dict.fromkeys(name for place in places for name in place.figures):
        print(f"| {name} | {' | '.join(place.figures.get(name, '') for place in places)} |")


def _own_server(stack: ExitStack, folder: Path) -> str:
    if reason := missing():
        sys.exit(reason)
    folder.mkdir()
    return f"milvus://{stack.enter_context(MilvusServer(folder)).address}/bench"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=200_000, metavar="N", help="how many photos")
    parser.add_argument("--queries", type=int, default=200, metavar="N", help="of each kind")
    parser.add_argument("--address", help="of a library on a server that is there; it is filled")
    parser.add_argument("--folder", type=Path, help="where to put the libraries")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
