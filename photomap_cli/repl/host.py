"""What the prompt needs of the program around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from photomap_cli.job_control import Suspension
    from photomap_cli.records import Facets, IndexReport
    from photomap_cli.records.browse import BrowseOutcome, BrowseRequest
    from photomap_cli.repl.connection import Connection
    from photomap_cli.session.backend import Backend
    from photomap_cli.settings import Settings


class PromptHost(Protocol):
    """What a prompt is over; all but `subscribe` is called once the prompt is painted, mostly on other threads."""

    def open_backend(self) -> Backend:
        """Open what answers, at first, and again if its session is gone."""

    def settings(self) -> Settings:
        """Return the settings; called once.  What it raises ends the prompt."""

    def first_scope(self) -> str | None:
        """Return the folder that is searched until `:in` says otherwise, as `SearchRequest` takes it."""

    def default_folder(self) -> str:
        """Return the folder that `None` as a scope stands for, or nothing where that is the whole library."""

    def first_note(self) -> str:
        """Return what to say once at the start, if anything."""

    def index(self, backend: Backend, folders: Sequence[Path]) -> tuple[bool, IndexReport]:
        """Bring folders up to date, with a bar; return whether Ctrl-C ended it, and the report."""

    def facets(self) -> Facets:
        """Return what filters can name."""

    def browse(self, connection: Connection, request: BrowseRequest, suspension: Suspension) -> BrowseOutcome:
        """Show the gallery over the prompt's session until the user comes back."""

    def subscribe(self, on_change: Callable[[], None]) -> None:
        """Call `on_change` whenever the status changes, from any thread, so that the bar follows at once."""
