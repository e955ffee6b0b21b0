"""Owns telling weights from others of the same name: what is in their file, and whether it still is.

Every byte counts: who trains on may change the norms alone, or write through a link into a download that is named by
its digest.  605 MB take 0.35 s by SHA-256; so the digest is remembered, as long as the file is the one that was read
(by inode, size, and the times of change, of which nobody can set the last).
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
"""A file is remembered when it was last changed so long ago: file systems tell times apart by up to two seconds."""


class WeightsFile:
    """The file that weights come from.  Make it before they are loaded, and they cannot change unseen.

    Args:
        path: the file.
        config: the JSON beside it that says how the weights are used, where it may change as they do.
    """

    def __init__(self, path: Path, config: Path | None = None) -> None:
        self._path, self._config = path, config
        self._seen = files.state(path)

    def fingerprint(self) -> str:
        """Return 64 digits that are others for other weights, on every computer the same for the same ones."""
        digest = _digest(self._path)
        if self._config is None:
            return digest
        says = json.dumps(json.loads(self._config.read_bytes()), sort_keys=True)
        return hashlib.sha256(f"{digest}\n{says}".encode()).hexdigest()

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._path

    @property
    def is_the_same(self) -> bool:
        """Whether the path leads to the file as it was."""
        return _without_ctime(files.state(self._path)) == _without_ctime(self._seen)

    @property
    def was_written_to(self) -> bool:
        """Whether the file itself has been changed, and what is mapped from it; a file in its place changes nothing."""
        now, seen = _without_ctime(files.state(self._path)), _without_ctime(self._seen)
        return now is not None and seen is not None and now[:2] == seen[:2] and now != seen


def _without_ctime(state: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """Leave out what a further link to the file, or its permissions, change too."""
    return state[:-1] if state else None


def _digest(path: Path) -> str:
    """Return the SHA-256 of a file, remembered or read."""
    state = files.state(path)
    name = hashlib.sha256(bytes(path.resolve())).hexdigest()[:32]
    kept = read_file(directories.cache_directory() / f"weights-{name}")
    if kept and state and kept[0].get("state") == list(state) and isinstance(kept[0].get("sha256"), str):
        return str(kept[0]["sha256"])
    with files.reading(path) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if state and files.state(path) == state and max(state[3:]) + _SETTLED_NS < time.time_ns():
        with suppress(OSError):  # it is read again the next time
            write_file(directories.cache_directory() / f"weights-{name}", {"state": state, "sha256": digest})
    return digest
