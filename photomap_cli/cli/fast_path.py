"""Owns the fast path past Typer: `status --json`, a `search` that needs no encoder process here, and the prompt.

Shell prompts, tmux bars and scripts run these all day, and Typer with pydantic costs more than the answer.  Only the
plain forms are answered; for an option that this module can't serve, a value that isn't obviously right, any error, or
the need for an encoder process, `answer` returns None with nothing written, and the full command line starts from the
beginning (and says what is wrong).  Both ways write the same bytes (tests/cli/test_fast_path.py compares them), and
know the same options: `option_table.py` is written from Typer's.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from photomap_cli import directories
from photomap_cli.cli import argv, exit_status, routing, settings_cache, stdio
from photomap_cli.cli.option_table import OPTIONS, Option
from photomap_cli.errors import LibraryUnreachable, PhotomapError
from photomap_cli.library.location import library_directory
from photomap_cli.views.machine_output import ResultStyle, write_document, write_lines
from photomap_cli.views.output import say

if TYPE_CHECKING:
    from photomap_cli.session.transport import Transport

_STYLES = {
    "as_json": ResultStyle.JSON,
    "jsonl": ResultStyle.JSONL,
    "paths": ResultStyle.PATHS,
    "nul": ResultStyle.NUL,
}
_PATHS_ALONE = (ResultStyle.PATHS, ResultStyle.NUL)
_PLAIN = frozenset({"limit", "folder", "min_score", "sort", "collapse", "exact", "explain", "local", *_STYLES})
"""Parameters of a search that may be set here; a request has the same names."""

_TIMEOUT_SECONDS = 0.5  # after that, the full command line asks again and says that it is waiting
_NUMBER = re.compile(r"-?\d{1,9}(\.\d{1,9})?", re.ASCII)


def answer(arguments: list[str]) -> int | None:
    """Answer one of these command lines and return its exit status; None for any other."""
    words, command = argv.split_globals(arguments)
    read = _options(words, OPTIONS[""])
    if read is None or not read.values.keys() <= {"library", "quiet"} or "_PHOTOMAP_COMPLETE" in os.environ:
        return None  # the last one is a shell asking for completions
    if read.values.get("library") == "":
        return None
    given = _Given.of(read.values)
    if not command:
        return exit_status.exit_status(lambda: _run_interactive(given.library()), arguments)
    try:
        command = routing.with_command(command)
        if command[0] == "status":
            return _status(given, command[1:])
        if command[0] == "search":
            return _search(given, argv.prepare(command)[1:])
    except LibraryUnreachable as error:  # asking again would wait for the server as long again
        return exit_status.report(error, arguments)
    except PhotomapError:
        return None
    except (OSError, KeyboardInterrupt) as error:
        return exit_status.cut_short(error)
    except Exception as error:
        return exit_status.failed(error, arguments)
    return None


class _Given(NamedTuple):
    """The global options that are plain."""

    named: str | None
    quiet: bool

    @classmethod
    def of(cls, values: dict[str, Any]) -> _Given:
        return cls(values.get("library"), "quiet" in values)

    def library(self) -> Path:
        """Return the library's folder.  Raises BadPath, BadSetting."""
        return library_directory(self.named)


def _status(given: _Given, words: list[str]) -> int | None:
    read = _options(words, OPTIONS["status"])
    if read is None or read.words or read.values != {"as_json": True}:
        return None
    write_document(status_document(given.library(), lambda words: _tell((words,), given)), sys.stdout)
    sys.stdout.flush()
    return exit_status.FOUND


