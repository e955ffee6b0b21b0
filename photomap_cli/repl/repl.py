"""Owns the prompt's loop: read a line, answer it, repeat.  `tty_frontend` prints, `state` asks."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.patch_stdout import patch_stdout

from photomap_cli.errors import PhotomapError
from photomap_cli.graphics.tty_mode import TtyMode
from photomap_cli.repl.commands import registry
from photomap_cli.repl.completion.completer import PromptCompleter
from photomap_cli.repl.completion.facets import FacetCache
from photomap_cli.repl.connection import Connection
from photomap_cli.repl.history import PrivateHistory
from photomap_cli.repl.prompt import (
    drop_late_answers,
    forget_keys_under_way,
    has_bar,
    make_prompt,
    type_ahead,
    use_keys,
)
from photomap_cli.repl.resize import erase_wrapped_rows
from photomap_cli.repl.state import SearchState
from photomap_cli.repl.toolbar import Toolbar
from photomap_cli.repl.tty_frontend import TtyFrontend
from photomap_cli.views.captions import shortened
from photomap_cli.views.output import printable
from photomap_cli.views.spinner import noted_interrupts
from photomap_cli.views.status_line import Scope

if TYPE_CHECKING:
    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from rich.console import Console

    from photomap_cli.records.browse import BrowseOutcome, BrowseRequest
    from photomap_cli.repl.host import PromptHost
    from photomap_cli.settings import Settings
    from photomap_cli.views.previews import Previews

PROMPT = "photomap> "
HOW_TO_LEAVE = "leave with Ctrl-D or :quit"
FOLDER_CELLS = 24  # for a folder's name in the bar
PAGES_AHEAD = 3
"""How many pages of hits a query fetches, so that :more neither waits nor wakes an idle encoder."""


class Repl:
    """The interactive prompt; `previews` asks the terminal what it can draw before the first prompt."""

    def __init__(
        self, host: PromptHost, *, console: Console, cwd: Path, history_path: Path, previews: Previews
    ) -> None:
        self._host = host
        self._connection = Connection(host.open_backend)
        self._default_folder = ""
        self._settings: Settings | None = None
        self._settings_lock = threading.Lock()
        self._history = PrivateHistory(history_path)
        self._previews = previews
        self._screen = TtyFrontend(
            console,
            self._connection,
            cwd=cwd,
            past=self._history.get_strings,
            previews=previews,
            ask=self._ask,
            browse=self._browse,
        )
        self._state = SearchState(
            self._connection, self._screen, cwd=cwd, limit=0, pages_ahead=PAGES_AHEAD, index=host.index
        )
        self._facets = FacetCache(host.facets, self._photo_count)
        self._toolbar = Toolbar(
            self._connection,
            width=lambda: self._prompt.output.get_size().columns,
            scope=self._scope,
            extras=self._extras,
            has_colour=not console.no_color,
        )
        self._prompt = make_prompt(
            toolbar=self._toolbar,
            completer=PromptCompleter(self._state, self._facets),
            history=self._history,
            has_colour=not console.no_color,
            on_text=self._on_text,
            on_suspend=partial(self._suspend, whole_group=True),
        )
        self._terminal = TtyMode(
            pause=self._connection.pause, resume=self._connection.resume, defer=lambda: self._suspend(whole_group=False)
        )
        self._connection.postponed = self._terminal.suspension.postponed
        erase_wrapped_rows(self._prompt, previews.wraps_again)
        self._warming: threading.Thread | None = None
        self._is_prewarmed = False
        self._empty_interrupts = 0

    def run(self) -> int:
        """Read and answer lines until the user leaves; returns the exit status."""
        self._host.subscribe(self._repaint)
        with self._terminal, closing(self._connection):  # Ctrl-Z waits until the session is closed
            drop_late_answers(self._prompt)
            type_ahead(self._prompt, self._previews.detect())
            while self._turn():
                pass
        return 0

    def _turn(self) -> bool:
        """Read one line and answer it; returns False when the user leaves."""
        try:
            line = self._read()
            self._terminal.disable_echo()
            return line is not None and self._answer(line)
        except KeyboardInterrupt:  # a second Ctrl-C, while the first was being reported
            return True

    def _read(self) -> str | None:
        """Return the next line, or None when the user leaves."""
        while True:
            self._is_prewarmed = False
            use_keys(self._prompt, self._state.keys)
            try:
                # An interrupt must not hit prompt_toolkit while it starts or ends, or it would be left broken.
                with noted_interrupts(), patch_stdout(raw=True):
                    line = self._prompt.prompt(self._message, pre_run=self._warm_after_paint)
            except KeyboardInterrupt:
                forget_keys_under_way(self._prompt)
                self._tell_how_to_leave()
            except EOFError:
                return None
            else:
                self._empty_interrupts = 0
                return line

    def _browse(self, request: BrowseRequest) -> BrowseOutcome:
        """Show the gallery in place of the prompt."""
        try:
            return self._host.browse(self._connection, request, self._terminal.suspension)
        finally:
            self._terminal.disable_echo()

    def _ask(self, question: str) -> str:
        """Return the answer to a question; empty if the user presses Ctrl-C or Ctrl-D."""
        asking = PromptSession[str](input=self._prompt.input, output=self._prompt.output)
        try:
            with noted_interrupts():
                return asking.prompt(question)
        except (EOFError, KeyboardInterrupt):
            return ""
        finally:
            self._terminal.disable_echo()

    def _tell_how_to_leave(self) -> None:
        is_empty = not self._prompt.default_buffer.text
        self._empty_interrupts = self._empty_interrupts + 1 if is_empty else 0
        if self._empty_interrupts == 2:
            self._screen.tell(HOW_TO_LEAVE)

    def _answer(self, line: str) -> bool:
        """Answer one line and report any error; returns False when the user leaves."""
        self._apply_settings()
        try:
            registry.answer(self._state, line)
        except registry.Quit:
            return False
        except KeyboardInterrupt:
            self._screen.tell("cancelled")
        except Exception as error:
            self._screen.show_error(error, self._state.query_text)
        return True

    def _apply_settings(self) -> None:
        """Apply the settings, read by the first call; other callers wait for it."""
        with self._settings_lock:
            if self._settings is None:
                self._settings = settings = self._host.settings()
                self._state.limit, self._state.prewarm = settings.results, settings.prewarm
                self._state.keys, self._state.min_score = settings.keys, settings.min_score
                self._state.folder = self._host.first_scope()
                use_keys(self._prompt, settings.keys)
                self._previews.setting = settings.previews

    def _message(self) -> StyleAndTextTuples:
        message: StyleAndTextTuples = [("class:prompt", PROMPT)]
        return message if has_bar(self._prompt) else [("class:prompt.state", f"[{self._toolbar.short()}] "), *message]

    def _extras(self) -> tuple[str, ...]:
        marked = len(self._state.marks)
        return (*((f"{marked:,} marked",) if marked else ()), *self._other_session(), ":help")

    def _scope(self) -> Scope | None:
        """Return the folder that is searched, with its count of photos; None for the whole library by default."""
        folder = self._state.folder or self._default_folder
        if folder == "*":
            return Scope("in: everything", self._photo_count())
        name = shortened(printable(PurePath(folder).name or folder), FOLDER_CELLS)
        return Scope(f"in: {name}", self._facets.photos_below(folder)) if folder else None

    def _other_session(self) -> tuple[str, ...]:
        """Name the session if it is another process's."""
        backend = self._connection.current
        status = backend.status() if backend is not None else None
        return () if status is None or status.pid == os.getpid() else (f"session {status.pid}",)

    # -- in the background ---------------------------------------------------------------------------------------

    def _warm_after_paint(self) -> None:
        """Start loading the encoder once, after the first paint."""
        loop = self._prompt.app.loop
        if self._warming is None and loop is not None:
            self._warming = threading.Thread(target=self._warm, name="photomap-warm", daemon=True)
            loop.call_soon(self._warming.start)

    def _warm(self) -> None:
        try:
            self._apply_settings()
        except PhotomapError as error:
            self._leave(error)
            return
        try:
            backend = self._connection.backend()
            self._default_folder = self._host.default_folder()
            self._repaint()
            self._facets()
            if note := self._host.first_note():
                self._print_above(lambda: self._screen.tell(note))
            backend.load()
        except Exception as error:
            self._print_above(partial(self._screen.show_error, error))
        self._repaint()

    def _leave(self, error: PhotomapError) -> None:
        """End the prompt with an error; between prompts, the next line meets the same error."""
        app = self._prompt.app
        if app.loop is not None:
            with suppress(RuntimeError):  # the prompt ended meanwhile
                app.loop.call_soon_threadsafe(lambda: None if app.is_done else app.exit(exception=error))

    def _print_above(self, print_it: Callable[[], None]) -> None:
        """Print above the line being typed; between prompts print nothing, as the next query reports what matters."""
        app = self._prompt.app
        loop, context = app.loop, app.context
        if loop is not None and context is not None:
            with suppress(RuntimeError):  # the prompt ended meanwhile
                loop.call_soon_threadsafe(run_in_terminal, print_it, context=context)

    def _suspend(self, *, whole_group: bool) -> bool:
        """Erase the prompt, stop the process, and redraw it afterwards; returns False if no prompt is up."""
        if not self._prompt.app.is_running:
            return False
        self._print_above(partial(self._terminal.suspension.stop, whole_group=whole_group))
        return True

    def _repaint(self) -> None:
        with suppress(RuntimeError):  # no prompt is up
            self._prompt.app.invalidate()

    def _photo_count(self) -> int | None:
        backend = self._connection.current
        with suppress(Exception):  # a session that is lost is told by the bar
            return None if backend is None else backend.status().photos
        return None

    def _on_text(self, text: str) -> None:
        """Bring the encoder back while a query is being typed."""
        backend = self._connection.current
        if backend is None or self._is_prewarmed or not text.strip() or registry.is_command(text):
            return
        if not self._state.prewarm:
            return
        self._is_prewarmed = True
        threading.Thread(target=_quietly, args=(backend.prewarm,), name="photomap-prewarm", daemon=True).start()


def _quietly(work: Callable[[], object]) -> None:
    with suppress(Exception):  # the query that follows will meet and report the same error
        work()
