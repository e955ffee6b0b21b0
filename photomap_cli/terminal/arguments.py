"""Owns how the words after a command are read: numbers, results, folders, files.  Runs no command."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from photomap_cli.errors import BadPath, UsageError
from photomap_cli.terminal.filenames import printable

if TYPE_CHECKING:
    from photomap_cli.records import Hit
    from photomap_cli.terminal.dialogue import Dialogue

_RANGE = re.compile(r"#?(\d{1,9})(?:-#?(\d{1,9}))?", re.ASCII)


def number(text: str, *, most: int) -> int:
    """Return a number from 1 to `most`."""
    found = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not 1 <= found <= most:
        raise UsageError(f"{printable(text)!r} is not a number from 1 to {most}")
    return found


def hits(dialogue: Dialogue, text: str) -> list[Hit]:
    """Return results of the last search by their numbers: `2`, `#2`, `1 4`, `2-5`."""
    if not text:
        raise UsageError("which result?")
    return [dialogue.hit(found) for word in text.replace(",", " ").split() for found in _numbers(word, dialogue)]


def _numbers(word: str, dialogue: Dialogue) -> range:
    match = _RANGE.fullmatch(word)
    if match is None:
        raise UsageError(f"{printable(word)!r} is not the number of a result")
    first = int(match[1])
    last = int(match[2] or match[1])
    return range(first, max(first, min(last, len(dialogue.shown))) + 1)


def folder(cwd: Path, text: str) -> str | None:
    """Return what `SearchRequest.folder` takes for a folder, `*` or nothing."""
    text = unquoted(text)
    if text in ("", "*"):
        return text or None
    found = os.path.normpath(cwd / Path(text).expanduser())  # links stay: the library knows photos by the given path
    if not Path(found).is_dir():
        raise BadPath(f"{found} is no folder", hint=":in * searches the whole library")
    return found


def file(cwd: Path, text: str) -> Path:
    """Return the absolute path of a file to write."""
    return cwd / Path(unquoted(text)).expanduser()


def unquoted(text: str) -> str:
    """Return the text without the double quotes around it; a missing closing one is forgiven."""
    return text.removeprefix('"').removesuffix('"') if text.startswith('"') else text