def status_document(
    library: Path,
    tell: Callable[[str], None] = lambda _: None,
    *,
    read_facts: Callable[[], dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return what `status --json` prints, as JSON values; wakes no encoder, creates nothing.

    Args:
        library: the folder of the library to report on.
        tell: called with a sentence when a session does not answer at once.
        read_facts: returns what there is to say of the library, for who asks often.

    Raises:
        LibraryUnusable: the library is damaged; `sessions_document` has the rest.
    """
    from photomap_cli.session import libraries

    sessions, *unreachable = sessions_document(tell).items()
    facts = read_facts() if read_facts else libraries.facts_of_any_format(library)
    return dict((sessions, ("library", facts), *unreachable))


def sessions_document(tell: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Return the part of `status --json` about live sessions."""
    from photomap_cli.session import transport

    replies = transport.statuses(tell)
    document = {"sessions": [each.status for each in replies if each.status]}
    others = [{"pid": each.pid, **each.error.to_json()} for each in replies if each.error]
    return {**document, "unreachable": others} if others else document


def _run_interactive(library: Path) -> int:
    stdio.tolerate_encoding_errors()
    stdio.configure_logging(verbose=False)
    from photomap_cli.cli.interactive import run_interactive

    return run_interactive(library)


class _Parsed(NamedTuple):
    """A plain search: its request, its output style, and whether it must not use a live session."""

    request: dict[str, Any]
    style: ResultStyle
    local: bool


def _search(given: _Given, words: list[str]) -> int | None:
    parsed = _parsed(words)
    is_table = parsed is not None and parsed.style is ResultStyle.TABLE
    if parsed is None or (is_table and settings_cache.is_set("previews")):
        return None
    waits_in_words = is_table and sys.stderr.isatty() and not given.quiet
    result = _result(given.library(), parsed, _in_words if waits_in_words else _in_silence)
    stdio.tolerate_encoding_errors()
    (_write_table if is_table else write_lines)(result, parsed.style, sys.stdout)
    sys.stdout.flush()
    _tell(result.get("notices", ()), given)
    if result["served_by"] == "local" and not parsed.local:
        from photomap_cli.cli import keep_warm

        keep_warm.keep_session(given.library())
    if is_table and result.get("searched_elsewhere") and not given.quiet:
        from photomap_cli.cli import index_offer

        if index_offer.accepted(given.library()):
            return _search(given, words)
    return exit_status.FOUND if result["hits"] else exit_status.NOTHING_FOUND


def _tell(notices: Iterable[str], given: _Given) -> None:
    if not given.quiet:
        for notice in notices:
            say(f"photomap: {notice}")


def _write_table(result: dict[str, Any], style: ResultStyle, file: TextIO) -> None:
    """Write a result for people; imports what draws tables."""
    from photomap_cli.records import SearchResult
    from photomap_cli.session import transport
    from photomap_cli.views import results
    from photomap_cli.views.console import console_on

    read, cwd = transport.read(SearchResult, result), directories.working_directory()
    results.write(read, style, file, cwd=cwd, console=console_on())


def _in_silence(line: Transport, request: dict[str, Any]) -> dict[str, Any]:
    return line.long_request("search", request=request)


def _in_words(line: Transport, request: dict[str, Any]) -> dict[str, Any]:
    """Ask a session, showing where its encoder is if that takes long."""
    from photomap_cli.records import SessionStatus
    from photomap_cli.session import transport
    from photomap_cli.views.console import console_on
    from photomap_cli.views.spinner import wait_for
    from photomap_cli.views.status_line import place

    def words() -> str:
        return str(place(transport.read(SessionStatus, line.request("status"))))

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


def _parsed(words: list[str]) -> _Parsed | None:
    """Parse a search's words; None if anything isn't plain."""
    read = _options(words, OPTIONS["search"])
    if read is None or not read.words or not read.values.keys() <= _PLAIN:
        return None
    if read.values.get("folder") == "":
        return None
    values = {"limit": None, **read.values}
    if (folder := values.get("folder", "*")) != "*":
        values["folder"] = str(directories.absolute(Path(folder)))
    local = values.pop("local", False)
    styles = [style for parameter, style in _STYLES.items() if values.pop(parameter, False)]
    style = styles[0] if styles else ResultStyle.TABLE if sys.stdout.isatty() else ResultStyle.PLAIN
    if len(styles) > 1 or (values.get("explain") and style in _PATHS_ALONE):
        return None
    cwd = os.getcwd()  # noqa: PTH109  Path.cwd() is slower
    return _Parsed({"text": argv.query_text(read.words, cwd), "cwd": cwd, **values}, style, local)


class _Read(NamedTuple):
    """A command line's words, split into values of options and the others."""

    values: dict[str, Any]
    words: list[str]


def _options(words: list[str], options: dict[str, Option]) -> _Read | None:
    """Split a command's options from its other words; None if anything isn't plain."""
    read, left = _Read({}, []), iter(words)
    for word in left:
        option = options.get(spelling := routing.spelling(word))
        if option is None:
            if word.startswith("-") and word != "-":
                return None
            read.words.append(word)
            continue
        if option.kind == "flag":
            value: object = option.value if word == spelling else None
        else:
            value = _value(option, next(left, "") if word == spelling else word[len(spelling) + 1 :])
        if value is None:
            return None
        read.values[option.parameter] = value
    return read


def _value(option: Option, text: str) -> object:
    """Return an option's value from its text; None if it isn't plain."""
    match option.kind:
        case "int":
            is_plain = text.isascii() and text.isdigit() and len(text) <= len(f"{option.most}")
            return int(text) if is_plain and option.least <= int(text) <= option.most else None
        case "float":
            return float(text) if _NUMBER.fullmatch(text) and option.least <= float(text) <= option.most else None
        case "choice":
            return text if text in option.choices else None
    return text if text and not text.startswith("-") else None
