"""Owns the way past Typer: `status --json`, a `search` that a live session or the text tower answers, and the prompt.

A shell prompt, a tmux bar and scripts ask these all day, and Typer with pydantic costs more than the answer.  Only the
plain forms listed here are answered; an option that is not in these tables, a value that is not obviously right, any
error, or the need for an encoder process: `answer` returns None with nothing written, and the full command line starts
from the beginning (and says what is wrong).  Both ways write the same bytes; tests/cli/test_fast.py compares them, and
these tables with Typer's.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from photomap_cli import directories
from photomap_cli.cli import argv, exit_status, settings_cache, stdio
from photomap_cli.errors import PhotomapError
from photomap_cli.views.machine_output import ResultStyle, write_document, write_lines
from photomap_cli.views.output import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from photomap_cli.session.transport import Transport

_STYLES = {
    "--json": ResultStyle.JSON,
    "--jsonl": ResultStyle.JSONL,
    "--paths": ResultStyle.PATHS,
    "-0": ResultStyle.NUL,
}
_PATHS_ALONE = (ResultStyle.PATHS, ResultStyle.NUL)
FLAGS = {
    "--exact": ("exact", True),
    "--explain": ("explain", True),
    "--collapse": ("collapse", True),
    "--no-collapse": ("collapse", False),
}
"""What an option without a value says in a request."""

_MOST_HITS = 100_000
_TIMEOUT_SECONDS = 0.5  # then the full command line asks again, and says that it waits
_NUMBER = re.compile(r"-?\d{1,9}(\.\d{1,9})?", re.ASCII)


def answer(arguments: list[str]) -> int | None:
    """Answer one of the command lines above and return its exit status; None for every other."""
    options, command = argv.split_globals(arguments)
    if "-v" in options or "--verbose" in options or "_PHOTOMAP_COMPLETE" in os.environ:  # a shell asks for completions
        return None
    if not command:
        return exit_status.exit_status(lambda: _converse(_library(options)), arguments)
    try:
        if command == ["status", "--json"]:
            write_document(status_look(_library(options), lambda words: _tell((words,), options)), sys.stdout)
            sys.stdout.flush()
            return exit_status.FOUND
        if command[:1] == ["search"]:
            return _search(options, argv.prepare(command)[1:])
    except PhotomapError:
        return None
    except (OSError, KeyboardInterrupt) as error:
        return exit_status.cut_short(error)
    return None


def status_look(library: Path, tell: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Return what `status --json` prints, as JSON values; wakes no encoder, creates nothing.

    Args:
        library: the one it says something about.
        tell: called with a sentence when a session does not answer at once.
    """
    from photomap_cli.library.stats import facts
    from photomap_cli.session import transport

    looks = transport.looks(tell)
    look = {"sessions": [each.status for each in looks if each.status], "library": facts(library)}
    others = [{"pid": each.pid, **each.error.to_json()} for each in looks if each.error]
    return {**look, "unreachable": others} if others else look


def _converse(library: Path) -> int:
    stdio.forgive()
    stdio.log(verbose=False)
    from photomap_cli.cli.interactive import converse

    return converse(library)


class _Parsed(NamedTuple):
    """A plain search: its request, how it is written, and whether a live session may answer it."""

    request: dict[str, Any]
    style: ResultStyle
    local: bool


def _search(options: list[str], arguments: list[str]) -> int | None:
    parsed = _parsed(arguments)
    is_table = parsed is not None and parsed.style is ResultStyle.TABLE
    if parsed is None or (is_table and settings_cache.is_set("previews")):
        return None
    waits_in_words = is_table and sys.stderr.isatty() and not {"-q", "--quiet"}.intersection(options)
    result = _result(_library(options), parsed, _in_words if waits_in_words else _in_silence)
    stdio.forgive()
    (_write_table if is_table else write_lines)(result, parsed.style, sys.stdout)
    sys.stdout.flush()
    _tell(result.get("notices", ()), options)
    if result["served_by"] == "local" and not parsed.local:
        from photomap_cli.cli import warming

        warming.leave_session(_library(options))
    return exit_status.FOUND if result["hits"] else exit_status.NOTHING_FOUND


