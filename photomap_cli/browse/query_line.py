"""Owns the input lines: the query, with the prompt's completion and history, and answers to questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition

from photomap_cli.repl.commands.arguments import path_begun
from photomap_cli.repl.completion.completer import PromptCompleter, is_worth_a_menu
from photomap_cli.repl.completion.paths import folders
from photomap_cli.repl.history import HistoryArrows
from photomap_cli.repl.menu import keep_tabs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from prompt_toolkit.completion import CompleteEvent

    from photomap_cli.records import Facets, Hit
    from photomap_cli.repl.connection import Connection
    from photomap_cli.repl.history import PrivateHistory


class Shown:
    """What completion looks at: the photos on the screen, and past queries."""

    def __init__(
        self,
        cwd: Path,
        connection: Connection,
        hits: Callable[[], Sequence[Hit]],
        past: Callable[[], Sequence[str]],
    ) -> None:
        self.cwd, self.connection, self.drawn = cwd, connection, None
        self._hits, self.past_lines = hits, past

    @property
    def shown(self) -> Sequence[Hit]:
        """The photos that `#N` reaches."""
        return self._hits()

    @property
    def front(self) -> Shown:
        """Where earlier queries are known: here."""
        return self


class QueryCompleter(Completer):
    """Completes a query as the prompt does; there are no commands here."""

    def __init__(self, shown: Shown, facets: Callable[[], Facets]) -> None:
        self._prompts = PromptCompleter(shown, facets)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Return what may follow the text before the cursor."""
        if document.text.startswith(":"):
            return []
        return self._prompts.get_completions(document, complete_event)


class FolderCompleter(Completer):
    """Completes the name of a folder."""

    def __init__(self, cwd: Path) -> None:
        self._cwd = cwd

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Return the folders whose names begin so."""
        typed = document.text_before_cursor
        try:
            return [
                Completion(text, -len(typed), display=shown) for text, shown in folders(path_begun(typed), self._cwd)
            ]
        except Exception:  # a failed completion must not end the gallery
            return []


class QueryLine:
    """The line of the query."""

    def __init__(
        self, completer: Completer, history: PrivateHistory, on_text: Callable[[str], None], *, text: str
    ) -> None:
        self.buffer = Buffer(
            name="query",
            completer=completer,
            complete_while_typing=Condition(lambda: is_worth_a_menu(self.buffer.document.text_before_cursor)),
            history=history,
            multiline=False,
            document=Document(text),
        )
        self._history = history
        self._arrows = HistoryArrows(self.buffer, history)
        self.buffer.history_backward = self._arrows.older  # type: ignore[method-assign]
        self.buffer.history_forward = self._arrows.newer  # type: ignore[method-assign]
        keep_tabs(self.buffer)
        self.buffer.on_text_changed += lambda buffer: on_text(buffer.text)

    def fill(self) -> None:
        """Offer earlier queries once they are read."""
        self._arrows.fill()

    def put(self, text: str) -> None:
        """Replace the text of the line, as if it had been typed."""
        if text != self.buffer.text:
            self.buffer.document = Document(text)

    def remember(self, text: str) -> None:
        """Keep a query in the history."""
        past = self._history.get_strings()
        if text.strip() and (not past or past[-1] != text):
            self._history.append_string(text)
            self.buffer.reset(Document(text))
            self.fill()
