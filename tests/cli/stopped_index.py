"""`photomap index` that gets a signal by itself once some photos are in: stopped_index.py SIGNAL WORD..."""

import os
import sys

from photomap_cli.cli import run
from photomap_cli.library.catalog import Catalog

really_commit, number = Catalog.commit_batch, int(sys.argv[1])


def commit_and_be_stopped(self, added, *more):
    rows = really_commit(self, added, *more)
    if rows:
        Catalog.commit_batch = really_commit
        os.kill(os.getpid(), number)
    return rows


if __name__ == "__main__":
    Catalog.commit_batch = commit_and_be_stopped
    sys.exit(run(sys.argv[2:]))
