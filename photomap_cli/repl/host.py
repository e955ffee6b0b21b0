"""The prompt's interface to the program around it."""

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
    """The program around a prompt; all but `subscribe` is called after the first paint, mostly on other threads."""

    def open_backend(self) -> Backend:
        """Open the backend, at first and again if its session is gone."""

    def settings(self) -> Settings:
        """Return the settings; called once.  An error ends the prompt."""

    def first_scope(self) -> str | None:
        """Return the `SearchRequest.folder` to use until `:in` changes it."""

    def default_folder(self) -> str:
        """Return the folder that `None` as a scope means; empty if that is the whole library."""

    def first_note(self) -> str:
        """Return a notice to show once at the start; empty for none."""

    def index(self, backend: Backend, folders: Sequence[Path]) -> tuple[bool, IndexReport]:
        """Bring folders up to date, with a progress bar; return whether Ctrl-C ended it, and the report."""

    def facets(self) -> Facets:
        """Return the values that filters can have."""

    def browse(self, connection: Connection, request: BrowseRequest, suspension: Suspension) -> BrowseOutcome:
        """Show the gallery over the prompt's session until the user comes back."""

    def subscribe(self, on_change: Callable[[], None]) -> None:
        """Call `on_change` from any thread when the status changes, so that the bar is redrawn at once."""
