"""Owns the running gallery: takes events, carries out effects, draws frames and pictures, and leaves in order."""

from __future__ import annotations

import asyncio
import errno
import signal
import sys
import threading
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from prompt_toolkit.application import Application, run_in_terminal
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import DummyCompleter, DynamicCompleter
from prompt_toolkit.output.color_depth import ColorDepth

from photomap_cli.browse import actions, events, pictures, view
from photomap_cli.browse.canvas import Canvas
from photomap_cli.browse.grid import Size
from photomap_cli.browse.query_line import FolderCompleter, QueryCompleter, QueryLine, Shown
from photomap_cli.browse.screen import STYLE, STYLE_WITHOUT_COLOUR, Screen
from photomap_cli.browse.update import update
from photomap_cli.browse.workers import SearchWorker
from photomap_cli.records.browse import BrowseOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from prompt_toolkit.input import Input
    from prompt_toolkit.output import Output

    from photomap_cli.browse.events import Effect, Event
    from photomap_cli.browse.state import State
    from photomap_cli.graphics.renderer import Renderer
    from photomap_cli.records import Facets, Hit, SearchRequest
    from photomap_cli.repl.connection import Connection
    from photomap_cli.repl.history import PrivateHistory
    from photomap_cli.repl.toolbar import Toolbar
    from photomap_cli.views.previews import Thumbnailer

REFRESH_SECONDS = 0.5  # without it the countdown stands still
SWITCH_SECONDS = 0.0005  # how long a thread that makes pictures may delay a key; Python's default is ten times that
ESCAPE_SECONDS = 0.05  # after which Escape is a key, not the start of a sequence
_GONE = frozenset({errno.EIO, errno.EBADF, errno.ENXIO, errno.EPIPE})
"""The error numbers of writing to a terminal that is gone."""


class Suspend(Protocol):
    """How this process is stopped."""

    def __call__(self, *, whole_group: bool) -> None:
        """Stop until the user lets it go on."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a gallery.

    Attributes:
        connection: the way to the backend.
        request: what every search has in common; its `cwd` is where relative paths start.
        open_thumbnailer: where thumbnails come from.
        painter: draws pictures; None where the terminal shows none.
        history: earlier queries.
        facets: what filters can name.
        toolbar: makes the bar that shows where the encoder is, given its width; None for no bar.
        input, output: the terminal.
        suspend: stops this process, or (with `whole_group`) the whole pipeline, as Ctrl-Z does.
        action_context: builds an action's `ActionContext` from where to `post` and how to `write`.
        has_colour: whether text is coloured.
    """

    connection: Connection
    request: SearchRequest
    open_thumbnailer: Callable[[], Thumbnailer]
    painter: Renderer | None
    history: PrivateHistory
    facets: Callable[[], Facets]
    toolbar: Callable[[Callable[[], int]], Toolbar] | None
    input: Input
    output: Output
    suspend: Suspend
    action_context: Callable[..., actions.ActionContext]
    has_colour: bool = True
    has_all_colours: bool = False


