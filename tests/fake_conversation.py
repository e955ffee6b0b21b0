"""A conversation without a terminal: lines are typed into it, and it keeps what it is shown."""

import io
from pathlib import Path

import pytest
from rich.console import Console
from terminal_fakes import FakeBackend, PaintedThumbnailer

from photomap_cli.errors import PhotomapError
from photomap_cli.repl.commands import registry
from photomap_cli.repl.connection import Connection
from photomap_cli.repl.state import SearchState
from photomap_cli.views.html.contact_sheet import sheet_page


class FakeFront:
    """Keeps what it is shown."""

    def __init__(self):
        self.console = Console(file=io.StringIO(), width=100, highlight=False)
        self.pages, self.notes, self.lines, self.looked, self.waits = [], [], [], [], []
        self.questions, self.answer = [], True
        self.previews, self.room, self.keys = None, None, "Ctrl-D leaves"

    def show(self, left, *, total, more):
        page = left.hits[: self.room]
        assert not left.hits or left.hits[-1].rank == total
        self.pages.append(([hit.rank for hit in page], more))
        return len(page)

    def tell(self, note):
        self.notes.append(note)

    def wait(self, work, words=""):
        self.waits.append(words)
        return work()

    def carry_out(self, work, words):
        self.waits.append(words)
        return work()

    def confirm(self, question, *, unasked):
        self.questions.append(question)
        return self.answer

    def past_lines(self):
        return self.lines

    def show_large(self, hit):
        self.looked.append(hit.rank)

    def page(self, result):
        return sheet_page(result, PaintedThumbnailer, self.wait)

    @property
    def printed(self):
        return self.console.file.getvalue()


class Talk:
    """A conversation to type lines into."""

    def __init__(self, backend=None, *, limit=3, pages_ahead=2, cwd=Path("/photos")):
        self.backend, self.front = backend or FakeBackend(), FakeFront()
        self.state = SearchState(
            Connection(lambda: self.backend), self.front, cwd=cwd, limit=limit, pages_ahead=pages_ahead
        )

    def type(self, *lines):
        for line in lines:
            registry.answer(self.state, line)
        return self

    def refusal(self, line):
        with pytest.raises(PhotomapError) as caught:
            self.type(line)
        return caught.value
