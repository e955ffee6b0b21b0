"""Measures the library's vector search: speed, recall, filters, updates, memory; compared with two baselines.

It fills libraries in a temporary folder with synthetic vectors (made_vectors.py); nothing of yours is read.  Each
measurement runs in its own process.  Recall is against the exact product of the vectors in float32, before they are
stored in half precision.  The baselines are `numpy`, a product with a float32 matrix in memory and argpartition, and
`blobs`, rclip's way: read every vector from SQLite for each query, one product, sort.

    python scripts/bench_vectors.py [--sizes N ...] [--queries N] [--folder DIR] [--json]

A million photos need 8 GB of disk, 7 GB of memory for the baselines, and some ten minutes.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from bench_search import machine, say
from bench_tools import forget, fresh, memory, opened, percentiles, timed
from made_vectors import MadeVectors

from photomap_cli.library.catalog import Catalog
from photomap_cli.library.entities import LibraryEncoder, NewPhoto
from photomap_cli.records import FilterKind, PhotoFilter
from photomap_cli.vectors.flat_index import faiss
from photomap_cli.vectors.pq_file import FILE_NAME as COMPRESSED
from photomap_cli.vectors.store import VectorStore
from photomap_cli.vectors.vector_file import FILE_NAME as ROWS

DIM = 512
SIZES = (10_000, 100_000, 1_000_000)
SHARES = (0.001, 0.01, 0.1, 0.5)
AT_ONCE = 10_000
MOST_HITS = 100
CHANGED = 64
TIES = 1e-6
"""Scores that differ by less are equal up to the order of summation."""


@dataclass
class Figures:
    """The figures of one size, by name; in milliseconds unless the name says otherwise."""

    size: int
    values: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def main() -> int:
    """Measure everything, and print tables or JSON."""
    options = _options()
    measured = []
    for size in options.sizes:
        with tempfile.TemporaryDirectory(prefix="photomap-bench-", dir=options.folder) as folder:
            measured.append(measure(Path(folder), size, options.queries))
    if options.json:
        print(json.dumps({"machine": machine(), "sizes": [asdict(each) for each in measured]}, indent=2))
    else:
        print_table(measured)
    return 0


def measure(folder: Path, size: int, queries: int) -> Figures:
    """Fill a library, and measure it in fresh processes."""
    figures = Figures(size)
    steps = (fill, compress, open_cold, open_warm, search, filters, change, numpy_way, blob_way, delete_half)
    for step in steps:
        say(f"{size:,}: {step.__name__.replace('_', ' ')} ...")
        values = fresh(step, folder, size, queries)
        figures.notes += values.pop("notes", [])
        figures.values |= values
    ours = figures.values["search, text, k=10, p50"]
    figures.values["numpy way, times ours"] = figures.values["numpy way, k=10, p50"] / ours
    figures.values["blob way, times ours"] = figures.values["blob way, k=10, p50"] / ours
    return figures


# Each of these runs in a process of its own. --------------------------------------------------------------------------


def fill(folder: Path, size: int, queries: int) -> dict[str, Any]:
    """Create the library and the queries, and find their true hits along the way."""
    made = MadeVectors(DIM)
    truth: Truth | None = None
    committing = 0.0
    with Catalog.open(folder / "library", create=True) as catalog:
        catalog.set_encoder(LibraryEncoder("made up", DIM, "float32"))
        for first in range(0, size, AT_ONCE):
            vectors, topics = made.photos(min(AT_ONCE, size - first))
            if truth is None:
                some = made.random.choice(len(vectors), (2, queries))
                truth = Truth(np.concatenate([made.near(vectors[some[0]]), made.texts(topics[some[1]])]))
            truth.see(vectors, first)
            photos = [photo(first + number, vector) for number, vector in enumerate(vectors)]
            started = time.perf_counter()
            catalog.commit_batch(photos)
            committing += time.perf_counter() - started
    assert truth is not None
    np.savez(folder / "truth.npz", queries=truth.queries, rows=truth.rows)
    return {"fill the catalogue, us a photo": 1e6 * committing / size}


class Truth:
    """The true hits of each query, by the exact product in float32."""

    def __init__(self, queries: np.ndarray) -> None:
        self.queries = queries
        self.rows = np.empty((len(queries), 0), np.int64)
        self._scores = np.empty((len(queries), 0), np.float32)

    def see(self, vectors: np.ndarray, first: int) -> None:
        """Add the next photos."""
        new = self.queries @ vectors.T
        near = np.argpartition(-new, MOST_HITS, axis=1)[:, :MOST_HITS]
        scores = np.concatenate([self._scores, np.take_along_axis(new, near, 1)], axis=1)
        rows = np.concatenate([self.rows, near + first], axis=1)
        best = np.argsort(-scores, axis=1, kind="stable")[:, :MOST_HITS]
        self._scores, self.rows = np.take_along_axis(scores, best, 1), np.take_along_axis(rows, best, 1)


def photo(number: int, vector: np.ndarray) -> NewPhoto:
    """Return the n-th photo, taken ten minutes after the one before."""
    taken = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(10**9 + 600 * number))
    path = f"/photos/{number // 1000:05}/IMG_{number:07}.jpg"
    return NewPhoto(path, 4_000_000, number, taken, 4000, 3000, "Made Up 1", vector)


def compress(folder: Path, _size: int, _queries: int) -> dict[str, Any]:
    """Write the row file, and compress it if the library is large enough."""
    with opened(folder) as store:
        writing = timed(store.refresh)
        peak = memory("VmHWM")
        started = time.perf_counter()
        own = [memory("RssAnon") for _ in store.compress()]
        seconds = time.perf_counter() - started
    library = folder / "library"
    values = {"write the row file, s": writing / 1000, "write the row file, peak MB": peak}
    for name in ("catalog.sqlite", ROWS, COMPRESSED):
        if (library / name).exists():
            values[f"{name}, MB"] = (library / name).stat().st_size / 1e6
    return values | ({"compress, s": seconds, "compress, own MB": max(own)} if own else {})


def open_cold(folder: Path, _size: int, _queries: int) -> dict[str, Any]:
    """Measure opening the library and the first search, with its files not in the page cache."""
    notes = []
    for file in (folder / "library").iterdir():
        notes += [] if forget(file) else ["the page cache could not be dropped: the cold figures are warm"]
    opening, first, _ = _open_and_ask(folder)
    return {"open, cold": opening, "first query, cold": first, "notes": notes[:1]}


def open_warm(folder: Path, _size: int, _queries: int) -> dict[str, Any]:
    """Measure searches; memory is RssAnon beyond that of a process that has imported faiss."""
    opening, first, own = _open_and_ask(folder)
    return {"open": opening, "first query": first, "own memory after it, MB": own}


def _open_and_ask(folder: Path) -> tuple[float, float, float]:
    query = np.load(folder / "truth.npz")["queries"][-1]
    faiss()  # imported first, as its time isn't the library's
    before = memory("RssAnon")
    started = time.perf_counter()
    with opened(folder) as store:
        store.refresh()
        opening = 1000 * (time.perf_counter() - started)
        first = timed(lambda: store.search(query, 10))
        return opening, first, memory("RssAnon") - before


def search(folder: Path, _size: int, queries: int) -> dict[str, Any]:
    """Search for pictures and texts, by default and by an exact scan."""
    truth = np.load(folder / "truth.npz")
    kinds = {"image": slice(0, queries), "text": slice(queries, None)}
    values: dict[str, Any] = {}
    is_compressed = (folder / "library" / COMPRESSED).exists()
    with opened(folder) as store:
        for exact, way in ((False, "search"), (True, "scan of all"))[: 1 + is_compressed]:
            for kind, which in kinds.items():
                for k in (10, MOST_HITS):
                    asked, best = truth["queries"][which], truth["rows"][which, :k]
                    name = f"{way}, {kind}, k={k}"
                    values |= _searched(store, asked, best, name, exact=exact)
    return values


def _searched(store: VectorStore, queries: np.ndarray, best: np.ndarray, name: str, *, exact: bool) -> dict[str, Any]:
    k = best.shape[1]
    store.search(queries[0], k, exact=exact)
    taken, held = [], 0
    for query, rows in zip(queries, best, strict=True):
        found: list[np.ndarray] = []
        taken.append(timed(lambda query=query, found=found: found.append(store.search(query, k, exact=exact)[0])))
        held += len(np.intersect1d(found[0], rows))
    return {**percentiles(name, taken), f"{name}, recall": held / best.size}


def filters(folder: Path, size: int, queries: int) -> dict[str, Any]:
    """Search among a share of the photos, and compare with their exact product; SQLite's time is a separate figure."""
    asked = np.load(folder / "truth.npz")["queries"][:: 2 * queries // min(200, 2 * queries)]
    values: dict[str, Any] = {}
    with Catalog.open(folder / "library") as catalog, VectorStore(folder / "library", catalog) as store:
        for share in SHARES:
            among = np.flatnonzero(np.random.default_rng(1).random(size) < share)
            found: list[tuple[np.ndarray, np.ndarray]] = []
            ask = partial(_ask, store, found, among)
            taken = [timed(partial(ask, query)) for query in asked]
            wrong = sum(map(_differs, found, _best_among(store, asked, among)))
            values |= percentiles(f"filter {share:.1%}, k=10", taken)
            values[f"filter {share:.1%}, answers of {len(asked)} that differ"] = wrong
            reading = [timed(partial(catalog.rows, [_since(int(size * (1 - share)) - turn)])) for turn in range(9)]
            values[f"filter {share:.1%}, rows by date from SQLite"] = statistics.median(reading)
    return values


def _since(number: int) -> PhotoFilter:
    """Return the filter for all photos from one on; never the same twice, as its rows are cached."""
    return PhotoFilter(FilterKind.AFTER, photo(number, np.empty(0)).taken_at or "")


def _ask(store: VectorStore, found: list[tuple[np.ndarray, np.ndarray]], among: np.ndarray, query: np.ndarray) -> None:
    found.append(store.search_rows(query, 10, among))


def _best_among(store: VectorStore, queries: np.ndarray, among: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the ten best of these rows for each query, by the exact product, computed in pieces."""
    scores = np.concatenate(
        [store._view.rows.floats(among[first : first + AT_ONCE]) @ queries.T for first in range(0, len(among), AT_ONCE)]
    )
    best = np.argsort(-scores, axis=0, kind="stable")[:10]
    return [(among[rows], scores[rows, number]) for number, rows in enumerate(best.T)]


def _differs(found: tuple[np.ndarray, np.ndarray], true: tuple[np.ndarray, np.ndarray]) -> bool:
    """Whether a row is missing that scores above the last one found, by more than rounding."""
    missing = ~np.isin(true[0], found[0])
    return len(found[0]) != len(true[0]) or bool((true[1][missing] > found[1][-1] + TIES).any())


def change(folder: Path, size: int, _queries: int) -> dict[str, Any]:
    """Add photos and delete them again: measure the commit, and the refresh that sees it."""
    vectors = MadeVectors(DIM, seed=99).photos(20 * CHANGED)[0]
    adding, added, deleting, deleted, counting, gone = [], [], [], [], [], []
    with Catalog.open(folder / "library") as catalog, VectorStore(folder / "library", catalog) as store:
        store.search(vectors[0], 10)
        for start in range(0, len(vectors), CHANGED):
            new = [photo(size + start + number, each) for number, each in enumerate(vectors[start:][:CHANGED])]
            rows: list[range] = []
            adding.append(timed(lambda new=new, rows=rows: rows.append(catalog.commit_batch(new))))
            added.append(timed(store.refresh))
            assert rows[0][0] in store.search(new[0].vector, 3)[0], "a new photo is not found"
            deleting.append(timed(lambda rows=rows: catalog.commit_batch([], rows[0])))
            deleted.append(timed(store.refresh))
            gone.append(timed(lambda new=new: store.search(new[0].vector, 10)))
            assert not set(rows[0]) & set(store.search(new[0].vector, 10)[0]), "a deleted photo is found"
            counting.append(timed(lambda: catalog.photo_count))
    names = ("add 64, commit", "add 64, until seen", "delete 64, commit", "delete 64, until seen")
    values = {
        name: statistics.median(each) for name, each in zip(names, (adding, added, deleting, deleted), strict=True)
    }
    return values | {"search after a change, p50": statistics.median(gone), "count photos": statistics.median(counting)}


def numpy_way(folder: Path, _size: int, queries: int) -> dict[str, Any]:
    """The `numpy` baseline."""
    asked = np.load(folder / "truth.npz")["queries"][queries:]
    with opened(folder) as store:
        store.refresh()
        matrix = store._view.rows.floats(slice(None))

    def best(query: np.ndarray) -> np.ndarray:
        scores = matrix @ query
        rows = np.argpartition(-scores, 10)[:10]
        return rows[np.argsort(-scores[rows])]

    taken = [timed(lambda query=query: best(query)) for query in asked[:50]]
    return {"numpy way, k=10, p50": statistics.median(taken), "numpy way, memory MB": memory("RssAnon")}


def blob_way(folder: Path, size: int, queries: int) -> dict[str, Any]:
    """The `blobs` baseline; vectors are stored in float32, as in rclip."""
    asked = np.load(folder / "truth.npz")["queries"][queries:]
    connection = sqlite3.connect(folder / "blobs.sqlite")
    connection.execute("CREATE TABLE images (id INTEGER PRIMARY KEY, filepath TEXT UNIQUE, vector BLOB)")
    with opened(folder) as store:
        store.refresh()
        for first in range(0, size, AT_ONCE):
            piece = store._view.rows.floats(slice(first, min(first + AT_ONCE, size)))
            records = [(f"/photos/{first + number:07}.jpg", each.tobytes()) for number, each in enumerate(piece)]
            connection.executemany("INSERT INTO images (filepath, vector) VALUES (?, ?)", records)
        connection.commit()

    def best(query: np.ndarray) -> list[tuple[float, str]]:
        records = connection.execute("SELECT filepath, vector FROM images").fetchall()
        scores = np.stack([np.frombuffer(vector, np.float32) for _, vector in records]) @ query
        return sorted(zip(scores.tolist(), (path for path, _ in records), strict=True), reverse=True)[:10]

    taken = [timed(lambda query=query: best(query)) for query in asked[:3]]
    connection.close()
    return {"blob way, k=10, p50": statistics.median(taken), "blob way, memory MB": memory("VmHWM")}


def delete_half(folder: Path, size: int, queries: int) -> dict[str, Any]:
    """Delete a random half of the photos, and do the upkeep of an index run; search for texts before and after."""
    asked = np.load(folder / "truth.npz")["queries"][queries:]
    gone = np.random.default_rng(2).permutation(size)[: size // 2]

    def figures(when: str) -> dict[str, float]:
        taken = [timed(lambda query=query: store.search(query, 10)) for query in (*asked, *asked)]
        sizes = {f"half deleted, {name}, {when}, MB": file.stat().st_size / 1e6 for name, file in files.items()}
        return percentiles(f"half deleted, {when}, k=10", taken) | sizes

    files = {name: folder / "library" / name for name in ("catalog.sqlite", ROWS)}
    with Catalog.open(folder / "library") as catalog, VectorStore(folder / "library", catalog) as store:
        catalog.commit_batch([], np.sort(gone).tolist())
        store.refresh()
        values = figures("before")
        shrinking = timed(catalog.shrink)
        writing = timed(store.refresh)
        values |= {"half deleted, shrink, s": shrinking / 1000, "half deleted, rows anew, s": writing / 1000}
        return values | figures("after")


def print_table(measured: list[Figures]) -> None:
    """Print a Markdown table with a row for each figure and a column for each size."""
    print(f"{machine()}; {DIM} dimensions; milliseconds unless it says otherwise\n")
    names = list(dict.fromkeys(name for each in measured for name in each.values))
    print(f"| {'what':50} |" + "".join(f" {each.size:>9,} |" for each in measured))
    print(f"|{'-' * 52}|" + f"{'-' * 10}:|" * len(measured))
    for name in names:
        cells = (f"{each.values[name]:9.4g}" if name in each.values else " " * 9 for each in measured)
        print(f"| {name:50} |" + "".join(f" {cell} |" for cell in cells))
    for note in dict.fromkeys(note for each in measured for note in each.notes):
        print(f"\n{note}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="N", help="how many vectors")
    parser.add_argument("--queries", type=int, default=200, metavar="N", help="of each kind")
    parser.add_argument("--folder", type=Path, help="where to put the libraries")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
