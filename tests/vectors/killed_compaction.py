"""Owns a compaction in a process of its own that is killed at its n-th step: killed_compaction.py LIBRARY N.

A step is a statement of SQLite, or to open, map, rename or remove one of the files that searches read; it is killed
just before it.
"""

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from killed_store import be_large

from photomap_cli.library.catalog import Catalog
from photomap_cli.vectors.store import VectorStore

STEPS = {"open", "mmap.__new__", "os.rename", "os.remove"}

if __name__ == "__main__":
    be_large()
    left = int(sys.argv[2])
    with Catalog.open(Path(sys.argv[1])) as catalog, VectorStore(catalog.folder, catalog) as store:
        store.refresh()

        def step(_what: object = None) -> None:
            global left
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

        def kill_at(event, arguments):
            if event in STEPS and (event == "mmap.__new__" or "vectors." in str(arguments[0])):
                step()

        sys.addaudithook(kill_at)
        catalog._database._connection.set_trace_callback(step)
        catalog.shrink()
        store.refresh()
        for _ in store.compress():
            pass
        os._exit(0)  # what follows is no step of it
