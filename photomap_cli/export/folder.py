"""Owns preparing the target folder: created, writable, and cleared of leftovers of killed exports."""

# Paths are text here, as the library has them.
# ruff: noqa: PTH103, PTH108

from __future__ import annotations

import os
import time
from contextlib import suppress

from photomap_cli import files
from photomap_cli.errors import BadPath
from photomap_cli.export.failures import reason
from photomap_cli.export.transfer import DRAFT_PREFIX, DRAFT_SUFFIX, lock

_ABANDONED_SECONDS = 60.0


def prepared(folder: str) -> str:
    """Return a folder, created if necessary, without leftovers of killed exports.  Raises BadPath."""
    try:
        os.makedirs(folder, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise BadPath(f"{folder} isn't a folder", hint="name a folder; it is made if it is not there") from error
    except (OSError, ValueError) as error:
        raise BadPath(f"{folder} cannot be made: {reason(error)}", hint="name a folder of yours") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise BadPath(f"{folder} cannot be written to", hint="name a folder of yours")
    sweep(folder)
    return folder


def sweep(folder: str) -> None:
    """Remove a folder's drafts whose process was killed, as nobody holds their lock."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(DRAFT_PREFIX) and entry.name.endswith(DRAFT_SUFFIX):
                with suppress(OSError):
                    _sweep(entry.path)


def _sweep(path: str) -> None:
    number = files.descriptor(path, os.O_RDWR)
    try:
        if time.time() - os.fstat(number).st_ctime > _ABANDONED_SECONDS and lock(number):
            os.unlink(path)
    finally:
        os.close(number)
