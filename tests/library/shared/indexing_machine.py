"""Owns one index run of one machine in a process of its own: indexing_machine.py FOLDER ADDRESS PHOTOS NAME=ROOT ...

Says how many photos are done, line by line, and at the end what it has done, or what went wrong.  After each line it
waits for one on standard input, or for its end.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from library_fakes import FakeEncoder, InProcessDecoder
from library_places import Place

from photomap_cli.errors import PhotomapError
from photomap_cli.indexing.index_options import IndexOptions
from photomap_cli.indexing.indexer import Indexer


def index(place, photos, **options):
    """Run an indexer over some folders, and yield how many photos are done."""
    with place.opened(create=True) as library:
        values = {"jobs": 1, "batch_size": 4, "thumbnail_cache_bytes": 0} | options
        indexer = Indexer(library, FakeEncoder, IndexOptions(**values), open_pool=InProcessDecoder)
        for progress in indexer.run(photos):
            yield progress.done
        yield indexer.report


if __name__ == "__main__":
    folder, address, photos, *roots = sys.argv[1:]
    machine = Place(Path(folder), address, dict(root.split("=", 1) for root in roots))
    try:
        for done in index(machine, [Path(photos)]):
            sys.stdout.write(f"{done}\n")
            sys.stdout.flush()
            sys.stdin.readline()
    except PhotomapError as error:
        sys.stdout.write(f"{error.message}\n")
        sys.exit(2)
