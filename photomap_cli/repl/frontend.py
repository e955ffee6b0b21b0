"""What a conversation needs of a screen or a pipe."""

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
    """Where a conversation takes place: the screen, or a pipe."""

    @property
    def console(self) -> Console:
        """What commands print on."""

    def show(self, left: SearchResult, *, total: int, more: bool) -> int:
        """Show the first of these hits, as many as fit, and return how many that were.

        They are the last ones of `total`; `more` says whether there may be further ones.
        """

    def tell(self, note: str) -> None:
        """Show a sentence that is no result."""

    def wait(self, work: Callable[[], T], words: str = "") -> T:
        """Do slow work and return its result; raises KeyboardInterrupt when the user stops it.

        `words` say what is going on; without any, it is a search.
        """

    def carry_out(self, work: Callable[[], T], words: Callable[[], str]) -> T:
        """Do work that changes something and return its result; Ctrl-C has it end early (`cancellation.is_wanted`).

        `words()` say how far it is.
        """

    def confirm(self, question: str, *, unasked: str) -> bool:
        """Ask the user for a yes.  Where nobody can be asked, raises UsageError, which names the line to type then."""

    @property
    def previews(self) -> Previews | None:
        """How results are shown as pictures; None where they never are."""

    def show_large(self, hit: Hit) -> None:
        """Show one photo large.  Raises UsageError where nothing can be shown."""

    def page(self, result: SearchResult) -> Iterator[bytes]:
        """Yield a page of these results for a browser, in pieces."""

    def browse(self, request: BrowseRequest) -> BrowseOutcome:
        """Show the gallery until the user comes back.  Raises UsageError where it cannot be shown."""

    @property
    def keys(self) -> str:
        """What the keys do here; nothing where none are pressed."""

    def past_lines(self) -> Sequence[str]:
        """Return earlier lines, oldest first."""
