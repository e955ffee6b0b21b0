"""Owns a machine that is killed at each step: killed_machine.py begin|replace FOLDER ADDRESS.

It changes the library ADDRESS_0 and is killed (-9) before its first request that changes the server, then ADDRESS_1 and
is killed before the second one, until it comes to its end.  Says how each process ended, as JSON.
"""

import json
import os
import signal
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from library_fakes import INFO
from library_places import Place
from pymilvus.client.grpc_handler import GrpcHandler

from photomap_cli.library.shared import address

CHANGES = ("create_collection", "create_index", "load_collection", "create_alias", "alter_alias", "drop_alias")
CHANGES += ("alter_collection_properties", "drop_collection")


def killed_before(step):
    """Have this process killed before it makes so many changes and one more."""
    left = count(step, -1)
    for name in CHANGES:
        method = getattr(GrpcHandler, name)

        def changed(*values, method=method, **named):
            if next(left) == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return method(*values, **named)

        setattr(GrpcHandler, name, changed)


def begin(place):
    """Make a library."""
    with place.opened(create=True) as library:
        library.begin(INFO)


def take_the_place(place):
    """Have a rebuild take the library's place."""
    target = address.parse(place.address)
    with replace(place, address=str(target.rebuild)).opened() as draft:
        draft.take_place_of(target)


if __name__ == "__main__":
    what, folder, prefix = sys.argv[1:]
    ended = []
    while not ended or ended[-1]:
        step = len(ended)
        if not (child := os.fork()):
            killed_before(step)
            {"begin": begin, "replace": take_the_place}[what](Place(Path(folder) / str(step), f"{prefix}_{step}"))
            os._exit(0)
        ended.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    sys.stdout.write(json.dumps(ended))
