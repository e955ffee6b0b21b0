"""Owns one copy of a library in a process of its own that is killed: killed_copy.py LIBRARY TARGET STEP.

It is killed just before so many files were opened, renamed, made or removed.
"""

import os
import signal
import sys
from itertools import count
from pathlib import Path

from photomap_cli.export.library_copy import copy_library

EVENTS = ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "sqlite3.connect", "ctypes.dlsym")

if __name__ == "__main__":
    library, target, step = sys.argv[1:]
    steps = count(1)

    def kill_at(event, _arguments):
        if event in EVENTS and next(steps) == int(step):
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(kill_at)
    copy_library(Path(library), Path(target), derived=("vectors.f16",), caches=("thumbnails.sqlite",))
