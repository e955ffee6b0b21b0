"""Owns the gallery's state at one moment, as one frozen value, and questions about it.  Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import TYPE_CHECKING

from photomap_cli.browse.grid import Geometry, Size, geometry
from photomap_cli.graphics.renderer import Grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from photomap_cli.browse.events import Effect
    from photomap_cli.browse.timeline import Month
    from photomap_cli.errors import PhotomapError
    from photomap_cli.records import Hit, PhotoDetails, TermPart

    Transition = tuple["State", tuple[Effect, ...]]

FIRST_LIMIT = 200
"""Results that a search asks for at first: several screens, which take under a millisecond more than one."""

MOST_RESULTS = 10_000
"""Limit of a search, and of one page of a list."""


class Mode(Enum):
    """What the screen shows."""

    GRID = auto()
    LOOK = auto()  # one photo, large
    TIMELINE = auto()  # the months of the results
    KEYS = auto()  # all the keys


class Focus(Enum):
    """What has the focus."""

    QUERY = auto()
    PHOTOS = auto()
    QUESTION = auto()  # a line that is to be answered: a folder, a name
    CHOICE = auto()  # one key out of a few


@dataclass(frozen=True, slots=True)
class Results:
    """The photos of one query, as far as they were fetched.

    Attributes:
        query: its text; empty for all photos, newest first.
        hits: best or newest first.
        is_list: the query is empty or only filters: results have dates instead of scores, and go on to the last photo.
        cursor: where a list continues.
        is_complete: there are no more.
        generation: that of the search that found them.
    """

    query: str = ""
    hits: tuple[Hit, ...] = ()
    is_list: bool = True
    cursor: str | None = None
    is_complete: bool = True
    generation: int = 0


@dataclass(frozen=True, slots=True)
class Notice:
    """A message below the query line until the next key; an error may point at a place in the query."""

    text: str = ""
    is_error: bool = False
    position: int | None = None

    @classmethod
    def of(cls, error: PhotomapError) -> Notice:
        """Return what an error says."""
        hint = f"  hint: {error.hint}" if error.hint else ""
        return cls(f"{error.message}{hint}", is_error=True, position=error.position)


@dataclass(frozen=True, slots=True)
class Question:
    """A question before an action, answered by a line of text or one of a few keys.

    Attributes:
        action: what is done with the answer.
        words: what is asked.
        paths: what the action is for.
        choices: key and meaning of each choice; empty if the answer is a line of text.
        way: what has been chosen so far.
        text: what has been typed so far.
    """

    action: str
    words: str
    paths: tuple[str, ...]
    choices: tuple[tuple[str, str], ...] = ()
    way: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """The gallery at one moment.

    Attributes:
        size: of the terminal, in cells.
        cell: the pixels of a cell, as pictures are drawn.
        is_choosing: standard output is a pipe that waits for what is chosen.
        cwd: absolute folder that relative paths start from.
        query: the text of the query line.
        references: the paths that `#1`, `#2`, ... in the query stand for.
        earlier: queries before each refinement, the last one last.
        focus, mode: what has the focus, and what is shown.
        behind: the mode that `KEYS` hides.
        key_page: the page of keys that is shown; any number, taken modulo the count of pages.
        results: of the last query that was answered.
        cursor: number of the photo under the cursor, from 0.
        top: number of the first row of photos that is shown.
        marks: paths, in the order in which they were marked.
        anchor: where a range begins, while one is being chosen.
        generation: of the newest search asked for; answers to older ones are dropped.
        is_searching, is_paging: an answer, or further results, are awaited.
        marks_all: all results will be marked once they have arrived.
        is_acting: an action is running, so another can't begin.
        zoom: steps by which photos are larger (positive) or smaller (negative) than usual.
        notice, question: the current message and question.
        has_facts: whether the photo that is looked at has its facts beside it.
        details: what the library knows of a photo.
        terms: what each term adds to the score of the photo at `explained`.
        months, month: the timeline, and the one under its cursor.
    """

    size: Size
    cell: Grid = field(default_factory=lambda: Grid(1, 2))
    is_choosing: bool = False
    cwd: str = "/"
    query: str = ""
    references: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()
    focus: Focus = Focus.QUERY
    mode: Mode = Mode.GRID
    behind: Mode = Mode.GRID
    key_page: int = 0
    results: Results = Results()
    cursor: int = 0
    top: int = 0
    marks: tuple[str, ...] = ()
    anchor: int | None = None
    generation: int = 0
    is_searching: bool = False
    is_paging: bool = False
    marks_all: bool = False
    is_acting: bool = False
    zoom: int = 0
    notice: Notice = Notice()
    question: Question | None = None
    has_facts: bool = False
    details: PhotoDetails | None = None
    explained: str = ""
    terms: tuple[TermPart, ...] = ()
    months: tuple[Month, ...] = ()
    month: int = 0

    @property
    def hits(self) -> tuple[Hit, ...]:
        """The photos of the results."""
        return self.results.hits

    @property
    def hit(self) -> Hit | None:
        """The photo under the cursor; None if there is none."""
        return self.hits[self.cursor] if self.hits else None

    @property
    def geometry(self) -> Geometry:
        """How the photos are laid out."""
        return geometry(self.size, self.cell, zoom=self.zoom)

    @property
    def first_limit(self) -> int:
        """How many results a search asks for at first: three screens at least."""
        return max(FIRST_LIMIT, 3 * self.geometry.count)

    @property
    def visible(self) -> range:
        """The numbers of the photos on the screen, in the grid."""
        shape = self.geometry
        start = self.top * shape.columns
        return range(start, min(len(self.hits), start + shape.count))

    @property
    def range(self) -> range:
        """The numbers in the range that is being chosen; empty if there is none."""
        if self.anchor is None:
            return range(0)
        return range(min(self.anchor, self.cursor), max(self.anchor, self.cursor) + 1)

    @property
    def selected(self) -> tuple[str, ...]:
        """The paths that an action applies to: the marked ones, else the one under the cursor."""
        return self.marks or ((self.hit.path,) if self.hit else ())

    def told(self, text: str, *, is_error: bool = False) -> State:
        """Return the state with a notice."""
        return replace(self, notice=Notice(text, is_error))


def at(state: State, cursor: int) -> State:
    """Return the state with the cursor on a photo, and its row on the screen."""
    cursor = min(max(0, cursor), max(0, len(state.hits) - 1))
    shape = state.geometry
    row = cursor // shape.columns
    top = min(max(state.top, row - shape.rows + 1), row)
    last_top = max(0, -(-len(state.hits) // shape.columns) - shape.rows)
    return replace(state, cursor=cursor, top=min(top, max(last_top, 0)))


def marked(state: State, paths: Sequence[str]) -> State:
    """Return the state with these photos marked too; marks keep the order in which they came."""
    return replace(state, marks=tuple(dict.fromkeys((*state.marks, *paths))))


def toggled(state: State, path: str) -> State:
    """Return the state with a photo's mark taken away, or set."""
    if path in state.marks:
        return replace(state, marks=tuple(mark for mark in state.marks if mark != path))
    return marked(state, (path,))
