"""The interface of a conversation's screen or pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from rich.console import Console

    from photomap_cli.records import Hit, SearchResult
    from photomap_cli.records.browse import BrowseOutcome, BrowseRequest
    from photomap_cli.views.previews import Previews


T = TypeVar("T")


class Frontend(Protocol):
    """The screen or pipe of a conversation."""

    @property
    def console(self) -> Console:
        """The console that commands print on."""

    def show(self, left: SearchResult, *, total: int, more: bool) -> int:
        """Show the first of these hits, as many as fit, and return how many that were.

        They are the last of `total`; `more` says whether there may be others.
        """

    def tell(self, note: str) -> None:
        """Show a notice."""

    def wait(self, work: Callable[[], T], words: str = "") -> T:
        """Do slow work and return its result; raises KeyboardInterrupt when the user stops it.

        `words` describe it; empty for a search.
        """

    def carry_out(self, work: Callable[[], T], words: Callable[[], str]) -> T:
        """Do work that changes something and return its result; Ctrl-C asks it to end early (`cancellation.is_wanted`).

        `words()` returns the progress.
        """

    def confirm(self, question: str, *, unasked: str) -> bool:
        """Ask the user yes or no.  If nobody can be asked, raises UsageError, which names the line to type instead."""

    @property
    def previews(self) -> Previews | None:
        """How results are shown as pictures; None if they never are."""

    def show_large(self, hit: Hit) -> None:
        """Show one photo large.  Raises UsageError if nothing can be shown."""

    def page(self, result: SearchResult) -> Iterator[bytes]:
        """Yield a page of these results for a browser, in pieces."""

    def browse(self, request: BrowseRequest) -> BrowseOutcome:
        """Show the gallery until the user comes back.  Raises UsageError if it can't be shown."""

    @property
    def keys(self) -> str:
        """A line about the keys; empty if there are none."""

    def past_lines(self) -> Sequence[str]:
        """Return earlier lines, oldest first."""
