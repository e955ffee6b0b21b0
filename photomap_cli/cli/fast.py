"""Owns the way past Typer: `status --json`, a `search` that a live session answers, and the prompt.

A shell prompt, a tmux bar and scripts ask these all day, and Typer with pydantic costs more than the answer.  Only the
plain forms listed here are answered; an option that is not in these tables, a value that is not obviously right, any
error, or no session: `answer` returns None with nothing written, and the full command line starts from the beginning
(and says what is wrong).  Both ways write the same bytes; tests/cli/test_fast.py compares them.
"""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photomap_cli import directories
from photomap_cli.cli import ending, streams, words
from photomap_cli.errors import PhotomapError
from photomap_cli.terminal.lines import ResultStyle, write_json, write_lines
from photomap_cli.terminal.output import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_STYLES = {
    "--json": ResultStyle.JSON,
    "--jsonl": ResultStyle.JSONL,
    "--paths": ResultStyle.PATHS,
    "-0": ResultStyle.NUL,
}
_LIMIT = frozenset({"-k", "--limit"})
_MOST_HITS = 100_000
_PATIENCE_SECONDS = 0.5  # then the full command line asks again, and says that it waits


def answer(arguments: list[str]) -> int | None:
    """Answer one of the command lines above and return its exit status; None for every other."""
    options, command = words.split_globals(arguments)
    if "-v" in options or "--verbose" in options or "_PHOTOMAP_COMPLETE" in os.environ:  # a shell asks for completions
        return None
    if not command:
        return ending.exit_status(lambda: _converse(_library(options)), arguments)
    try:
        if command == ["status", "--json"]:
            write_json(status_look(_library(options), lambda words: _tell((words,), options)), sys.stdout)
            sys.stdout.flush()
            return ending.FOUND
        if command[:1] == ["search"]:
            return _search(options, words.prepare(command)[1:])
    except PhotomapError:
        return None
    except (OSError, KeyboardInterrupt) as error:
        return ending.cut_short(error)
    return None


def status_look(library: Path, tell: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Return what `status --json` prints, as JSON values; wakes no encoder, creates nothing.

    Args:
        library: the one it says something about.
        tell: called with a sentence when a session does not answer at once.
    """
    from photomap_cli.library.summary import facts
    from photomap_cli.session import wire

    looks = wire.looks(tell)
    look = {"version": 1, "sessions": [each.status for each in looks if each.status], "library": facts(library)}
    others = [{"pid": each.pid, **each.error.to_json()} for each in looks if each.error]
    return {**look, "unreachable": others} if others else look


def _converse(library: Path) -> int:
    streams.forgive()
    streams.log(verbose=False)
    from photomap_cli.cli.conversing import converse

    return converse(library)


def _search(options: list[str], arguments: list[str]) -> int | None:
    from photomap_cli.session import wire

    parsed = _parsed(arguments)
    patience = wire.Patience(_PATIENCE_SECONDS, _PATIENCE_SECONDS)
    line = wire.find(_library(options), patience=patience) if parsed else None
    if parsed is None or line is None:
        return None
    request, style = parsed
    with closing(line):
        result = line.work("search", request=request)
    streams.forgive()
    write_lines(result, style, sys.stdout)
    sys.stdout.flush()
    _tell(result.get("notices", ()), options)
    return ending.FOUND if result["hits"] else ending.NOTHING_FOUND


def _tell(notices: Iterable[str], options: list[str]) -> None:
    if not {"-q", "--quiet"}.intersection(options):
        for notice in notices:
            say(f"photomap: {notice}")


def _parsed(arguments: list[str]) -> tuple[dict[str, Any], ResultStyle] | None:
    """Return the request and the style of a search's words; None where anything is not plain."""
    query: list[str] = []
    styles: list[ResultStyle] = []
    limit: int | None = None
    left = iter(arguments)
    for word in left:
        if word in _STYLES:
            styles.append(_STYLES[word])
        elif word in _LIMIT:
            limit = _number(next(left, ""))
            if limit is None:
                return None
        elif word.startswith("-") and word != "-":
            return None
        else:
            query.append(word)
    if not query or len(styles) > 1 or (not styles and sys.stdout.isatty()):  # a table is for the full way
        return None
    cwd = os.getcwd()  # noqa: PTH109  Path.cwd() is slower
    request = {"text": words.query_text(query, cwd), "cwd": cwd, "limit": limit}
    return request, styles[0] if styles else ResultStyle.PLAIN


def _number(text: str) -> int | None:
    is_plain = text.isascii() and text.isdigit() and 1 <= len(text) <= len(str(_MOST_HITS))
    return int(text) if is_plain and 1 <= int(text) <= _MOST_HITS else None


def _library(options: list[str]) -> Path:
    """Return the folder that --library names; the last one counts, as with Typer."""
    named = None
    for before, word in zip(["", *options], options, strict=False):
        if before == "--library":
            named = Path(word)
        elif word.startswith("--library="):
            named = Path(word.removeprefix("--library="))
    return directories.library_directory(named)