class Browser:
    """A single run of the gallery."""

    def __init__(self, parts: Parts, state: State, *, marks: Sequence[Hit] = ()) -> None:
        self._parts = parts
        self._marked = {hit.path: hit for hit in marks}
        size = parts.output.get_size()
        grid = {"cell": parts.painter.grid} if parts.painter is not None else {}
        self._state = replace(state, size=Size(size.columns, size.rows), cwd=parts.request.cwd, **grid)  # type: ignore[arg-type]
        self._is_cancelled = False
        self._canvas = Canvas(parts.painter) if parts.painter is not None else None
        self._pictures = (
            pictures.Pictures(parts.open_thumbnailer, parts.painter, self.repaint)
            if parts.painter is not None
            else None
        )
        self._worker = SearchWorker(parts.connection, parts.request, self._post)
        self._context = parts.action_context(post=self._post, write=self._write_soon)
        self._actions = actions.ActionRunner(self._context)
        self._query = self._query_line()
        self._answer = Buffer(name="answer", multiline=False, completer=DynamicCompleter(self._answer_completer))
        toolbar = parts.toolbar(lambda: view.status_room(self._state)) if parts.toolbar is not None else None
        self._screen = Screen(
            lambda: self._state, self.feed, query=self._query.buffer, answer=self._answer, toolbar=toolbar
        )
        self._app = self._application()
        self._loop: asyncio.AbstractEventLoop | None = None

    def _query_line(self) -> QueryLine:
        from pathlib import Path

        parts = self._parts
        shown = Shown(Path(parts.request.cwd), parts.connection, lambda: self._state.hits, parts.history.get_strings)
        completer = QueryCompleter(shown, parts.facets)
        return QueryLine(completer, parts.history, lambda text: self.feed(events.Typed(text)), text=self._state.query)

    def _answer_completer(self) -> FolderCompleter | DummyCompleter:
        from pathlib import Path

        question = self._state.question
        is_folder = question is not None and question.action == "export"
        return FolderCompleter(Path(self._state.cwd)) if is_folder else DummyCompleter()

    def _application(self) -> Application[None]:
        parts = self._parts
        depth = ColorDepth.DEPTH_24_BIT if parts.has_all_colours else None
        app: Application[None] = Application(
            layout=self._screen.layout,
            key_bindings=self._screen.keys(),
            style=STYLE if parts.has_colour else STYLE_WITHOUT_COLOUR,
            color_depth=depth if parts.has_colour else ColorDepth.DEPTH_1_BIT,
            full_screen=True,
            mouse_support=True,
            refresh_interval=REFRESH_SECONDS,
            input=parts.input,
            output=parts.output,
            before_render=self._before_frame,
            after_render=self._after_frame,
        )
        app.ttimeoutlen, app.timeoutlen = ESCAPE_SECONDS, 4 * ESCAPE_SECONDS
        app.on_reset += lambda _: self._query.fill()
        return app

    # -- the run -------------------------------------------------------------------------------------------------------

    def run(self) -> BrowseOutcome:
        """Show the gallery until the user leaves it.

        Raises:
            PhotomapError: the library cannot be shown at all.
            SystemExit: the process, or its terminal, is being ended.
        """
        with ExitStack() as stack:
            stack.callback(self._actions.close)
            stack.callback(self._worker.close)
            if self._pictures is not None:
                stack.callback(self._pictures.close)
            try:
                with _signals_noted(self._end), _keys_first():
                    self._app.run(pre_run=self._begin)
            except EOFError:
                self._is_cancelled = True  # nobody is at the terminal any more
            except OSError as error:
                if error.errno not in _GONE:
                    raise
                raise SystemExit(128 + getattr(signal, "SIGHUP", 1)) from error
        results = self._state.results
        marks = tuple(self._marked[path] for path in self._state.marks)
        return BrowseOutcome(self._is_cancelled, marks, results.query, results.hits, results.is_list)

    def _begin(self) -> None:
        """Start the workers and the first search: for the given query, or for everything."""
        self._loop = asyncio.get_running_loop()
        self._worker.start()
        if self._pictures is not None:
            self._pictures.start()
        self._screen.follow()
        if not self._state.results.generation:
            focus = self._state.focus
            self.feed(events.Submitted(self._state.query))
            self._state = replace(self._state, focus=focus)
            self._screen.follow()

    def _end(self, number: int) -> None:
        """Leave in order, because a signal asks this process to end."""
        if self._loop is not None and self._app.is_running and not self._app.is_done:
            self._loop.call_soon_threadsafe(partial(self._app.exit, exception=SystemExit(128 + number)))

    # -- events and effects --------------------------------------------------------------------------------------------

    def feed(self, event: Event) -> None:
        """Take an event, on the application's thread."""
        self._take(event)
        self._screen.follow()
        self._app.invalidate()

    def _take(self, event: Event) -> None:
        before = self._state.marks
        self._state, effects = update(self._state, event)
        if self._state.marks != before:
            there = {hit.path: hit for hit in self._state.hits}
            moved = dict(event.paths) if isinstance(event, events.Relocated) else {}
            self._marked |= {new: replace(self._marked[old], path=new) for old, new in moved.items() if old in before}
            self._marked |= {path: there[path] for path in self._state.marks if path in there}
        for effect in effects:
            self._do(effect)

    def _post(self, event: Event) -> None:
        """Take an event from another thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the gallery has ended meanwhile
                self._loop.call_soon_threadsafe(self.feed, event)

    def stop_soon(self) -> bool:
        """Stop the process once the terminal is restored; called from a signal.  Returns False if nothing has to be."""
        if self._loop is None or not self._app.is_running:
            return False
        self._loop.call_soon_threadsafe(self._in_terminal, partial(self._parts.suspend, whole_group=False))
        return True

    def repaint(self) -> None:
        """Redraw what has changed, such as where the encoder is; callable from any thread."""
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._app.invalidate)

    def _write_soon(self, text: str) -> None:
        """Send the terminal a sequence between two frames and wait until it is written; called from another thread."""
        if self._loop is None or not text:
            return
        written = threading.Event()

        def write() -> None:
            self._app.output.write_raw(text)
            self._app.output.flush()
            written.set()

        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(write)
            while not written.wait(0.1) and self._app.is_running:
                pass

    def _do(self, effect: Effect) -> None:
        match effect:
            case events.WaitForPause(generation):
                loop = self._loop or asyncio.get_running_loop()
                loop.call_later(events.DEBOUNCE_SECONDS, self.feed, events.Paused(generation))
            case events.Search() | events.LookUp() | events.Explain() | events.CountMonths():
                self._worker.ask(effect)
            case events.SetQuery(text):
                self._query.put(text)
            case events.Remember(text):
                self._query.remember(text)
            case events.Action():
                self._start(effect)
            case events.StopAction():
                self._actions.stop()
            case events.Redraw():
                self._app.renderer.clear()
            case events.Suspend():
                self._in_terminal(partial(self._parts.suspend, whole_group=True))
            case events.Leave():
                self._leave(effect)

    def _leave(self, leaving: events.Leave) -> None:
        self._is_cancelled = leaving.is_cancelled
        if not self._app.is_running or self._app.is_done:
            return
        if leaving.error is not None:
            self._app.exit(exception=leaving.error)
        else:
            self._app.exit()

    def _start(self, action: events.Action) -> None:
        command = actions.download_command(action, self._context) if action.name == "download" else []
        if command:
            self._in_terminal(partial(self._run_program, command))
        else:
            self._actions.start(action)

    def _run_program(self, command: list[str]) -> None:
        """Run a program that takes over the terminal."""
        import subprocess

        done = subprocess.run(command, check=False)
        self.feed(events.Told("downloaded" if done.returncode == 0 else f"{command[0]} failed", bool(done.returncode)))

    def _in_terminal(self, work: Callable[[], object]) -> None:
        run_in_terminal(lambda: (work(), None)[1])

    # -- frames --------------------------------------------------------------------------------------------------------

    def _before_frame(self, app: Application[None]) -> None:
        size = self._parts.output.get_size()
        if (size.columns, size.rows) != (self._state.size.columns, self._state.size.rows):
            self._take(events.Resized(Size(size.columns, size.rows)))
            if self._canvas is not None:
                self._canvas.forget()
        if self._canvas is not None and app.renderer.last_rendered_screen is None:
            self._canvas.forget()

    def _after_frame(self, app: Application[None]) -> None:
        screen, canvas = app.renderer.last_rendered_screen, self._canvas
        if screen is not None:
            self._screen.complete(screen)
        if canvas is None or self._pictures is None or screen is None or app.is_done:
            return
        self._pictures.want(pictures.wanted(self._state))
        ready = {}
        for box, candidates in pictures.shown(self._state).items():
            for picture in candidates:
                if (drawing := self._pictures.get(picture)) is not None:
                    ready[box] = (picture, drawing)
                    break
        cells = screen.data_buffer

        def is_blank(x: int, y: int) -> bool:
            cell = cells[y][x]
            return cell.char == " " and view.PICTURE in cell.style

        if text := canvas.change(ready, is_blank, has_menu=self._screen.has_menu):
            app.output.write_raw(text)
            app.output.flush()


@contextmanager
def _keys_first() -> Iterator[None]:
    """Give the thread that reads keys its turn quickly while the block runs, whatever other threads do."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, SWITCH_SECONDS))
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@contextmanager
def _signals_noted(end: Callable[[int], None]) -> Iterator[None]:
    """Have SIGTERM and SIGHUP end the gallery in order while the block runs."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        if before[number] is not signal.SIG_IGN:
            signal.signal(number, lambda number, frame: end(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
