"""Owns what the gallery begins with, and what it ends with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from photomap_cli.records.search import Hit, SearchRequest


@dataclass(frozen=True, slots=True)
class BrowseRequest:
    """What the gallery begins with.

    Attributes:
        search: what its searches have in common; its text is the query to begin with, nothing for all photos.
        marks: photos that are marked already.
        is_choosing: somebody waits for what is chosen.
    """

    search: SearchRequest
    marks: tuple[Hit, ...] = ()
    is_choosing: bool = False


@dataclass(frozen=True, slots=True)
class BrowseOutcome:
    """What the gallery ended with.

    Attributes:
        is_cancelled: the user wants nothing chosen.
        marks: the marked photos, in the order in which they were marked.
        query: the last one that was answered; nothing for all photos.
        hits: its photos, as far as they were fetched.
        is_list: whether filters alone found them.
    """

    is_cancelled: bool
    marks: tuple[Hit, ...]
    query: str
    hits: tuple[Hit, ...]
    is_list: bool
