"""Owns waiting for slow work with a line on what goes on; Ctrl-C ends the wait, and the work at its next step."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Generic, TypeVar

from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")

POLL_SECONDS = 0.03
SPINNER_AFTER_SECONDS = 0.15  # a hot query is answered before this and shows no spinner


class _Job(Generic[T]):
    """Work on its own thread; the result is dropped if nobody waits for it any more."""

    def __init__(self, work: Callable[[], T]) -> None:
        self.done, self.given_up = threading.Event(), threading.Event()
        self._work = work
        self._answers: list[T] = []
        self._error: BaseException | None = None
        threading.Thread(target=self._run, name="photomap-query", daemon=True).start()

    def _run(self) -> None:
        from photomap_cli.cancellation import wanted_until  # not before the prompt is painted

        try:
            with wanted_until(self.given_up):
                self._answers.append(self._work())
        except BaseException as error:
            self._error = error
        finally:
            self.done.set()

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        return self._answers[0]


def wait_for(work: Callable[[], T], *, console: Console, words: Callable[[], str], until_it_ends: bool = False) -> T:
    """Run `work` on a worker thread and return its result; `words()` is shown while it takes long.

    After Ctrl-C the work ends at its next check for cancellation; `until_it_ends` waits for that, and for its result.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed, and the work's end is not waited for.
    """
    what_ctrl_c_does = "stops it" if until_it_ends else "stops waiting"
    with noted_interrupts() as interrupted, _spinner(console, f"  Ctrl-C {what_ctrl_c_does}") as show:
        job = _Job(work)
        while not job.done.wait(POLL_SECONDS):
            if interrupted.is_set():
                job.given_up.set()
                if not until_it_ends:
                    raise KeyboardInterrupt
            show(words)
    return job.result()


@contextmanager
def noted_interrupts() -> Iterator[threading.Event]:
    """Turn SIGINT into an event, so that it cannot land in the middle of drawing."""
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed
        return

    def note(number: int, frame: FrameType | None) -> None:
        pressed.set()

    before = signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before or signal.default_int_handler)


@contextmanager
def _spinner(console: Console, hint: str) -> Iterator[Callable[[Callable[[], str]], None]]:
    """Yield a function that draws the spinner; the caller's thread draws, and only after a moment."""
    spinner = Spinner("dots")
    live = Live(
        spinner, console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
    )
    start = time.monotonic()

    def show(words: Callable[[], str]) -> None:
        if not console.is_terminal or console.is_dumb_terminal or time.monotonic() - start < SPINNER_AFTER_SECONDS:
            return
        spinner.update(text=Text(words()).append(hint, "dim"))
        live.start()
        live.refresh()

    try:
        yield show
    finally:
        live.stop()
