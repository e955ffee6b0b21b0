"""Owns what the prompt prints between two lines, and how it waits.  Reads no keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rich.text import Text

from photomap_cli.errors import PhotomapError, UsageError
from photomap_cli.records import ResidencyState
from photomap_cli.views import results
from photomap_cli.views.errors import error_line, error_text
from photomap_cli.views.html.contact_sheet import sheet_page
from photomap_cli.views.output import printable
from photomap_cli.views.palette import NOTE
from photomap_cli.views.spinner import wait_for
from photomap_cli.views.status_line import place

if TYPE_CHECKING:
    from rich.console import Console

    from photomap_cli.records import Hit, SearchResult, SessionStatus
    from photomap_cli.records.browse import BrowseOutcome, BrowseRequest
    from photomap_cli.repl.connection import Connection
    from photomap_cli.views.previews import Previews

T = TypeVar("T")

KEYS = "Tab completes · ↑ earlier lines that start the same · Ctrl-R searches them · Ctrl-C clears · Ctrl-D leaves"
HINTS = (":open N", "#N for more like it")


class TtyFrontend:
    """A conversation's frontend on a terminal."""

    def __init__(
        self,
        console: Console,
        connection: Connection,
        *,
        cwd: Path,
        past: Callable[[], Sequence[str]],
        previews: Previews,
        ask: Callable[[str], str] = lambda question: "",
        browse: Callable[[BrowseRequest], BrowseOutcome] | None = None,
    ) -> None:
        self.console = console
        self.past_lines, self.keys = past, KEYS
        self._ask, self._browse = ask, browse
        self.previews = previews
        self._connection, self._cwd = connection, cwd

    def show(self, left: SearchResult, *, total: int, more: bool) -> int:
        """Print as many results as fit into the window, as pictures or a table."""
        painter = self.previews.painter() if left.hits else None
        if painter is None:
            if reason := self.previews.why_no_pictures():
                self.tell(reason)
            count = results.print_page(left, self._cwd, self.console)
        else:
            count = self.previews.show(left.hits, painter, self._wait_for_photos)
        page = replace(left, hits=left.hits[:count])
        hints = (*HINTS, ":show N") if painter else HINTS
        has_more = more or count < len(left.hits)
        line = results.summary_line(page, total=total, more=":more" if has_more else "", hints=hints if count else ())
        self.console.print(line)
        return count

    def show_large(self, hit: Hit) -> None:
        """Draw one photo large."""
        self.previews.show_large(hit, self._wait_for_photos, cwd=self._cwd)

    def browse(self, request: BrowseRequest) -> BrowseOutcome:
        """Show the gallery in place of the prompt."""
        if self._browse is None:
            raise UsageError("there is no gallery here", hint="`photomap browse` shows it")
        return self._browse(request)

    def tell(self, note: str) -> None:
        """Print a notice."""
        self.console.print(Text(printable(note), NOTE))

    def show_error(self, error: Exception, text: str = "") -> None:
        """Print an error; `text` is the query it refers to."""
        if isinstance(error, PhotomapError):
            self.console.print(error_text(error, text))
        else:
            self.console.print(Text(error_line(error), "red"))

    def wait(self, work: Callable[[], T], words: str = "") -> T:
        """Do slow work while a line describes it."""
        return wait_for(work, console=self.console, words=lambda: words or self._what_goes_on())

    def carry_out(self, work: Callable[[], T], words: Callable[[], str]) -> T:
        """Do work that changes something while a line shows its progress; Ctrl-C asks it to end early."""
        return wait_for(work, console=self.console, words=words, until_it_ends=True)

    def confirm(self, question: str, *, unasked: str) -> bool:
        """Ask the user yes or no; anything but yes is no."""
        return self._ask(f"{printable(question)} [y/N] ").strip().lower() in ("y", "yes")

    def page(self, result: SearchResult) -> Iterator[bytes]:
        """Yield a page of these results for a browser."""
        return sheet_page(result, self.previews.open_thumbnailer, self._wait_for_photos)

    def _wait_for_photos(self, work: Callable[[], T]) -> T:
        return wait_for(work, console=self.console, words=lambda: "reading photos…")

    def _what_goes_on(self) -> str:
        backend = self._connection.current
        try:
            return progress_text(backend.status()) if backend is not None else "opening the library…"
        except Exception:
            return "searching…"  # the work itself will report the error


def progress_text(status: SessionStatus) -> str:
    """Return what a query is waiting for."""
    if status.state is ResidencyState.LOADING and status.download:
        return place(status).words
    if status.state in (ResidencyState.OFF, ResidencyState.LOADING, ResidencyState.RELEASING):
        return "loading the encoder…"
    if status.state is ResidencyState.RAM and status.can_offload and not status.cpu_fallbacks:
        return "RAM → VRAM…"
    return place(status).words if status.state.is_moving else "searching…"
