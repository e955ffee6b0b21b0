"""Owns parsing the words after a command: numbers, results, folders, files.  Runs no command."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from photomap_cli.directories import expanded
from photomap_cli.errors import BadPath, UsageError
from photomap_cli.pathnames import on_disk
from photomap_cli.search.query import unquoted
from photomap_cli.views.output import printable

if TYPE_CHECKING:
    from photomap_cli.records import Hit
    from photomap_cli.repl.state import SearchState

_RANGE = re.compile(r"#?(\d+)(?:-#?(\d+))?", re.ASCII)
_MOST_DIGITS = 10  # of a number that is no longer any result's
_ESCAPED = re.compile(r"\\(\W)")
"""A shell needs no backslash before letters and digits, so there it is part of the name."""


def number(text: str, *, most: int) -> int:
    """Return a number from 1 to `most`."""
    found = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not 1 <= found <= most:
        raise UsageError(f"{printable(text)!r} isn't a number from 1 to {most:,}")
    return found


def hits(state: SearchState, text: str) -> list[Hit]:
    """Return results of the last search by their numbers: `2`, `#2`, `1 4`, `2-5`."""
    if not text:
        raise UsageError("which result?")
    return [state.hit(found) for word in text.replace(",", " ").split() for found in _numbers(word, state)]


def option(text: str, *known: str) -> tuple[str, str]:
    """Return the option that a text starts with, or an empty text, and the rest.  Raises UsageError for any other."""
    word, _, rest = text.partition(" ")
    if word in known:
        return word, rest.strip()
    if len(word) > 1 and word.startswith("-"):
        near = difflib.get_close_matches(word, known, 1, 0.6)
        quotes = f'a name that starts with a dash needs quotes: "{printable(text)}"'
        raise UsageError(f"there is no option {printable(word)}", hint=f"did you mean {near[0]}?" if near else quotes)
    return "", text


def chosen(state: SearchState, text: str) -> tuple[list[Hit], str]:
    """Return the photos that a command takes somewhere, and the place: `1-4 7 ~/frames`, `~/frames`.

    They are those given by number, else the marked, else all results.  A name that starts with a number or a dash needs
    quotes; an option comes before the numbers.
    """
    words = text.split(" ")
    count = 0
    while count < len(words) - 1 and _RANGE.fullmatch(words[count].rstrip(",")):
        count += 1
    _, place = option(" ".join(words[count:]).strip())
    if count:
        return hits(state, " ".join(words[:count])), place
    return list(state.marks.values()) or list(state.require_shown()), place


def place_begun(text: str) -> str:
    """Return what was typed of the place after options and numbers."""
    while (word := text.partition(" "))[1] and (word[0].startswith("--") or _RANGE.fullmatch(word[0].rstrip(","))):
        text = word[2]
    return text


def _numbers(word: str, state: SearchState) -> range:
    match = _RANGE.fullmatch(word)
    if match is None:
        raise UsageError(f"{printable(word)!r} isn't the number of a result")
    first, last = sorted(int(digits[:_MOST_DIGITS]) for digits in (match[1], match[2] or match[1]))
    return range(first, max(first, min(last, len(state.shown))) + 1)


def folder(cwd: Path, text: str, *, hint: str) -> str | None:
    """Return the `SearchRequest.folder` for a folder, `*` or an empty text; `hint` is for one that doesn't exist."""
    text = path_meant(text)
    if text in ("", "*"):
        return text or None
    # Links stay: the library knows photos by the given path.
    found = on_disk(os.path.normpath(cwd / expanded(Path(text))))
    if not os.path.isdir(found):  # noqa: PTH112  Path fails at a name that is too long
        raise BadPath(f"{found} isn't a folder", hint=hint)
    return found


def file(cwd: Path, text: str) -> Path:
    """Return the absolute path of a file to write."""
    return Path(on_disk(os.path.normpath(cwd / expanded(Path(path_meant(text))))))


def path_meant(text: str) -> str:
    r"""Return the path that a text means, quoted as in a query, as in a shell, or not at all.

    Spaces need no quotes; a missing closing double quote, as Tab leaves it after a folder, is forgiven.

    | `"My Photos"`, `"My Photos`, `'My Photos'`, `My\ Photos`, `My Photos` | My Photos |
    |---|---|
    | `~/"My Photos"/2023` | ~/My Photos/2023 |
    | `Bob's photos`, `'90s` | as they are |
    """
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1]
    if '"' in text:
        plain = unquoted(text)
        return text.removeprefix('"') if plain == text else plain
    return _ESCAPED.sub(r"\1", text) if os.sep == "/" else text


def path_begun(text: str) -> str:
    """Return the same for a path that is still being typed, without its closing quote."""
    is_open = text.startswith("'") and text.count("'") == 1
    return path_meant(f"{text}'" if is_open else text)
