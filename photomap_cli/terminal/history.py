"""Owns the file of past queries: private, and never a reason for the prompt to fail."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from prompt_toolkit.history import FileHistory

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class PrivateHistory(FileHistory):
    """Past lines in a file that only its owner can read; kept in memory alone where the file cannot be used."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        with suppress(OSError):
            _make_private(path)

    def load_history_strings(self) -> Iterable[str]:
        """Return the lines in the file, newest first."""
        try:
            return list(super().load_history_strings())
        except OSError:
            return []

    def store_string(self, string: str) -> None:
        """Append a line to the file."""
        with suppress(OSError, UnicodeError):
            super().store_string(string)


def _make_private(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_APPEND, 0o600))
    path.chmod(0o600)
