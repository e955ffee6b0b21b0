"""Checks whether a Milvus server stores and finds photomap's data; for versions and clusters that aren't tested.

It creates a library next to the one that the address names, NAME_check_..., fills it with synthetic photos, and removes
it at the end; nothing else is touched.  For each index that photomap uses, it reads the photos back and searches for
them, then releases and loads the library, as a restart does, and compares again: a server has been seen to lose vectors
that way.  Settings, token and certificate are photomap's own.  The exit status is 1 if anything differs.

    scripts/check_shared milvus://HOST:PORT/NAME [--photos N]

It needs the rights of an owner, and takes a minute or two.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from made_vectors import MadeVectors

from photomap_cli import directories, settings
from photomap_cli.errors import PhotomapError
from photomap_cli.library.entities import NewPhoto
from photomap_cli.library.shared import address as addresses
from photomap_cli.library.shared.client import Client
from photomap_cli.library.shared.credentials import credentials
from photomap_cli.library.shared.schema import Index
from photomap_cli.library.shared.store import SharedLibrary
from photomap_cli.records import EncoderInfo, FilterKind, PhotoFilter

DIM, K, QUERIES, BATCH, LISTS = 128, 10, 50, 1000, 16
LEAST_RECALL = 0.99
ENCODER = EncoderInfo("made up", DIM, (1, 1), "shortest", "bicubic", 0, "cpu", "cpu", "float32", False)
SOON_SECONDS = 30.0


class Try:
    """The photos, the checks on them, and the number of failures."""

    def __init__(self, library: SharedLibrary, client: Client, count: int) -> None:
        self._library, self._client = library, client
        made = MadeVectors(DIM)
        vectors, topics = made.photos(count)
        self.vectors = vectors.astype(np.float16).astype(np.float32)
        some = made.random.integers(0, count, QUERIES)
        self._queries = np.concatenate([made.texts(topics[some]), made.near(self.vectors[some])])
        self.faults = 0

    def tell(self, what: str, is_right: bool, found: str = "") -> None:
        """Print the outcome of one comparison."""
        self.faults += not is_right
        print(f"{'ok   ' if is_right else 'FAULT'}  {what}{': ' if found else ''}{found}", flush=True)

    def photo(self, number: int) -> NewPhoto:
        """Return a photo; every tenth has a camera of its own."""
        camera = "Camera A" if number % 10 == 0 else "Camera B"
        return NewPhoto(
            f"/check/{number // 100:03}/{number:06}.jpg", 1, number, None, 4, 3, camera, self.vectors[number]
        )

    def fill(self) -> None:
        """Add all photos, and have the server flush them to its storage."""
        began = time.perf_counter()
        for first in range(0, len(self.vectors), BATCH):
            self._library.writes.commit_batch(
                [self.photo(n) for n in range(first, min(first + BATCH, len(self.vectors)))]
            )
        speed = len(self.vectors) / (time.perf_counter() - began)
        self._client.call("flush", self._name, seconds=120.0)
        self.tell("photos written", self._library.facts.count() == len(self.vectors), f"{speed:,.0f} a second")

    def compare(self, index: Index, when: str) -> None:
        """Read everything back, and search with and without a filter."""
        name = f"{index.kind}, {when}"
        rows = self._library.facts.rows()
        photos = self._library.facts.photos(rows)
        self.tell(f"{name}: photos there", len({each.path for each in photos}) == len(self.vectors), f"{len(photos):,}")
        stored_rows, stored = self._library.facts.stored_vectors(rows)
        numbers = {each.row: each.mtime_ns for each in photos}
        right = [numbers[row] for row in stored_rows.tolist()]
        is_all = len(stored_rows) == len(self.vectors)
        same = is_all and np.allclose(stored.astype(np.float32), self.vectors[right], atol=1e-3)
        self.tell(f"{name}: vectors read back", same, f"{len(stored_rows):,}")
        every_tenth = np.arange(len(self.vectors)) % 10 == 0
        camera = PhotoFilter(FilterKind.CAMERA, "camera a")
        for what, within, allowed in (("all", (), slice(None)), ("one camera", (camera,), every_tenth)):
            recall = self._recall(within, np.arange(len(self.vectors))[allowed])
            self.tell(f"{name}: searches among {what}", recall >= LEAST_RECALL, f"recall@{K} {recall:.4f}")

    def _recall(self, within: tuple[PhotoFilter, ...], numbers: np.ndarray) -> float:
        held = 0
        scores = self._queries @ self.vectors[numbers].T
        best = numbers[np.argsort(-scores, axis=1)[:, :K]]
        for query, right in zip(self._queries, best, strict=True):
            rows, _ = self._library.searches.search(query, K, within)
            held += len({each.mtime_ns for each in self._library.facts.photos(rows)} & set(right.tolist()))
        return held / best.size

    def change(self, other: SharedLibrary) -> None:
        """Change a photo and delete one: this client must see that at once, another one soon."""
        photo = self.photo(3)
        self._library.writes.commit_batch([replace(photo, camera="Changed", vector=self.vectors[5])])
        there = self._library.facts.photo_at(photo.path)
        self.tell("a changed photo is seen at once", there is not None and there.camera == "Changed")
        seen = _soon(lambda: getattr(other.facts.photo_at(photo.path), "camera", "") == "Changed")
        self.tell("another client sees it", seen < SOON_SECONDS, f"after {seen:.1f} s")
        assert there is not None
        self._library.writes.commit_batch([], [there.row])
        self.tell("a removed photo is gone at once", self._library.facts.photo_at(photo.path) is None)
        seen = _soon(lambda: other.facts.photo_at(photo.path) is None)
        self.tell("another client sees that", seen < SOON_SECONDS, f"after {seen:.1f} s")

    def reload(self) -> None:
        """Have the server release the library, and load it again."""
        self._client.call("release_collection", self._name, seconds=60.0)
        time.sleep(2)  # it cleans up in the background
        self._client.call("load_collection", self._name, seconds=600.0)

    def index(self, index: Index) -> None:
        """Replace the index of the vectors."""
        self._client.make_index(self._name, index)

    @property
    def _name(self) -> str:
        found = self._client.describe(self._library.address.name)
        assert found is not None
        return found.name


def _soon(holds: Callable[[], bool]) -> float:
    """Return the seconds until a condition holds."""
    began = time.monotonic()
    while not holds() and time.monotonic() - began < SOON_SECONDS:
        time.sleep(0.1)
    return time.monotonic() - began


@contextmanager
def _opened(address: addresses.Address, values: settings.Settings) -> Iterator[SharedLibrary]:
    with (
        tempfile.TemporaryDirectory() as folder,
        SharedLibrary.open(Path(folder) / "own", str(address), values, create=True) as library,
    ):
        yield library


def check(address: addresses.Address, count: int) -> int:
    """Check the server; return the number of failures."""
    values = settings.load(directories.config_file()).values.model_copy(update={"roots": {"check": "/check"}})
    beside = replace(address, name=f"{address.name}_check_{secrets.token_hex(3)}")
    client = Client(beside, credentials(beside, values))
    print(f"{beside}: Milvus {client.abilities.version}", flush=True)
    with _opened(beside, values) as library, _opened(beside, values) as other:
        try:
            library.begin(ENCODER)
            tried = Try(library, client, count)
            tried.fill()
            for index in (Index("FLAT"), Index("SCANN", LISTS)):
                if not client.abilities.version.startswith("milvus_lite") or index.kind == "FLAT":
                    tried.index(index)
                    tried.compare(index, "made")
                    tried.reload()
                    tried.compare(index, "released and loaded")
            tried.change(other)
            return tried.faults
        finally:
            library.start_over()
            client.close()


def main() -> int:
    """Parse the command line and run the checks; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", metavar="milvus://HOST:PORT/NAME")
    parser.add_argument("--photos", type=int, default=6000, metavar="N", help="how many to write; 6,000")
    options = parser.parse_args()
    try:
        faults = check(addresses.parse(options.address), options.photos)
    except PhotomapError as error:
        print(f"FAULT  {error.message}\nhint: {error.hint}", file=sys.stderr)
        return 2
    print(f"{faults} faults" if faults else "nothing differs")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
