"""Owns one index run in a process of its own over files from anywhere: damaged_run.py LIBRARY PHOTOS.

Prints, as JSON, the photos that are in, failures and notes by path, and the most memory that any decode process took.
"""

import json
import resource
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from library_fakes import FakeEncoder

from photomap_cli.images.decode_pool import DecodePool
from photomap_cli.indexing.index_options import IndexOptions
from photomap_cli.indexing.indexer import Indexer
from photomap_cli.library.catalog import Catalog
from photomap_cli.vectors.local_library import LocalLibrary
from photomap_cli.vectors.store import VectorStore

SECONDS_EACH = 120.0

if __name__ == "__main__":
    library, photos = map(Path, sys.argv[1:])
    with Catalog.open(library, create=True) as catalog, VectorStore(library, catalog) as vectors:
        options = IndexOptions(jobs=2, thumbnail_cache_bytes=100 << 20)
        run = Indexer(
            LocalLibrary(catalog, vectors), FakeEncoder, options, open_pool=partial(DecodePool, seconds=SECONDS_EACH)
        )
        for _ in run.run([photos]):
            pass
        peak_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        report = {
            "photos": [photo.path for photo in catalog.photos(catalog.rows())],
            "failures": {failure.path: failure.reason for failure in run.report.failures},
            "notes": {note.path: note.reason for note in run.report.notes},
            "peak_bytes": peak_kib << 10,
        }
    sys.stdout.write(json.dumps(report))