def _tell(notices: Iterable[str], options: list[str]) -> None:
    if not {"-q", "--quiet"}.intersection(options):
        for notice in notices:
            say(f"photomap: {notice}")


def _write_table(result: dict[str, Any], style: ResultStyle, file: TextIO) -> None:
    """Write a result for people; what draws tables is imported for it alone."""
    from photomap_cli.records import SearchResult
    from photomap_cli.views import results
    from photomap_cli.views.console import console_on

    read, cwd = SearchResult.from_json(result), directories.working_directory()
    results.write(read, style, file, cwd=cwd, console=console_on())


def _in_silence(line: Transport, request: dict[str, Any]) -> dict[str, Any]:
    return line.work("search", request=request)


def _in_words(line: Transport, request: dict[str, Any]) -> dict[str, Any]:
    """Ask a session and say where its encoder is meanwhile, if that takes long."""
    from photomap_cli.records import SessionStatus
    from photomap_cli.views.console import console_on
    from photomap_cli.views.spinner import wait_for
    from photomap_cli.views.status_line import place

    def words() -> str:
        return str(place(SessionStatus.from_json(line.glance("status"))))

    return wait_for(lambda: _in_silence(line, request), console=console_on(stderr=True), words=words)


def _result(
    library: Path, parsed: _Parsed, ask: Callable[[Transport, dict[str, Any]], dict[str, Any]]
) -> dict[str, Any]:
    """Ask the live session, by `ask`, else answer here.  Raises PhotomapError."""
    from photomap_cli.session import transport

    timeouts = transport.Timeouts(_TIMEOUT_SECONDS, _TIMEOUT_SECONDS)
    line = None if parsed.local else transport.find(library, timeouts=timeouts)
    if line is not None:
        with closing(line):
            return ask(line, parsed.request)
    from photomap_cli.cli import oneshot

    return oneshot.search(library, parsed.request)


def _parsed(arguments: list[str]) -> _Parsed | None:
    """Return what a search's words ask for; None where anything is not plain."""
    query: list[str] = []
    styles: list[ResultStyle] = []
    asked: dict[str, Any] = {"limit": None}
    left = iter(arguments)
    for word in left:
        name, has_value, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if word in _STYLES:
            styles.append(_STYLES[word])
        elif word == "--local":
            asked["local"] = True
        elif word in FLAGS:
            asked.update((FLAGS[word],))
        elif name in VALUES:
            field, read = VALUES[name]
            asked[field] = read(value if has_value else next(left, ""))
            if asked[field] is None:
                return None
        elif word.startswith("-") and word != "-":
            return None
        else:
            query.append(word)
    style = styles[0] if styles else ResultStyle.TABLE if sys.stdout.isatty() else ResultStyle.PLAIN
    if not query or len(styles) > 1 or (asked.get("explain") and style in _PATHS_ALONE):
        return None
    cwd, local = os.getcwd(), asked.pop("local", False)  # noqa: PTH109  Path.cwd() is slower
    return _Parsed({"text": argv.query_text(query, cwd), "cwd": cwd, **asked}, style, local)


def _limit(text: str) -> int | None:
    is_plain = text.isascii() and text.isdigit() and 1 <= len(text) <= len(str(_MOST_HITS))
    return int(text) if is_plain and 1 <= int(text) <= _MOST_HITS else None


def _score(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) and -1 <= float(text) <= 1 else None


def _folder(text: str) -> str | None:
    if text in ("", "*") or text.startswith("-"):
        return text if text == "*" else None
    return str(directories.absolute(Path(text)))


def _order(text: str) -> str | None:
    return text if text in ("score", "date") else None


VALUES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "-k": ("limit", _limit),
    "--limit": ("limit", _limit),
    "--in": ("folder", _folder),
    "--min-score": ("min_score", _score),
    "--sort": ("sort", _order),
}
"""What an option with a value says in a request, and how the value is read; None where it is not plain."""


def _library(options: list[str]) -> Path:
    """Return the folder that --library names; the last one counts, as with Typer."""
    named = None
    for before, word in zip(["", *options], options, strict=False):
        if before == "--library":
            named = Path(word)
        elif word.startswith("--library="):
            named = Path(word.removeprefix("--library="))
    return directories.library_directory(named)
