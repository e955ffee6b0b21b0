"""Owns the gallery's input and output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from photomap_cli.records.search import Hit, SearchRequest


@dataclass(frozen=True, slots=True)
class BrowseRequest:
    """What the gallery starts with.

    Attributes:
        search: what its searches have in common; its text is the first query, empty for all photos.
        marks: photos that are marked already.
        is_choosing: a pipe waits for what is chosen.
    """

    search: SearchRequest
    marks: tuple[Hit, ...] = ()
    is_choosing: bool = False


@dataclass(frozen=True, slots=True)
class BrowseOutcome:
    """The outcome of a gallery.

    Attributes:
        is_cancelled: the user chose nothing.
        marks: the marked photos, in the order in which they were marked.
        query: the last one that was answered; empty for all photos.
        hits: its photos, as far as they were fetched.
        is_list: whether filters alone found them.
    """

    is_cancelled: bool
    marks: tuple[Hit, ...]
    query: str
    hits: tuple[Hit, ...]
    is_list: bool
