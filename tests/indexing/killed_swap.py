"""Owns one encoding anew in a process of its own that is killed amid the swap: killed_swap.py LIBRARY PHOTOS SQL.

It is killed just before the first statement that holds SQL.
"""

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from library_fakes import FakeEncoder, InProcessDecoder

from photomap_cli.indexing.indexer import Indexer
from photomap_cli.indexing.reindex import Reindex
from photomap_cli.library.catalog import Catalog
from photomap_cli.vectors.local_library import LocalLibrary
from photomap_cli.vectors.store import VectorStore

if __name__ == "__main__":
    library, photos = map(Path, sys.argv[1:3])

    def kill_at(statement: str) -> None:
        if sys.argv[3] in statement:
            os.kill(os.getpid(), signal.SIGKILL)

    with Reindex(library) as anew:
        anew.begin("fake")
        with Catalog.open(anew.draft, create=True) as draft, VectorStore(anew.draft, draft) as vectors:
            for _ in Indexer(LocalLibrary(draft, vectors), FakeEncoder, open_pool=InProcessDecoder).run([photos]):
                pass
        anew._library._database._connection.set_trace_callback(kill_at)
        anew.finish()
