"""Owns telling weights apart from others of the same name: by their content, and whether it has changed.

Every byte counts: further training may change only the norms, or write through a link into a download named by
its digest.  SHA-256 of 605 MB takes 0.35 s, so the digest is cached as long as the file is the one that was read
(by inode, size, mtime and ctime, which can't be set).
"""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import suppress
from pathlib import Path

from photomap_cli import directories, files
from photomap_cli.framing import read_file, write_file

_SETTLED_NS = 3 * 10**9
"""A file's digest is cached if it last changed this many seconds ago; some file systems have two-second times."""


class WeightsFile:
    """The file that weights come from.  Create it before loading them, so that a change is noticed.

    Args:
        path: the file.
        config: the JSON beside it that says how to use the weights, if it can change like them.
    """

    def __init__(self, path: Path, config: Path | None = None) -> None:
        self._path, self._config = path, config
        self._seen = files.state(path)

    def fingerprint(self) -> str:
        """Return 64 hexadecimal digits that identify the weights, the same on every computer."""
        digest = _digest(self._path)
        if self._config is None:
            return digest
        says = json.dumps(json.loads(self._config.read_bytes()), sort_keys=True)
        return hashlib.sha256(f"{digest}\n{says}".encode()).hexdigest()

    @property
    def path(self) -> Path:
        """The file's path."""
        return self._path

    @property
    def is_the_same(self) -> bool:
        """Whether the path still leads to the same, unchanged file."""
        return _without_ctime(files.state(self._path)) == _without_ctime(self._seen)

    @property
    def was_written_to(self) -> bool:
        """Whether the file itself was changed, and so what is mapped from it; replacing the file changes nothing."""
        now, seen = _without_ctime(files.state(self._path)), _without_ctime(self._seen)
        return now is not None and seen is not None and now[:2] == seen[:2] and now != seen


def _without_ctime(state: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """Leave out times that also change with another link to the file or its permissions."""
    return state[:-1] if state else None


def _digest(path: Path) -> str:
    """Return the SHA-256 of a file, cached or computed."""
    state = files.state(path)
    name = hashlib.sha256(bytes(path.resolve())).hexdigest()[:32]
    kept = read_file(directories.cache_directory() / f"weights-{name}")
    if kept and state and kept[0].get("state") == list(state) and isinstance(kept[0].get("sha256"), str):
        return str(kept[0]["sha256"])
    with files.reading(path) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if state and files.state(path) == state and max(state[3:]) + _SETTLED_NS < time.time_ns():
        with suppress(OSError):  # it is computed again next time
            write_file(directories.cache_directory() / f"weights-{name}", {"state": state, "sha256": digest})
    return digest
