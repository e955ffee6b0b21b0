"""Measures the cost of filters on a synthetic catalogue: rows for a filtered search, a first page, completion.

It works in a temporary folder; nothing of yours is read or changed.  Figures are milliseconds of CPU, the best of five.

    python scripts/bench_filters.py [--photos 200000]
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from photomap_cli.library import facets
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.entities import LibraryEncoder, NewPhoto
from photomap_cli.search.query import parse_filters

if TYPE_CHECKING:
    from collections.abc import Callable

DIM, BATCH, PAGE = 16, 5000, 31
CAMERAS = (None, "NIKON Z 6", "Canon EOS R5", "Apple iPhone 13", "SONY ILCE-7M3")
LENSES = (None, "50mm f/1.8", "24-70mm f/2.8", "RF50mm F1.8 STM")
SIZES = ((4032, 3024), (3024, 4032), (6000, 4000), (1920, 1080))
FILTERS = (
    *("in:/photos", "in:/photos/2019", "in:/photos/2019/07-3", "after:2023", "before:2006", "year:2019..2021"),
    *("month:7", "ext:jpg", "kind:raw", "camera:nikon", "lens:50mm", "name:*00123*", "orientation:portrait"),
    *("size:>20mp", "size:<500kb", "rating:5", "has:gps", "-has:gps", "near:47,8,10km", "near:47,8,2000km"),
    "camera:nikon rating:5 month:7",
)


def photo(number: int, chosen: random.Random, vector: np.ndarray) -> NewPhoto:
    """Return a photo from 2005 to 2024; four of ten have a place, three of eleven a rating."""
    year, month = chosen.randint(2005, 2024), chosen.randint(1, 12)
    day, hour, second = chosen.randint(1, 28), chosen.randint(0, 23), chosen.randint(0, 59)
    has_place, (width, height) = chosen.random() < 0.4, chosen.choice(SIZES)
    return NewPhoto(
        f"/photos/{year}/{month:02d}-{chosen.randint(0, 9)}/IMG_{number:06d}.jpg",
        *(chosen.randint(10**5, 10**7), chosen.randint(10**17, 10**18)),
        f"{year}-{month:02d}-{day:02d}T{hour:02d}:30:{second:02d}",
        *(width, height, chosen.choice(CAMERAS), vector),
        lens=chosen.choice(LENSES),
        latitude=chosen.gauss(47, 5) if has_place else None,
        longitude=chosen.gauss(8, 8) if has_place else None,
        content_hash=chosen.randbytes(16),
        rating=chosen.choice((*[None] * 8, 3, 4, 5)),
        extension="jpg",
    )


def fill(catalog: Catalog, count: int) -> None:
    """Create the library."""
    chosen, vector = random.Random(1), np.eye(DIM, dtype=np.float32)[0]
    catalog.set_encoder(LibraryEncoder("tiny", DIM, "float32"))
    catalog.change_roots(["/photos"])
    for start in range(0, count, BATCH):
        catalog.commit_batch([photo(number, chosen, vector) for number in range(start, min(count, start + BATCH))])


def best(work: Callable[[], object]) -> float:
    """Return the milliseconds of CPU that a call takes, the best of five."""
    taken = []
    for _ in range(5):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return 1000 * min(taken)


def line(catalog: Catalog, text: str) -> str:
    """Return a line of the table."""
    filters = parse_filters(text, cwd="/")
    rows = best(lambda: catalog._read_rows(filters, lambda: None))
    first = best(lambda: catalog.newest(filters, limit=PAGE))
    later = best(lambda: catalog.newest(filters, limit=PAGE, behind=("2015-01-01T00:00:00", 0)))
    return f"| `{text}` | {len(catalog.rows(filters)):,} | {rows:.1f} | {first:.1f} | {later:.1f} |"


def process(library: Path, *words: str) -> float:
    """Return the milliseconds of CPU that a whole process takes."""
    command = [sys.executable, "-m", "photomap_cli", "--library", str(library), "search", "--json", *words]
    taken = []
    for _ in range(5):
        before = os.times()
        subprocess.run(command, check=True, capture_output=True)
        after = os.times()
        taken.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return 1000 * min(taken)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=200_000)
    count = parser.parse_args().photos
    with tempfile.TemporaryDirectory() as folder, Catalog.open(Path(folder), create=True) as catalog:
        fill(catalog, count)
        print(f"{count:,} photos, milliseconds of CPU\n")
        print("| filters | photos | rows | first page | later page |\n|---|---|---|---|---|")
        for text in FILTERS:
            print(line(catalog, text))
        print(f"\nwhat Tab offers, read once: {best(lambda: facets.read(Path(folder))):.0f}")
        print(f"`search --json in:*`, the whole process: {process(Path(folder), 'in:*'):.0f}")


if __name__ == "__main__":
    main()
