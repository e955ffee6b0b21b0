"""Owns recognising file names in a query, whatever they contain.  Light: stat, and a file's first bytes."""

from __future__ import annotations

import os
import re
import stat
from typing import NamedTuple

from photomap_cli import files
from photomap_cli.library.signatures import SIGNATURE_BYTES, may_be_picture
from photomap_cli.pathnames import on_disk

_PATH = re.compile(r"\.{1,2}[/\\]|~[/\\]|/|[A-Za-z]:[/\\]")
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,5}\s*$")
_LINES_OF_A_NAME = 16
_OPERATOR = re.compile(r"[-+–−]?(?:(?:\d+(?:\.\d+)?|\.\d+):)?@?(?=.)", re.DOTALL)


class NamedFile(NamedTuple):
    """A file that a word names, and the operator and weight in front of its name."""

    operator: str
    path: str


def file_named(text: str, cwd: str, *, needs_ending: bool = False) -> str | None:
    """Return the path, relative to `cwd` or absolute, if a text is the name of a file; None otherwise.

    A text that starts like a path names whatever is there, except folders.  Any other text names a file that has
    an extension, or contains a picture: `cat` is a word even in a folder with a program called `cat`.

    Args:
        text: what was typed, without quotes.
        cwd: absolute folder that relative names start from.
        needs_ending: don't count a picture without an extension.
    """
    for path in (text, os.path.expanduser(text)) if text.startswith("~") else (text,):  # noqa: PTH111  pure text
        whole = os.path.join(cwd, path)  # noqa: PTH118  Path is slower
        if not path.isascii() and (_PATH.match(text) or _ENDING.search(text)):  # other words are looked up unchanged
            whole = on_disk(whole)
        try:
            found = os.stat(whole)  # noqa: PTH116
        except (OSError, ValueError):  # ValueError: a NUL
            continue
        if _is_meant(text, whole, found.st_mode, needs_ending=needs_ending):
            return f"./{path}" if path.startswith("~") else path
    return None


def is_folder(text: str, cwd: str) -> bool:
    """Return whether a text, without quotes, is the name of a folder."""
    whole = os.path.join(cwd, os.path.expanduser(text))  # noqa: PTH111, PTH118  Path is slower
    return os.path.isdir(on_disk(whole))  # noqa: PTH112


def file_in_word(word: str, cwd: str) -> NamedFile | None:
    """Return the file that a shell word names, with or without an operator, a weight or `@` before it."""
    if path := file_named(word, cwd):
        return NamedFile("", path)
    before = _OPERATOR.match(word)
    if before is None or not before[0]:
        return None
    path = file_named(word[before.end() :], cwd)
    return NamedFile(before[0].removesuffix("@"), path) if path else None


def files_in_lines(text: str, cwd: str) -> list[str]:
    """Return the paths if a text is lines that each name a file, as `--paths` prints them; else empty.

    A name may contain line ends itself.  An absolute path counts even if nothing is there any more.
    """
    lines, paths, at = text.rstrip("\n").split("\n"), list[str](), 0
    while at < len(lines):
        ends = range(at + 1, min(len(lines), at + _LINES_OF_A_NAME) + 1)
        named = ((end, file_named("\n".join(lines[at:end]), cwd)) for end in ends)
        at, path = next(((end, path) for end, path in named if path), (at + 1, lines[at]))
        if not path.startswith("/") and file_named(path, cwd) is None:
            return []
        paths.append(path)
    return paths if len(paths) > 1 else []


def _is_meant(text: str, path: str, mode: int, *, needs_ending: bool) -> bool:
    if stat.S_ISDIR(mode):
        return False
    if _PATH.match(text):
        return True
    return stat.S_ISREG(mode) and bool(_ENDING.search(text) or (not needs_ending and _holds_picture(path)))


def _holds_picture(path: str) -> bool:
    try:
        with files.reading(path) as file:
            return may_be_picture(file.read(SIGNATURE_BYTES))
    except OSError:
        return False
