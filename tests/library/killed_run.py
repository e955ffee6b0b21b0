"""Owns one index run in a process of its own, to be killed: killed_run.py LIBRARY PHOTOS."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from library.fakes import FakeEncoder
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.indexer import Indexer, IndexOptions
from photomap_cli.library.vectors import VectorStore

if __name__ == "__main__":
    library, photos = map(Path, sys.argv[1:])
    with Catalog.open(library, create=True) as catalog, VectorStore(library, catalog) as vectors:
        for progress in Indexer(catalog, vectors, FakeEncoder, IndexOptions(jobs=2, batch_size=2)).run([photos]):
            sys.stdout.write(f"{progress.done}\n")
            sys.stdout.flush()
