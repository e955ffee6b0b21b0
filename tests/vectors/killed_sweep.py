"""Owns a sweep in a process of its own that is killed at its n-th step: killed_sweep.py LIBRARY N.

A step is to open, map, rename or remove one of the files that searches read; it is killed just before it.
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

        def kill_at(event, arguments):
            global left
            if event in STEPS and (event == "mmap.__new__" or "vectors." in str(arguments[0])):
                left -= 1
                if not left:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(kill_at)
        for _ in store.sweep():
            pass
        os._exit(0)  # what follows is no step of it
