"""Owns the conversation without a screen: lines in, results out.  Doesn't use prompt_toolkit."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeVar

from photomap_cli import files
from photomap_cli.errors import UsageError
from photomap_cli.job_control import Suspension
from photomap_cli.repl.commands import registry
from photomap_cli.repl.connection import Connection
from photomap_cli.repl.state import SearchState
from photomap_cli.views.console import make_console
from photomap_cli.views.errors import error_line
from photomap_cli.views.html.contact_sheet import sheet_page
from photomap_cli.views.machine_output import ResultStyle
from photomap_cli.views.output import say
from photomap_cli.views.results import write
from photomap_cli.views.spinner import wait_for
from photomap_cli.views.status_line import short_state

if TYPE_CHECKING:
    from photomap_cli.records import Hit, SearchResult
    from photomap_cli.records.browse import BrowseOutcome, BrowseRequest
    from photomap_cli.repl.state import Index
    from photomap_cli.session.backend import Backend
    from photomap_cli.views.previews import Thumbnailer

T = TypeVar("T")

KEYS = "Ctrl-C clears · Ctrl-D leaves"

FOUND, NOTHING, FAILED = 0, 1, 2
_DUMB = frozenset({"dumb", "unknown"})


def has_screen(stdin: TextIO, stdout: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether the prompt can be drawn: both ends are terminals that aren't dumb."""
    return stdin.isatty() and stdout.isatty() and environment.get("TERM", "") not in _DUMB


class PipeFrontend:
    """A conversation's frontend without a screen: data go to `out`, everything else to `err`."""

    def __init__(
        self,
        out: TextIO,
        err: TextIO,
        *,
        style: ResultStyle,
        cwd: Path,
        open_thumbnailer: Callable[[], Thumbnailer],
        is_typed: bool = False,
    ) -> None:
        self.console = make_console(file=out, no_color=True, soft_wrap=True)
        self._out, self._err, self._style, self._cwd = out, err, style, cwd
        self.is_typed = is_typed
        self._open_thumbnailer = open_thumbnailer
        self.previews = None

    def show(self, left: SearchResult, *, total: int, more: bool) -> int:
        """Write the hits, all of them."""
        write(left, self._style, self._out, cwd=self._cwd, console=self.console)
        self._out.flush()
        return len(left.hits)

    def tell(self, note: str) -> None:
        """Write a notice to standard error."""
        say(note, file=self._err)

    def wait(self, work: Callable[[], T], words: str = "") -> T:
        """Do the work; Ctrl-C ends the program as in any pipe, or only the wait if lines are typed."""
        return wait_for(work, console=self.console, words=str) if self.is_typed else work()

    def carry_out(self, work: Callable[[], T], words: Callable[[], str]) -> T:
        """Do work that changes something; Ctrl-C asks it to end early."""
        return wait_for(work, console=self.console, words=words, until_it_ends=True)

    def confirm(self, question: str, *, unasked: str) -> bool:
        """Refuse, as there is nobody to ask."""
        raise UsageError(f"can't ask for confirmation here: {question}", hint=f"{unasked} does it without asking")

    def show_large(self, hit: Hit) -> None:
        """Refuse, as there is no screen."""
        raise UsageError("there is no terminal to show pictures on", hint=":paths prints where they are")

    def browse(self, request: BrowseRequest) -> BrowseOutcome:
        """Refuse, as there is no screen."""
        raise UsageError("there is no terminal to show the gallery on", hint="`photomap browse` finds one, if there is")

    def page(self, result: SearchResult) -> Iterator[bytes]:
        """Yield a page of these results for a browser."""
        return sheet_page(result, self._open_thumbnailer, self.wait)

    @property
    def keys(self) -> str:
        """A line about the keys: if lines are typed, what the terminal itself does."""
        return KEYS if self.is_typed else ""

    def past_lines(self) -> Sequence[str]:
        """Return nothing: a pipe keeps no history."""
        return ()


def run_lines(
    open_backend: Callable[[], Backend],
    *,
    open_thumbnailer: Callable[[], Thumbnailer],
    cwd: Path,
    limit: int,
    index: Index | None = None,
    style: ResultStyle | None = None,
    stdin: TextIO | None = None,
    stdout: TextIO | None = None,
    stderr: TextIO | None = None,
) -> int:
    """Answer one query or command a line and return the exit status, as grep does.

    Returns:
        2 if any line failed, else 0 if any line found something, 1 if none did.  Errors are one line each on `stderr`
        with the number of the input line.  If lines are typed, a prompt with the encoder's state goes to
        `stderr` and Ctrl-C drops one line or query; if `stdout` is a (dumb) terminal too, the status is 0.
    """
    stdin, out, err = stdin or sys.stdin, stdout or sys.stdout, stderr or sys.stderr
    style = style or (ResultStyle.TABLE if out.isatty() else ResultStyle.PLAIN)
    connection = Connection(open_backend)
    with _stopping_politely(connection), closing(connection):
        front = PipeFrontend(out, err, style=style, cwd=cwd, open_thumbnailer=open_thumbnailer, is_typed=stdin.isatty())
        state = SearchState(connection, front, cwd=cwd, limit=limit, index=index)
        lines = _prompted(stdin, err, connection) if front.is_typed else _decoded(stdin)
        try:
            failed = _answer_all(state, lines, out, err, is_typed=front.is_typed)
            out.flush()
        except BrokenPipeError:
            _silence(out)
            failed = False
    if front.is_typed and out.isatty():
        return FOUND  # a conversation, though on a poor terminal
    return FAILED if failed else FOUND if state.found or not state.queries else NOTHING


def _stopping_politely(connection: Connection) -> Suspension:
    suspension = Suspension(pause=connection.pause, resume=connection.resume)
    connection.postponed = suspension.postponed
    return suspension


def _answer_all(state: SearchState, lines: Iterable[str], out: TextIO, err: TextIO, *, is_typed: bool) -> bool:
    """Answer line by line; returns whether one failed.  Raises OSError if output can't be written."""
    failed = False
    for number, line in enumerate(lines, 1):
        try:
            registry.answer(state, line)
        except registry.Quit:
            break
        except KeyboardInterrupt:
            if not is_typed:
                raise
            state.front.tell("cancelled")
        except Exception as error:
            if isinstance(error, OSError) and (isinstance(error, BrokenPipeError) or error.errno in files.NO_ROOM):
                raise  # output can't be written any more
            out.flush()  # if that fails, it isn't this line's fault
            failed = True
            say(f"line {number}: {error_line(error)}", file=err)
    return failed


def _decoded(stdin: TextIO) -> Iterator[str]:
    """Yield lines, keeping bytes that aren't UTF-8, as file names may have them."""
    buffer = getattr(stdin, "buffer", None)
    for line in stdin if buffer is None else map(os.fsdecode, buffer):
        yield line.removeprefix("\ufeff").rstrip("\r\n")


def _prompted(stdin: TextIO, err: TextIO, connection: Connection) -> Iterator[str]:
    while True:
        err.write(f"{_prompt_state(connection)}photomap> ")
        err.flush()
        try:
            line = stdin.readline()
        except KeyboardInterrupt:
            say("", file=err)
            continue
        if not line:
            err.write("\n")  # Ctrl-D: start a new line for the shell's prompt
            return
        yield line


def _prompt_state(connection: Connection) -> str:
    with suppress(Exception):
        return f"[{short_state(connection.backend().status())}] "
    return ""


def _silence(out: TextIO) -> None:
    """Discard what is left in the buffer, or the interpreter complains at exit."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, out.fileno())
        os.close(nowhere)
