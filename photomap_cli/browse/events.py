"""Owns the gallery's events (what happens to it) and effects (what it wants done), as frozen values.  Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from photomap_cli.browse.grid import Size
    from photomap_cli.browse.timeline import Month
    from photomap_cli.errors import PhotomapError
    from photomap_cli.records import Hit, PhotoDetails, TermPart

DEBOUNCE_SECONDS = 0.12
"""Pause after the last key before the query is searched for."""

# -- events: what the user did -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pressed:
    """A key outside a text field: a letter as itself, others by prompt_toolkit's names (`up`, `enter`, `c-c`)."""

    key: str


@dataclass(frozen=True, slots=True)
class Typed:
    """The text of the query line has changed."""

    text: str


@dataclass(frozen=True, slots=True)
class Submitted:
    """Enter in the query line."""

    text: str


@dataclass(frozen=True, slots=True)
class AnswerGiven:
    """Enter in the line of a question."""

    text: str


@dataclass(frozen=True, slots=True)
class Clicked:
    """The mouse, on a cell of the screen."""

    x: int
    y: int
    is_double: bool = False


@dataclass(frozen=True, slots=True)
class Wheeled:
    """The wheel: 1 is down."""

    step: int


@dataclass(frozen=True, slots=True)
class Resized:
    """The terminal was resized."""

    size: Size


# -- events: outcomes of effects ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Paused:
    """Nothing was typed for a moment since this generation."""

    generation: int


@dataclass(frozen=True, slots=True)
class Found:
    """A search was answered.

    Attributes:
        search: the effect that asked.
        hits: the photos; of a list that goes on, the next ones.
        is_list, cursor: see `Results`.
        is_complete: there are no more.
        notices: sentences for the user.
    """

    search: Search
    hits: tuple[Hit, ...]
    is_list: bool = False
    cursor: str | None = None
    is_complete: bool = True
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """A search was refused."""

    search: Search
    error: PhotomapError


@dataclass(frozen=True, slots=True)
class Told:
    """A message from an action; `is_done` says that it has ended."""

    text: str
    is_error: bool = False
    is_done: bool = True


@dataclass(frozen=True, slots=True)
class Relocated:
    """Photos were moved; one that left the library has no new path."""

    paths: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What the library knows of a photo."""

    details: PhotoDetails


@dataclass(frozen=True, slots=True)
class Explained:
    """What each term adds to a photo's score."""

    path: str
    score: float
    terms: tuple[TermPart, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """The months of the results of this generation."""

    generation: int
    months: tuple[Month, ...]


# -- effects -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WaitForPause:
    """Say `Paused` in DEBOUNCE_SECONDS."""

    generation: int


@dataclass(frozen=True, slots=True)
class Search:
    """Ask for photos; an empty query asks for all, newest first.

    Attributes:
        generation: comes back with the answer; a newer search makes this one unwanted.
        query: its text.
        limit: how many results.
        is_draft: still being typed, so nothing is cached for it.
        is_more: asks for further results of the last query.
        cursor: where the list continues.
    """

    generation: int
    query: str
    limit: int
    is_draft: bool = False
    is_more: bool = False
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class SetQuery:
    """Put a text into the query line."""

    text: str


@dataclass(frozen=True, slots=True)
class Remember:
    """Keep a query in the history."""

    text: str


@dataclass(frozen=True, slots=True)
class Action:
    """Do something with photos: `open`, `copy_paths`, `copy_picture`, `export`, `download`, `album`.

    `way` is how (copy, move, ...), `target` where to.
    """

    name: str
    paths: tuple[str, ...]
    way: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class StopAction:
    """Stop the action under way."""


@dataclass(frozen=True, slots=True)
class LookUp:
    """Ask what the library knows of a photo."""

    path: str


@dataclass(frozen=True, slots=True)
class Explain:
    """Ask what each term of a query adds to a photo's score."""

    query: str
    path: str
    limit: int


@dataclass(frozen=True, slots=True)
class CountMonths:
    """Count the results by month."""

    generation: int
    query: str


@dataclass(frozen=True, slots=True)
class Redraw:
    """Redraw the whole screen."""


@dataclass(frozen=True, slots=True)
class Suspend:
    """Stop, as Ctrl-Z does."""


@dataclass(frozen=True, slots=True)
class Leave:
    """End the gallery.

    Attributes:
        is_cancelled: the user chose nothing.
        error: why the gallery can't show anything.
    """

    is_cancelled: bool = False
    error: PhotomapError | None = None


Event = (
    Pressed | Typed | Submitted | AnswerGiven | Clicked | Wheeled | Resized | Paused | Found | Failed | Told
    | Relocated | Known | Explained | Counted
)  # fmt: skip
Effect = (
    WaitForPause | Search | SetQuery | Remember | Action | StopAction | LookUp | Explain | CountMonths | Redraw
    | Suspend | Leave
)  # fmt: skip
