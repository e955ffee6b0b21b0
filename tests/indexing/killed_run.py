"""Owns one index run in a process of its own, to be killed or to run out of disk: killed_run.py LIBRARY PHOTOS.

Ends with 2 after an error that says what is wrong, as photomap does.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from library_fakes import FakeEncoder

from photomap_cli.errors import PhotomapError
from photomap_cli.indexing.index_options import IndexOptions
from photomap_cli.indexing.indexer import Indexer
from photomap_cli.library.catalog import Catalog
from photomap_cli.vectors.local_library import LocalLibrary
from photomap_cli.vectors.store import VectorStore

OPTIONS = IndexOptions(jobs=2, batch_size=2, thumbnail_cache_bytes=100_000)

if __name__ == "__main__":
    library, photos = map(Path, sys.argv[1:])
    try:
        with Catalog.open(library, create=True) as catalog, VectorStore(library, catalog) as vectors:
            for progress in Indexer(LocalLibrary(catalog, vectors), FakeEncoder, OPTIONS).run([photos]):
                sys.stdout.write(f"{progress.done}\n")
                sys.stdout.flush()
    except PhotomapError as error:
        sys.stdout.write(f"{error.message}\n")
        sys.exit(2)
